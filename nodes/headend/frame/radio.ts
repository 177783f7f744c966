import { Reader, Writer } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import { type Beacon, decodeBeacon, encodeBeacon } from './beacon.ts';
import { type Data, decodeData, encodeData } from './data.ts';
import { inRange, NODE_ID_BYTES, namesOf, readType, typeByte } from './fields.ts';
import * as bodies from './link-bodies.ts';
import { decodeRouted, encodeRouted, type Routed } from './routed.ts';

/** Radio frames, PROTOCOL.md section 2. The link MAC is computed by the caller's HMAC: a codec knows no keys. */
export const FRAME_BYTES_MAX = 250;
export const LINK_HEADER_BYTES = 6;
export const LINK_MAC_BYTES = 8;
export const BODY_BYTES_MAX = FRAME_BYTES_MAX - LINK_HEADER_BYTES - LINK_MAC_BYTES;
/** `ff:ff:ff:ff:ff:ff`, the receiver of broadcasts. */
export const BROADCAST: Readonly<Uint8Array> = new Uint8Array(NODE_ID_BYTES).fill(0xff);

const KEY_ID_MAX = 15;

export const FRAME_TYPES = {
  beacon: 1,
  data: 2,
  routed: 3,
  route: 4,
  challenge: 5,
  join: 6,
  leave: 7,
  flood: 8,
} as const;
export type FrameType = keyof typeof FRAME_TYPES;

const FRAME_NAMES = namesOf(FRAME_TYPES);

/** A frame before its MAC. */
export interface UnsealedFrame {
  readonly type: FrameType;
  /** 0: the join key. */
  readonly keyId: number;
  readonly counter: number;
  readonly body: Uint8Array;
}

export interface Frame extends UnsealedFrame {
  /** First 8 bytes of the HMAC, not verified. */
  readonly mac: Uint8Array;
}

/** What the MAC covers beside the frame: the addresses of the 802.11 frame (6 bytes each) and the network. */
export interface LinkContext {
  readonly transmitter: Uint8Array;
  readonly receiver: Uint8Array;
  readonly networkNumber: number;
}

/** HMAC-SHA256 under a K_link, at least 8 bytes of it. */
export type LinkHmac = (message: Uint8Array) => Uint8Array;

/** A frame's body by its type. */
export type FrameBody =
  | ({ readonly type: 'beacon' } & Beacon)
  | ({ readonly type: 'data' } & Data)
  | ({ readonly type: 'routed' } & Routed)
  | ({ readonly type: 'route' } & bodies.Route)
  | ({ readonly type: 'challenge' } & bodies.Challenge)
  | ({ readonly type: 'join' } & bodies.Join)
  | ({ readonly type: 'leave' } & bodies.Leave)
  | ({ readonly type: 'flood' } & bodies.Flood);

/** Splits a frame into header, body and MAC. Verifies nothing: see `verifyFrame`. */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length > FRAME_BYTES_MAX) {
    throw new WattmeshError('oversize', `a frame has ${bytes.length} bytes: at most ${FRAME_BYTES_MAX} are allowed`);
  }
  const reader = new Reader(bytes);
  const type = readType(reader, FRAME_NAMES, 'frame');
  const keyId = reader.u8() >> 4;
  const counter = reader.u32();
  const bodyBytes = reader.remaining - LINK_MAC_BYTES;
  if (bodyBytes < 0) throw new WattmeshError('truncated', `a frame of ${bytes.length} bytes has no room for its MAC`);
  return { type, keyId, counter, body: reader.bytes(bodyBytes), mac: reader.bytes(LINK_MAC_BYTES) };
}

/** Header and body; `oversize` for a body of more than 236 bytes. */
export function encodeFrameUnsealed(frame: UnsealedFrame): Uint8Array {
  return new Writer(LINK_HEADER_BYTES + BODY_BYTES_MAX)
    .u8(typeByte(FRAME_TYPES[frame.type]))
    .u8(inRange(frame.keyId, 0, KEY_ID_MAX, 'key id') << 4)
    .u32(frame.counter)
    .bytes(frame.body)
    .finish();
}

/** The message of the link MAC: transmitter ‖ receiver ‖ network number ‖ header and body. */
export function macInput(
  transmitter: Uint8Array,
  receiver: Uint8Array,
  networkNumber: number,
  frameWithoutMac: Uint8Array,
): Uint8Array {
  return new Writer(2 * NODE_ID_BYTES + 4 + frameWithoutMac.length)
    .bytes(transmitter)
    .bytes(receiver)
    .u32(networkNumber)
    .bytes(frameWithoutMac)
    .finish();
}

/** Appends the link MAC to header and body. */
export function sealFrame(frameWithoutMac: Uint8Array, context: LinkContext, hmac: LinkHmac): Uint8Array {
  const mac = linkMac(frameWithoutMac, context, hmac);
  return new Writer(FRAME_BYTES_MAX).bytes(frameWithoutMac).bytes(mac).finish();
}

/** True when the last 8 bytes are the MAC of everything before them; compared in constant time. */
export function verifyFrame(bytes: Uint8Array, context: LinkContext, hmac: LinkHmac): boolean {
  const covered = bytes.length - LINK_MAC_BYTES;
  if (covered < LINK_HEADER_BYTES || bytes.length > FRAME_BYTES_MAX) return false;
  let difference = 0;
  for (const [index, byte] of linkMac(bytes.subarray(0, covered), context, hmac).entries()) {
    difference |= byte ^ (bytes[covered + index] ?? 0);
  }
  return difference === 0;
}

/** The fields of a frame's body. */
export function decodeFrameBody({ type, body }: Pick<UnsealedFrame, 'type' | 'body'>): FrameBody {
  switch (type) {
    case 'beacon':
      return { type, ...decodeBeacon(body) };
    case 'data':
      return { type, ...decodeData(body) };
    case 'routed':
      return { type, ...decodeRouted(body) };
    case 'route':
      return { type, ...bodies.decodeRoute(body) };
    case 'challenge':
      return { type, ...bodies.decodeChallenge(body) };
    case 'join':
      return { type, ...bodies.decodeJoin(body) };
    case 'leave':
      return { type, ...bodies.decodeLeave(body) };
    case 'flood':
      return { type, ...bodies.decodeFlood(body) };
  }
}

/** The bytes of a frame's body. */
export function encodeFrameBody(body: FrameBody): Uint8Array {
  switch (body.type) {
    case 'beacon':
      return encodeBeacon(body);
    case 'data':
      return encodeData(body, BODY_BYTES_MAX);
    case 'routed':
      return encodeRouted(body, BODY_BYTES_MAX);
    case 'route':
      return bodies.encodeRoute(body);
    case 'challenge':
      return bodies.encodeChallenge(body);
    case 'join':
      return bodies.encodeJoin(body);
    case 'leave':
      return bodies.encodeLeave(body);
    case 'flood':
      return bodies.encodeFlood(body);
  }
}

function linkMac(frameWithoutMac: Uint8Array, context: LinkContext, hmac: LinkHmac): Uint8Array {
  const { transmitter, receiver, networkNumber } = context;
  return hmac(macInput(transmitter, receiver, networkNumber, frameWithoutMac)).subarray(0, LINK_MAC_BYTES);
}
