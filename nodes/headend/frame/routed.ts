import { Reader, Writer } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import { BEACON_BYTES, type Beacon, decodeBeacon, encodeBeacon } from './beacon.ts';
import { badField, HOPS_MAX, inRange, readRoute, writeRoute } from './fields.ts';
import { PACKET_BYTES_MAX, PACKET_BYTES_MIN } from './packet.ts';
import { readSections, type SectionDecoder, type UnknownSection, writeSection } from './tlv.ts';

/** Most packets that one poll may ask for. */
export const POLL_PACKETS_MAX = 4;
/** Most packets that one CUSTODY section takes over. */
export const CUSTODY_ENTRIES_MAX = 16;

const CUSTODY_ENTRY_BYTES = 7;
const HOLD_BIT = 1;
const SWEEP_BIT = 0x80;
/** A phase and a beacon. */
const WAKE_BYTES = 2 + BEACON_BYTES;
const CODES = { poll: 1, custody: 2, packet: 3, packetFor: 4, wake: 5 } as const;

/** A packet that the sender of CUSTODY now keeps. */
export interface CustodyEntry {
  /** Short id. */
  readonly origin: number;
  readonly session: number;
  readonly counter: number;
}

interface Poll {
  readonly kind: 'poll';
  readonly number: number;
  /** Most packets in an answer. */
  readonly packets: number;
  /** Everybody on the way answers too. */
  readonly sweeps: boolean;
  /** Hops to the deepest of those that are polled together. */
  readonly depth: number;
}

type KnownSection =
  | Poll
  | { readonly kind: 'custody'; readonly entries: CustodyEntry[] }
  | { readonly kind: 'packet'; readonly hold: boolean; readonly packet: Uint8Array }
  /** For a node on the way, or for a member of the hub at its end. */
  | { readonly kind: 'packetFor'; readonly target: number; readonly packet: Uint8Array }
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
    const packets = body.u8();
    const sweeps = (packets & SWEEP_BIT) !== 0;
    return {
      kind: 'poll',
      number,
      packets: inRange(packets & ~SWEEP_BIT, 1, POLL_PACKETS_MAX, 'packets of a poll'),
      sweeps,
      depth: inRange(body.u8(), 1, HOPS_MAX, 'depth of a poll'),
    };
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
  [CODES.wake]: (body) => {
    if (body.remaining !== WAKE_BYTES) throw wrongLength('WAKE', body.remaining);
    return { kind: 'wake', phase: body.u16(), beacon: decodeBeacon(body.rest()) };
  },
};

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
      const packets = inRange(section.packets, 1, POLL_PACKETS_MAX, 'packets of a poll');
      const depth = inRange(section.depth, 1, HOPS_MAX, 'depth of a poll');
      return new Writer(4)
        .u16(section.number)
        .u8(packets | (section.sweeps ? SWEEP_BIT : 0))
        .u8(depth)
        .finish();
    }
    case 'custody': {
      const count = inRange(section.entries.length, 1, CUSTODY_ENTRIES_MAX, 'number of custody entries');
      const body = new Writer(count * CUSTODY_ENTRY_BYTES);
      for (const entry of section.entries) body.u16(entry.origin).u8(entry.session).u32(entry.counter);
      return body.finish();
    }
    case 'packet':
      checkPacket(section.packet, 'PACKET');
      return new Writer(1 + section.packet.length)
        .u8(section.hold ? HOLD_BIT : 0)
        .bytes(section.packet)
        .finish();
    case 'packetFor':
      checkPacket(section.packet, 'PACKET_FOR');
      return new Writer(2 + section.packet.length).u16(section.target).bytes(section.packet).finish();
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
