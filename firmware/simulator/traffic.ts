import { PACKET_TYPES } from '../../nodes/headend/frame/packet.ts';
import { FRAME_TYPES, LINK_HEADER_BYTES, LINK_MAC_BYTES } from '../../nodes/headend/frame/radio.ts';
import type { Transmission } from './radio/station.ts';

/** Frames on air by what they are for. */
export interface FrameCounts {
  /** Packets on their way up. */
  data: number;
  beacon: number;
  poll: number;
  /** Custody and packets on their way down without a poll, and what keeps the way down known (ROUTE, LEAVE). */
  down: number;
  /** Handshakes and challenges. */
  join: number;
  /** Acknowledgements of the MAC. */
  ack: number;
}

const POLL_SECTION = 1;
/** Sections that hold a packet, with the bytes in front of it. */
const PACKET_SECTIONS: Readonly<Record<number, number>> = { 3: 1, 4: 2 };
/** First item of a DATA frame: behind the link header and the sender's cost. */
const ITEM = LINK_HEADER_BYTES + 2;
/** Packet of a FLOOD frame. */
const FLOOD_PACKET = LINK_HEADER_BYTES + 6;

/** Counts transmissions, repetitions included, once it is switched on. */
export class TrafficCounter {
  readonly counts: FrameCounts = { data: 0, beacon: 0, poll: 0, down: 0, join: 0, ack: 0 };
  on = false;

  observe({ kind, bytes }: Transmission): void {
    if (!this.on) return;
    this.counts[kind === 'ack' || !bytes ? 'ack' : purposeOf(bytes)]++;
  }

  /** All frames but acknowledgements of the MAC. */
  get frames(): number {
    const { data, beacon, poll, down, join } = this.counts;
    return data + beacon + poll + down + join;
  }
}

function purposeOf(frame: Uint8Array): Exclude<keyof FrameCounts, 'ack'> {
  switch ((frame[0] ?? 0) & 0x0f) {
    case FRAME_TYPES.beacon:
      return 'beacon';
    case FRAME_TYPES.data:
      return carriesM1(frame) ? 'join' : 'data';
    case FRAME_TYPES.routed:
      return purposeOfRouted(frame);
    case FRAME_TYPES.route:
    case FRAME_TYPES.leave:
      return 'down';
    case FRAME_TYPES.flood:
      return purposeOfFlood(frame);
    case FRAME_TYPES.challenge:
    case FRAME_TYPES.join:
      return 'join';
    default:
      return 'data';
  }
}

/** Looks at the first item of a DATA frame (PROTOCOL.md, section 2.2). */
function carriesM1(frame: Uint8Array): boolean {
  const head = frame[ITEM] ?? 0;
  const routeBytes = 2 * (head & 0x1f);
  const pollBytes = (head & 0x40) === 0 ? 0 : 2;
  const packetBytes = frame[ITEM + 1] ?? 0;
  return packetBytes > 0 && packetType(frame, ITEM + 2 + routeBytes + pollBytes) === PACKET_TYPES.m1;
}

/** Looks at the sections of a ROUTED frame (PROTOCOL.md, section 2.3). */
function purposeOfRouted(frame: Uint8Array): 'poll' | 'join' | 'down' {
  const hops = frame[LINK_HEADER_BYTES] ?? 0;
  const end = frame.length - LINK_MAC_BYTES;
  let purpose: 'join' | 'down' = 'down';
  for (let at = LINK_HEADER_BYTES + 2 + 2 * hops; at + 1 < end; at += 2 + (frame[at + 1] ?? 0)) {
    if (frame[at] === POLL_SECTION) return 'poll';
    const head = PACKET_SECTIONS[frame[at] ?? 0];
    if (head !== undefined && packetType(frame, at + 2 + head) === PACKET_TYPES.m2) purpose = 'join';
  }
  return purpose;
}

/** Looks at direction and packet of a FLOOD frame (PROTOCOL.md, section 2.8). */
function purposeOfFlood(frame: Uint8Array): 'data' | 'join' | 'down' {
  const type = packetType(frame, FLOOD_PACKET);
  if (type === PACKET_TYPES.m1 || type === PACKET_TYPES.m2) return 'join';
  return type === PACKET_TYPES.up ? 'data' : 'down';
}

function packetType(frame: Uint8Array, at: number): number {
  return (frame[at] ?? 0) & 0x0f;
}
