import { Reader, Writer } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import { badField, HOPS_MAX, inRange, readRoute, writeRoute } from './fields.ts';
import { PACKET_BYTES_MAX, PACKET_BYTES_MIN } from './packet.ts';

const HOPS_BITS = 0x1f;
const MORE_BIT = 0x20;
const POLL_BIT = 0x40;
const URGENT_BIT = 0x80;
const HEAD_BYTES = 2;

/** Most bytes of an item: a full packet beside a full route, behind another item. */
export const ITEM_BYTES_MAX = HEAD_BYTES + 1 + 2 * HOPS_MAX + 2 + PACKET_BYTES_MAX;

/** A packet on its way up, with the way it came (PROTOCOL.md, section 2.2). */
export interface Item {
  /** More rows are waiting at the origin. */
  readonly more: boolean;
  /** The number of the poll that this answers. */
  readonly poll?: number;
  readonly urgent: boolean;
  /** Short ids of all transmitters so far, the origin first; 0 for one that has not joined. */
  readonly route: number[];
  /** An end-to-end packet, where it lies in what was decoded; empty: nothing to say to the poll. */
  readonly packet: Uint8Array;
}

/** The body of a DATA frame. */
export interface Data {
  /** Of the sender, additive ETX in 1/128. */
  readonly cost: number;
  readonly items: Item[];
}

/**
 * Reads one item. `before`: the item in front of it in a DATA frame, with which it shares the last part of its route. `badField` for more
 * than 20 hops or more shared ones than there are, `badLength` for a length that no packet has.
 */
export function decodeItem(reader: Reader, before?: Item): Item {
  const head = reader.u8();
  const length = reader.u8();
  const hops = head & HOPS_BITS;
  if (hops > HOPS_MAX) throw badField('number of hops', hops);
  const answers = (head & POLL_BIT) !== 0;
  checkLength(length, answers);
  const more = (head & MORE_BIT) !== 0;
  const urgent = (head & URGENT_BIT) !== 0;
  const route = before ? readSharing(reader, hops, before.route) : readRoute(reader, hops);
  if (!answers) return { more, urgent, route, packet: reader.view(length) };
  const poll = reader.u16();
  return { more, poll, urgent, route, packet: reader.view(length) };
}

/** One item's bytes, behind the item `before` if there is one; the errors of `decodeItem`. */
export function encodeItem(item: Item, before?: Item): Uint8Array {
  const answers = item.poll !== undefined;
  checkLength(item.packet.length, answers);
  const hops = inRange(item.route.length, 0, HOPS_MAX, 'number of hops');
  const flags = (item.more ? MORE_BIT : 0) | (answers ? POLL_BIT : 0) | (item.urgent ? URGENT_BIT : 0);
  const writer = new Writer(ITEM_BYTES_MAX).u8(hops | flags).u8(item.packet.length);
  const shared = before ? sharedHops(item.route, before.route) : 0;
  if (before) writer.u8(shared);
  writeRoute(writer, item.route.slice(0, hops - shared));
  if (item.poll !== undefined) writer.u16(item.poll);
  return writer.bytes(item.packet).finish();
}

/** The body of a DATA frame: at least one item, no gaps. */
export function decodeData(body: Uint8Array): Data {
  const reader = new Reader(body);
  const cost = reader.u16();
  const items = [decodeItem(reader)];
  while (reader.remaining > 0) items.push(decodeItem(reader, items.at(-1)));
  return { cost, items };
}

export function encodeData(data: Data, capacity: number): Uint8Array {
  if (data.items.length === 0) throw badField('number of items', 0);
  const writer = new Writer(capacity).u16(data.cost);
  for (const [index, item] of data.items.entries()) writer.bytes(encodeItem(item, data.items[index - 1]));
  return writer.finish();
}

/** A route of which the last entries are those of the item before. */
function readSharing(reader: Reader, hops: number, before: readonly number[]): number[] {
  const shared = inRange(reader.u8(), 0, Math.min(hops, before.length), 'number of shared hops');
  return [...readRoute(reader, hops - shared), ...before.slice(before.length - shared)];
}

/** How many entries at the ends of two routes are the same. */
function sharedHops(route: readonly number[], before: readonly number[]): number {
  const most = Math.min(route.length, before.length);
  let shared = 0;
  while (shared < most && route[route.length - 1 - shared] === before[before.length - 1 - shared]) shared++;
  return shared;
}

function checkLength(length: number, answersPoll: boolean): void {
  if (length === 0 && answersPoll) return;
  if (length < PACKET_BYTES_MIN || length > PACKET_BYTES_MAX) {
    throw new WattmeshError('badLength', `an item's packet cannot have ${length} bytes`);
  }
}
