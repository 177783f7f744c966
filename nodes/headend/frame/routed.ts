import { Reader, Writer } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import { BEACON_BYTES, type Beacon, decodeBeacon, encodeBeacon } from './beacon.ts';
import { badField, HOPS_MAX, i16, inRange, readRoute, writeRoute } from './fields.ts';
import { PACKET_BYTES_MAX, PACKET_BYTES_MIN } from './packet.ts';
import { readSections, type SectionDecoder, type UnknownSection, writeSection } from './tlv.ts';

/** Most packets that one poll may ask for. */
export const POLL_PACKETS_MAX = 4;
/** Most packets that one CUSTODY section takes over. */
export const CUSTODY_ENTRIES_MAX = 16;

const CUSTODY_ENTRY_BYTES = 7;
const HOLD_BIT = 1;
/** A phase and a beacon. */
const WAKE_BYTES = 2 + BEACON_BYTES;
/** Most members that one LEFT section names. */
const LEFT_ENTRIES_MAX = 16;
const LEFT_ENTRY_BYTES = 2;
const POLL_HEAD_BYTES = 4;
const POLL_ENTRY_BYTES = 3;
/** Nodes in the tree of a poll: what a ROUTED frame holds beside its head. */
export const POLL_ENTRIES_MAX = 75;
const POLL_HOPS_MASK = 0x1f;
const POLL_ASKED_BIT = 0x80;
const CODES = { poll: 1, custody: 2, packet: 3, packetFor: 4, left: 5, time: 6, wake: 7 } as const;

/** A packet that the sender of CUSTODY now keeps. */
export interface CustodyEntry {
  /** Short id. */
  readonly origin: number;
  readonly session: number;
  readonly counter: number;
}

/** A node in the tree of a poll. */
export interface PollEntry {
  /** From the hub. */
  readonly hops: number;
  /** It is to answer. */
  readonly asked: boolean;
  readonly shortId: number;
}

interface Poll {
  readonly kind: 'poll';
  readonly number: number;
  /** Most packets in an answer. */
  readonly packets: number;
  /** Hops to the deepest of those that are polled together. */
  readonly depth: number;
  /** The receiver and everybody below it who is to pass the poll on or to answer, in preorder. */
  readonly tree: PollEntry[];
}

interface Time {
  readonly kind: 'time';
  /** Of the ROUTED frame before: the low half of its link counter. */
  readonly number: number;
  /** When that frame was gone: the sender's own clock in units of 16 us, the low 16 bits. */
  readonly raw: number;
  /** Network time then, likewise. */
  readonly time: number;
  /** How much faster network time goes than the sender's clock, in 2^-24. */
  readonly skew: number;
}

type KnownSection =
  | Poll
  | Time
  | { readonly kind: 'custody'; readonly entries: CustodyEntry[] }
  | { readonly kind: 'packet'; readonly hold: boolean; readonly packet: Uint8Array }
  /** For a node on the way, or for a member of the hub at its end. */
  | { readonly kind: 'packetFor'; readonly target: number; readonly packet: Uint8Array }
  /** Short ids of members that another hub serves now. */
  | { readonly kind: 'left'; readonly entries: number[] }
  /** A parent's answer to a battery leaf; the beacon's time is that at which the leaf's frame came. */
  | { readonly kind: 'wake'; readonly phase: number; readonly beacon: Beacon };

export type RoutedSection = KnownSection | UnknownSection;

/** The body of a ROUTED frame (PROTOCOL.md, section 2.3). */
export interface Routed {
  /** Short ids of the nodes to pass, the target last; a last entry of 0 is a node that has not joined. */
  readonly route: number[];
  /** Index of the node that the frame is for. */
  readonly at: number;
  readonly sections: RoutedSection[];
}

const DECODERS: Readonly<Record<number, SectionDecoder<KnownSection>>> = {
  [CODES.poll]: (body) => {
    const number = body.u16();
    const packets = inRange(body.u8(), 1, POLL_PACKETS_MAX, 'packets of a poll');
    const depth = inRange(body.u8(), 1, HOPS_MAX, 'depth of a poll');
    return { kind: 'poll', number, packets, depth, tree: readTree(body) };
  },
  [CODES.custody]: (body) => {
    const count = body.remaining / CUSTODY_ENTRY_BYTES;
    if (!Number.isInteger(count) || count < 1 || count > CUSTODY_ENTRIES_MAX)
      throw wrongLength('CUSTODY', body.remaining);
    const entries = Array.from({ length: count }, () => ({
      origin: body.u16(),
      session: body.u8(),
      counter: body.u32(),
    }));
    return { kind: 'custody', entries };
  },
  [CODES.packet]: (body) => {
    const hold = (body.u8() & HOLD_BIT) !== 0;
    return { kind: 'packet', hold, packet: restAsPacket(body, 'PACKET') };
  },
  [CODES.packetFor]: (body) => {
    const target = body.u16();
    return { kind: 'packetFor', target, packet: restAsPacket(body, 'PACKET_FOR') };
  },
  [CODES.left]: (body) => {
    const count = body.remaining / LEFT_ENTRY_BYTES;
    if (!Number.isInteger(count) || count < 1 || count > LEFT_ENTRIES_MAX) throw wrongLength('LEFT', body.remaining);
    return { kind: 'left', entries: Array.from({ length: count }, () => body.u16()) };
  },
  [CODES.time]: (body) => ({
    kind: 'time',
    number: body.u16(),
    raw: body.u16(),
    time: body.u16(),
    skew: i16(body.u16()),
  }),
  [CODES.wake]: (body) => {
    if (body.remaining !== WAKE_BYTES) throw wrongLength('WAKE', body.remaining);
    return { kind: 'wake', phase: body.u16(), beacon: decodeBeacon(body.rest()) };
  },
};

