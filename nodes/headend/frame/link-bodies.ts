import { Reader, Writer } from '../bytes.ts';
import { codeOf, inRange, nameOf } from './fields.ts';
import { checkPacketLength, PACKET_BYTES_MAX } from './packet.ts';

/** The bodies of the small radio frames, types 4 to 8 (PROTOCOL.md, sections 2.4 to 2.8). */

const ROUTE_KINDS = [undefined, 'parentChanged', 'unreachable', 'newTree'] as const;
const DIRECTIONS = [undefined, 'up', 'down'] as const;
const JOIN_DIRECTIONS = [...DIRECTIONS, 'solicit'] as const;
const CHALLENGE_ASK = 1;
const CHALLENGE_ANSWER = 2;
const NONCE_BYTES = 8;
const FLOOD_HEAD_BYTES = 6;

export type Direction = NonNullable<(typeof DIRECTIONS)[number]>;

export interface Route {
  readonly hops: number;
  readonly kind: NonNullable<(typeof ROUTE_KINDS)[number]>;
  readonly node: number;
  /** The new parent, the unreachable hop, or 0. */
  readonly other: number;
  /** Of the sender's ROUTE frames; of `newTree` the tree that is wanted. */
  readonly number: number;
}

export interface Challenge {
  readonly nonce: Uint8Array;
  /** The sender's last link counter: in answers only. */
  readonly counter?: number;
}

export interface Join {
  /** `solicit`: the sender asks for beacons. */
  readonly direction: NonNullable<(typeof JOIN_DIRECTIONS)[number]>;
  /** A handshake; nothing when it solicits. */
  readonly packet: Uint8Array;
}

export interface Leave {
  readonly origin: number;
  readonly newHub: number;
  readonly number: number;
}

export interface Flood {
  readonly ttl: number;
  readonly origin: number;
  readonly number: number;
  readonly direction: Direction;
  readonly packet: Uint8Array;
}

export function decodeRoute(body: Uint8Array): Route {
  const reader = new Reader(body);
  const hops = reader.u8();
  const kind = nameOf(ROUTE_KINDS, reader.u8(), 'kind of ROUTE');
  const route = { hops, kind, node: reader.u16(), other: reader.u16(), number: reader.u16() };
  reader.end();
  return route;
}

export function encodeRoute(route: Route): Uint8Array {
  const kind = codeOf(ROUTE_KINDS, route.kind, 'kind of ROUTE');
  return new Writer(8).u8(route.hops).u8(kind).u16(route.node).u16(route.other).u16(route.number).finish();
}

export function decodeChallenge(body: Uint8Array): Challenge {
  const reader = new Reader(body);
  const kind = inRange(reader.u8(), CHALLENGE_ASK, CHALLENGE_ANSWER, 'kind of CHALLENGE');
  const nonce = reader.bytes(NONCE_BYTES);
  const challenge = kind === CHALLENGE_ANSWER ? { nonce, counter: reader.u32() } : { nonce };
  reader.end();
  return challenge;
}

export function encodeChallenge({ nonce, counter }: Challenge): Uint8Array {
  inRange(nonce.length, NONCE_BYTES, NONCE_BYTES, 'length of a nonce');
  const writer = new Writer(1 + NONCE_BYTES + 4);
  writer.u8(counter === undefined ? CHALLENGE_ASK : CHALLENGE_ANSWER).bytes(nonce);
  if (counter !== undefined) writer.u32(counter);
  return writer.finish();
}

export function decodeJoin(body: Uint8Array): Join {
  const reader = new Reader(body);
  const direction = nameOf(JOIN_DIRECTIONS, reader.u8(), 'direction');
  if (direction !== 'solicit') return { direction, packet: restAsPacket(reader) };
  reader.end();
  return { direction, packet: new Uint8Array(0) };
}

export function encodeJoin({ direction, packet }: Join): Uint8Array {
  if (direction === 'solicit') inRange(packet.length, 0, 0, 'length of what a solicitation carries');
  else checkPacketLength(packet.length);
  return new Writer(1 + PACKET_BYTES_MAX)
    .u8(codeOf(JOIN_DIRECTIONS, direction, 'direction'))
    .bytes(packet)
    .finish();
}

export function decodeLeave(body: Uint8Array): Leave {
  const reader = new Reader(body);
  const leave = { origin: reader.u16(), newHub: reader.u16(), number: reader.u16() };
  reader.end();
  return leave;
}

export function encodeLeave({ origin, newHub, number }: Leave): Uint8Array {
  return new Writer(6).u16(origin).u16(newHub).u16(number).finish();
}

export function decodeFlood(body: Uint8Array): Flood {
  const reader = new Reader(body);
  const head = { ttl: reader.u8(), origin: reader.u16(), number: reader.u16() };
  const direction = nameOf(DIRECTIONS, reader.u8(), 'direction');
  return { ...head, direction, packet: restAsPacket(reader) };
}

export function encodeFlood(flood: Flood): Uint8Array {
  checkPacketLength(flood.packet.length);
  return new Writer(FLOOD_HEAD_BYTES + PACKET_BYTES_MAX)
    .u8(flood.ttl)
    .u16(flood.origin)
    .u16(flood.number)
    .u8(codeOf(DIRECTIONS, flood.direction, 'direction'))
    .bytes(flood.packet)
    .finish();
}

function restAsPacket(reader: Reader): Uint8Array {
  checkPacketLength(reader.remaining);
  return reader.rest();
}
