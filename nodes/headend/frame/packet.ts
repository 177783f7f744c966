import { Reader, Writer } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import { crc32 } from './crc.ts';
import { badField, fixedHex, inRange, NODE_ID_BYTES, namesOf, readHex, readType, typeByte } from './fields.ts';

/** End-to-end packets, PROTOCOL.md section 3: what a node and the head-end say to each other; nobody between them can read or forge it. */
export const PACKET_BYTES_MIN = 13;
export const PACKET_BYTES_MAX = 212;
export const UP_HEADER_BYTES = 13;
export const DOWN_HEADER_BYTES = 17;

export const SUITE_NONE = 0x00;
export const SUITE_ECC = 0x01;
export const SUITE_RSA = 0x10;
export type Suite = typeof SUITE_NONE | typeof SUITE_ECC | typeof SUITE_RSA;

/** Bytes of the tag that ends a transport packet. */
export const TAG_BYTES: Readonly<Record<Suite, number>> = { [SUITE_NONE]: 4, [SUITE_ECC]: 16, [SUITE_RSA]: 16 };

export const PACKET_TYPES = { m1: 1, m2: 2, up: 3, down: 4 } as const;
export type PacketType = keyof typeof PACKET_TYPES;

const PACKET_NAMES = namesOf(PACKET_TYPES);
const SUITE_BITS = 0x1f;
const FRAGMENT_BIT = 0x20;

/** The fields of a packet's header. */
export interface PacketHeader {
  readonly type: PacketType;
  readonly suite: Suite;
  /** One of two parts of an M1 of suite 0x10. */
  readonly fragment: boolean;
  /** Of the node at the other end of the head-end, in both directions; hex. */
  readonly nodeId: string;
  /** 0 in handshakes. */
  readonly session: number;
  /** The head-end's owner epoch; in `m2` and `down` only. */
  readonly epoch?: number;
  /** Of the session; in handshakes the handshake number. */
  readonly counter: number;
}

export interface Packet extends PacketHeader {
  /** The header as it came, 13 or 17 bytes: it is the associated data. */
  readonly header: Uint8Array;
  /** Everything after the header, the tag included. */
  readonly body: Uint8Array;
}

/** Throws `truncated` or `oversize` unless an end-to-end packet can have `length` bytes. */
export function checkPacketLength(length: number): void {
  if (length < PACKET_BYTES_MIN) {
    throw new WattmeshError('truncated', `a packet has ${length} bytes: at least ${PACKET_BYTES_MIN} are needed`);
  }
  if (length > PACKET_BYTES_MAX) {
    throw new WattmeshError('oversize', `a packet has ${length} bytes: at most ${PACKET_BYTES_MAX} are allowed`);
  }
}

/** Splits a copy of a packet behind its header. Verifies nothing: see `security/`. */
export function decodePacket(bytes: Uint8Array): Packet {
  checkPacketLength(bytes.length);
  const reader = new Reader(bytes);
  const type = readType(reader, PACKET_NAMES, 'packet');
  const flags = reader.u8();
  const suite = suiteOf(flags & SUITE_BITS);
  const fragment = (flags & FRAGMENT_BIT) !== 0;
  if (fragment && suite !== SUITE_RSA) throw badField('fragment of suite', suite);
  const nodeId = readHex(reader, NODE_ID_BYTES);
  const session = reader.u8();
  const epoch = isDown(type) ? reader.u32() : undefined;
  const counter = reader.u32();
  checkSession(type, session);
  // One copy, out of Node's pool: two of their own would cost more than all the rest.
  const { buffer, byteOffset } = Buffer.from(bytes);
  const headerLength = bytes.length - reader.remaining;
  const header = new Uint8Array(buffer, byteOffset, headerLength);
  const body = new Uint8Array(buffer, byteOffset + headerLength, reader.remaining);
  const packet = { type, suite, fragment, nodeId, session, counter, header, body };
  return epoch === undefined ? packet : { ...packet, epoch };
}

/** The 13 (up) or 17 (down) bytes in front of a packet's body; `badField` for a field that its type cannot have. */
export function encodePacketHeader(header: PacketHeader): Uint8Array {
  const down = isDown(header.type);
  if (down !== (header.epoch !== undefined)) throw badField('epoch', `in a packet of type ${header.type}`);
  if (header.fragment && header.suite !== SUITE_RSA) throw badField('fragment of suite', header.suite);
  checkSession(header.type, header.session);
  const writer = new Writer(DOWN_HEADER_BYTES)
    .u8(typeByte(PACKET_TYPES[header.type]))
    .u8(header.suite | (header.fragment ? FRAGMENT_BIT : 0))
    .bytes(fixedHex(header.nodeId, NODE_ID_BYTES, 'node id'))
    .u8(inRange(header.session, 0, 255, 'session'));
  if (header.epoch !== undefined) writer.u32(inRange(header.epoch, 0, 0xffff_ffff, 'epoch'));
  return writer.u32(inRange(header.counter, 0, 0xffff_ffff, 'counter')).finish();
}

/** Suite 0x00: header ‖ plaintext ‖ CRC-32 of both. */
export function sealPlain(header: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const crc = crc32(plaintext, crc32(header));
  return new Writer(PACKET_BYTES_MAX).bytes(header).bytes(plaintext).u32(crc).finish();
}

/** Suite 0x00: the plaintext of a packet whose CRC-32 matches; otherwise `truncated` or `badCrc`. */
export function openPlain(packet: Pick<Packet, 'header' | 'body'>): Uint8Array {
  const { header, body } = packet;
  const length = body.length - TAG_BYTES[SUITE_NONE];
  if (length < 0)
    throw new WattmeshError('truncated', `a packet's body of ${body.length} bytes has no room for its CRC`);
  const reader = new Reader(body);
  const plaintext = reader.bytes(length);
  if (reader.u32() !== crc32(plaintext, crc32(header))) {
    throw new WattmeshError('badCrc', "the packet's CRC does not match its bytes");
  }
  return plaintext;
}

function isDown(type: PacketType): boolean {
  return type === 'm2' || type === 'down';
}

function suiteOf(number: number): Suite {
  if (number === SUITE_NONE || number === SUITE_ECC || number === SUITE_RSA) return number;
  throw badField('suite', number);
}

function checkSession(type: PacketType, session: number): void {
  if ((type === 'm1' || type === 'm2') && session !== 0) throw badField('session of a handshake', session);
}