function readTree(body: Reader): PollEntry[] {
  const count = body.remaining / POLL_ENTRY_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > POLL_ENTRIES_MAX) {
    throw wrongLength('POLL', POLL_HEAD_BYTES + body.remaining);
  }
  const tree = Array.from({ length: count }, () => {
    const head = body.u8();
    return { hops: head & POLL_HOPS_MASK, asked: (head & POLL_ASKED_BIT) !== 0, shortId: body.u16() };
  });
  checkTree(tree);
  return tree;
}

/** In preorder everybody but the first is below the first, and at most one hop below whoever stands before. */
function checkTree(tree: readonly PollEntry[]): void {
  const top = tree[0]?.hops ?? 0;
  let before = top;
  tree.forEach(({ hops }, index) => {
    inRange(hops, 1, HOPS_MAX, 'hops of a node in a poll');
    if (index > 0 && (hops <= top || hops > before + 1)) throw badField('hops of a node in a poll', hops);
    before = hops;
  });
}

export function decodeRouted(body: Uint8Array): Routed {
  const reader = new Reader(body);
  const hops = reader.u8();
  const at = reader.u8();
  if (hops < 1 || hops > HOPS_MAX) throw badField('number of hops', hops);
  if (at >= hops) throw badField('position on the route', at);
  const route = readRoute(reader, hops);
  return { route, at, sections: readSections(reader, DECODERS) };
}

/** The body's bytes; `oversize` when they are more than `capacity`. */
export function encodeRouted(routed: Routed, capacity: number): Uint8Array {
  const hops = inRange(routed.route.length, 1, HOPS_MAX, 'number of hops');
  const writer = new Writer(capacity).u8(hops).u8(inRange(routed.at, 0, hops - 1, 'position on the route'));
  writeRoute(writer, routed.route);
  for (const section of routed.sections) {
    if (section.kind === 'unknown') writeSection(writer, section.code, section.body);
    else writeSection(writer, CODES[section.kind], encodeBody(section));
  }
  return writer.finish();
}

function encodeBody(section: KnownSection): Uint8Array {
  switch (section.kind) {
    case 'poll': {
      const count = inRange(section.tree.length, 1, POLL_ENTRIES_MAX, 'number of nodes in a poll');
      checkTree(section.tree);
      const body = new Writer(POLL_HEAD_BYTES + count * POLL_ENTRY_BYTES)
        .u16(section.number)
        .u8(inRange(section.packets, 1, POLL_PACKETS_MAX, 'packets of a poll'))
        .u8(inRange(section.depth, 1, HOPS_MAX, 'depth of a poll'));
      for (const { hops, asked, shortId } of section.tree) body.u8(hops | (asked ? POLL_ASKED_BIT : 0)).u16(shortId);
      return body.finish();
    }
    case 'custody': {
      const count = inRange(section.entries.length, 1, CUSTODY_ENTRIES_MAX, 'number of custody entries');
      const body = new Writer(count * CUSTODY_ENTRY_BYTES);
      for (const entry of section.entries) body.u16(entry.origin).u8(entry.session).u32(entry.counter);
      return body.finish();
    }
    case 'time':
      return new Writer(8)
        .u16(section.number)
        .u16(section.raw)
        .u16(section.time)
        .u16(section.skew & 0xffff)
        .finish();
    case 'packet':
      checkPacket(section.packet, 'PACKET');
      return new Writer(1 + section.packet.length)
        .u8(section.hold ? HOLD_BIT : 0)
        .bytes(section.packet)
        .finish();
    case 'packetFor':
      checkPacket(section.packet, 'PACKET_FOR');
      return new Writer(2 + section.packet.length).u16(section.target).bytes(section.packet).finish();
    case 'left': {
      const count = inRange(section.entries.length, 1, LEFT_ENTRIES_MAX, 'number of members that left');
      const body = new Writer(count * LEFT_ENTRY_BYTES);
      for (const shortId of section.entries) body.u16(shortId);
      return body.finish();
    }
    case 'wake':
      return new Writer(WAKE_BYTES).u16(section.phase).bytes(encodeBeacon(section.beacon)).finish();
  }
}

function restAsPacket(body: Reader, section: string): Uint8Array {
  const packet = body.rest();
  checkPacket(packet, section);
  return packet;
}

function checkPacket(packet: Uint8Array, section: string): void {
  if (packet.length < PACKET_BYTES_MIN || packet.length > PACKET_BYTES_MAX) throw wrongLength(section, packet.length);
}

function wrongLength(section: string, length: number): WattmeshError {
  return new WattmeshError('badLength', `the content of a ${section} section cannot have ${length} bytes`);
}
