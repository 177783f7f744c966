import { Reader, Writer } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import { badField, HOPS_MAX, inRange, readRoute, writeRoute } from './fields.ts';
import { PACKET_BYTES_MAX, PACKET_BYTES_MIN } from './packet.ts';

const HOPS_BITS = 0x1f;
const MORE_BIT = 0x20;
const POLL_BIT = 0x40;
const URGENT_BIT = 0x80;
const HEAD_BYTES = 2;

/** Most bytes of an item: a full packet beside a full route. */
export const ITEM_BYTES_MAX = HEAD_BYTES + 2 * HOPS_MAX + 2 + PACKET_BYTES_MAX;

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

/** Reads one item. `badField` for more than 20 hops, `badLength` for a length that no packet has. */
export function decodeItem(reader: Reader): Item {
  const head = reader.u8();
  const length = reader.u8();
  const hops = head & HOPS_BITS;
  if (hops > HOPS_MAX) throw badField('number of hops', hops);
  const answers = (head & POLL_BIT) !== 0;
  checkLength(length, answers);
  const more = (head & MORE_BIT) !== 0;
  const urgent = (head & URGENT_BIT) !== 0;
  const route = readRoute(reader, hops);
  if (!answers) return { more, urgent, route, packet: reader.view(length) };
  const poll = reader.u16();
  return { more, poll, urgent, route, packet: reader.view(length) };
}

/** One item's bytes; the errors of `decodeItem`. */
export function encodeItem(item: Item): Uint8Array {
  const answers = item.poll !== undefined;
  checkLength(item.packet.length, answers);
  const hops = inRange(item.route.length, 0, HOPS_MAX, 'number of hops');
  const flags = (item.more ? MORE_BIT : 0) | (answers ? POLL_BIT : 0) | (item.urgent ? URGENT_BIT : 0);
  const writer = new Writer(ITEM_BYTES_MAX).u8(hops | flags).u8(item.packet.length);
  writeRoute(writer, item.route);
  if (item.poll !== undefined) writer.u16(item.poll);
  return writer.bytes(item.packet).finish();
}

/** The body of a DATA frame: at least one item, no gaps. */
export function decodeData(body: Uint8Array): Data {
  const reader = new Reader(body);
  const cost = reader.u16();
  const items = [decodeItem(reader)];
  while (reader.remaining > 0) items.push(decodeItem(reader));
  return { cost, items };
}

export function encodeData(data: Data, capacity: number): Uint8Array {
  if (data.items.length === 0) throw badField('number of items', 0);
  const writer = new Writer(capacity).u16(data.cost);
  for (const item of data.items) writer.bytes(encodeItem(item));
  return writer.finish();
}

function checkLength(length: number, answersPoll: boolean): void {
  if (length === 0 && answersPoll) return;
  if (length < PACKET_BYTES_MIN || length > PACKET_BYTES_MAX) {
    throw new WattmeshError('badLength', `an item's packet cannot have ${length} bytes`);
  }
}
