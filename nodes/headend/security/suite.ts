import type { M1Payload, M2Payload } from '../frame/handshake.ts';
import { encodePacketHeader, type Packet, type PacketHeader, type Suite } from '../frame/packet.ts';

/** A suite's name in messages. */
export type SuiteName = 'none' | 'ecc' | 'rsa';

/** Keys of a session, 32 bytes each: `up` seals the node's packets, `down` the head-end's. */
export interface SessionKeys {
  readonly up: Uint8Array;
  readonly down: Uint8Array;
}

/** What an engine needs of a session. */
export interface Keyed {
  /** Absent under suite 0x00, which has none. */
  readonly keys?: SessionKeys;
}

/** The answer to an M1. */
export interface HandshakeAnswer extends Keyed {
  /** The whole M2 packet. */
  readonly m2: Uint8Array;
}

/** An M1 that has verified. */
export interface Handshake {
  readonly suite: Suite;
  readonly nodeId: string;
  /** The node's full public key, 32 bytes. */
  readonly deviceKey: Uint8Array;
  readonly payload: M1Payload;
  /** M2 under owner epoch `epoch`, and the keys of the session that it begins. Each call begins another one, with keys of its own. */
  respond(answer: M2Payload, epoch: number): HandshakeAnswer;
}

/** What every suite does. Failures are `truncated`, `trailingBytes`, `badCrc` (suite 0x00), `badTag` or `badField`. */
export interface SuiteEngine {
  readonly name: SuiteName;
  /** The M1 that `packet` completes: itself, unless the suite sends its M1 in fragments. Undefined while a fragment is missing. */
  assemble(packet: Packet): Packet | undefined;
  /** Opens a whole M1. */
  openM1(packet: Packet): Handshake;
  /** The plaintext of a transport packet of `session`. */
  open(packet: Packet, session: Keyed): Uint8Array;
  /** A whole transport packet to the node of `session`. */
  seal(header: PacketHeader, session: Keyed, plaintext: Uint8Array): Uint8Array;
}

/** A handshake that a node has begun. */
export interface InitiatedHandshake {
  /** The packets of M1: one, or two fragments. */
  readonly m1: readonly Uint8Array[];
  /** Takes an M2; one that does not answer this M1 is an error and changes nothing. */
  readM2(packet: Packet): { readonly payload: M2Payload; readonly keys: SessionKeys };
}

/** Header of the M2 that answers an M1. */
export function m2Header({ suite, nodeId, counter }: PacketHeader, epoch: number): Uint8Array {
  return encodePacketHeader({ type: 'm2', suite, fragment: false, nodeId, session: 0, epoch, counter });
}
