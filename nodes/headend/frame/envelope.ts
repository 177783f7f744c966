import { Reader, Writer } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import { decodeItem, encodeItem, type Item } from './data.ts';
import {
  codeOf,
  fixedHex,
  inRange,
  NODE_ID_BYTES,
  nameOf,
  namesOf,
  ROLES,
  type Role,
  readFirmware,
  readHex,
  readType,
  typeByte,
  writeFirmware,
} from './fields.ts';
import { checkPacketLength } from './packet.ts';
import { ENVELOPE_BYTES_MAX } from './slip.ts';

/** Envelopes between gateway and host, PROTOCOL.md section 5; the same over serial and MQTT. */
export { ENVELOPE_BYTES_MAX };
/** Most up numbers in one UP_ACK. */
export const UP_ACK_NUMBERS_MAX = 32;
/** Most bytes of a LOG text in UTF-8. */
export const LOG_TEXT_BYTES_MAX = 200;

const INSTANCE_ID_BYTES = 8;
const HOLD_BIT = 1;
const LOG_LEVELS = [undefined, 'error', 'warning', 'info'] as const;

export const ENVELOPE_TYPES = {
  hello: 1,
  up: 2,
  upAck: 3,
  down: 4,
  downResult: 5,
  time: 6,
  stats: 7,
  log: 8,
} as const;
export type EnvelopeType = keyof typeof ENVELOPE_TYPES;

const ENVELOPE_NAMES = namesOf(ENVELOPE_TYPES);

/** A gateway's counters since its start. */
export interface GatewayStats {
  readonly uptimeS: number;
  readonly framesReceived: number;
  readonly framesSent: number;
  readonly sendsFailed: number;
  readonly badMac: number;
  readonly replays: number;
  readonly malformed: number;
  readonly queueFull: number;
  readonly queue: number;
  readonly members: number;
  readonly neighbours: number;
}

/** What a gateway says of itself. */
export interface GatewayHello {
  /** 6 bytes, hex. */
  readonly nodeId: string;
  readonly shortId: number;
  /** `major.minor.patch`. */
  readonly firmware: string;
  readonly role: Role;
  /** Drawn at each start. */
  readonly bootId: number;
  readonly networkNumber: number;
  /** Most UP envelopes that it sends without an acknowledgement. */
  readonly window: number;
}

/** From a gateway to the host. */
export type Envelope =
  | ({ readonly type: 'hello' } & GatewayHello)
  | {
      readonly type: 'up';
      readonly number: number;
      /** 0: the gateway's own packet. */
      readonly rssiDbm: number;
      /** 0: unknown. */
      readonly utcMs: number;
      readonly item: Item;
    }
  /** `error`: a number of the closed set; 0: handed to the radio or held. */
  | { readonly type: 'downResult'; readonly token: number; readonly error: number }
  | ({ readonly type: 'stats' } & GatewayStats)
  | { readonly type: 'log'; readonly level: NonNullable<(typeof LOG_LEVELS)[number]>; readonly text: string };

/** From the host to a gateway. */
export type HostEnvelope =
  /** `instanceId`: 8 bytes, hex. */
  | { readonly type: 'hello'; readonly instanceId: string; readonly networkNumber: number }
  | { readonly type: 'upAck'; readonly numbers: readonly number[] }
  | {
      readonly type: 'down';
      readonly token: number;
      /** UTC in seconds. */
      readonly expiresS: number;
      /** A hub on the way keeps the packet until it next polls the target. */
      readonly hold: boolean;
      readonly packet: Uint8Array;
    }
  | { readonly type: 'time'; readonly utcMs: number; readonly synchronised: boolean };

/** One whole envelope from a gateway; an envelope that only hosts send is `unknownType`. */
export function decodeGatewayEnvelope(bytes: Uint8Array): Envelope {
  return decodeWhole(bytes, readFromGateway);
}

function readFromGateway(type: EnvelopeType, reader: Reader): Envelope {
  switch (type) {
    case 'hello':
      return { type, ...readHello(reader) };
    case 'up':
      return { type, number: reader.u32(), rssiDbm: reader.i8(), utcMs: reader.u48(), item: decodeItem(reader) };
    case 'downResult':
      return { type, token: reader.u32(), error: reader.u16() };
    case 'stats':
      return { type, ...readStats(reader) };
    case 'log':
      return { type, level: nameOf(LOG_LEVELS, reader.u8(), 'log level'), text: readText(reader) };
    default:
      throw notFrom('gateway', type);
  }
}

/** One whole envelope from the host; an envelope that only gateways send is `unknownType`. */
export function decodeHostEnvelope(bytes: Uint8Array): HostEnvelope {
  return decodeWhole(bytes, (type, reader) => {
    switch (type) {
      case 'hello':
        return { type, instanceId: readHex(reader, INSTANCE_ID_BYTES), networkNumber: reader.u32() };
      case 'upAck': {
        const count = inRange(reader.u8(), 1, UP_ACK_NUMBERS_MAX, 'number of up numbers');
        return { type, numbers: Array.from({ length: count }, () => reader.u32()) };
      }
      case 'down': {
        const head = { token: reader.u32(), expiresS: reader.u32(), hold: (reader.u8() & HOLD_BIT) !== 0 };
        checkPacketLength(reader.remaining);
        return { type, ...head, packet: reader.rest() };
      }
      case 'time':
        return { type, utcMs: reader.u64(), synchronised: inRange(reader.u8(), 0, 1, 'synchronised') === 1 };
      default:
        throw notFrom('host', type);
    }
  });
}

export function encodeGatewayEnvelope(envelope: Envelope): Uint8Array {
  const writer = begin(envelope.type);
  switch (envelope.type) {
    case 'hello':
      writeHello(writer, envelope);
      break;
    case 'up':
      writer.u32(envelope.number).i8(envelope.rssiDbm).u48(envelope.utcMs).bytes(encodeItem(envelope.item));
      break;
    case 'downResult':
      writer.u32(envelope.token).u16(envelope.error);
      break;
    case 'stats':
      writeStats(writer, envelope);
      break;
    case 'log':
      writer.u8(codeOf(LOG_LEVELS, envelope.level, 'log level')).bytes(textBytes(envelope.text));
      break;
  }
  return writer.finish();
}

export function encodeHostEnvelope(envelope: HostEnvelope): Uint8Array {
  const writer = begin(envelope.type);
  switch (envelope.type) {
    case 'hello':
      writer.bytes(fixedHex(envelope.instanceId, INSTANCE_ID_BYTES, 'instance id')).u32(envelope.networkNumber);
      break;
    case 'upAck':
      writer.u8(inRange(envelope.numbers.length, 1, UP_ACK_NUMBERS_MAX, 'number of up numbers'));
      for (const number of envelope.numbers) writer.u32(number);
      break;
    case 'down':
      checkPacketLength(envelope.packet.length);
      writer
        .u32(envelope.token)
        .u32(envelope.expiresS)
        .u8(envelope.hold ? HOLD_BIT : 0)
        .bytes(envelope.packet);
      break;
    case 'time':
      writer.u64(envelope.utcMs).u8(envelope.synchronised ? 1 : 0);
      break;
  }
  return writer.finish();
}

function begin(type: EnvelopeType): Writer {
  return new Writer(ENVELOPE_BYTES_MAX).u8(typeByte(ENVELOPE_TYPES[type]));
}

function decodeWhole<T>(bytes: Uint8Array, decode: (type: EnvelopeType, reader: Reader) => T): T {
  if (bytes.length > ENVELOPE_BYTES_MAX) {
    throw new WattmeshError(
      'oversize',
      `an envelope has ${bytes.length} bytes: at most ${ENVELOPE_BYTES_MAX} are allowed`,
    );
  }
  const reader = new Reader(bytes);
  const envelope = decode(readType(reader, ENVELOPE_NAMES, 'envelope'), reader);
  reader.end();
  return envelope;
}

function notFrom(sender: 'gateway' | 'host', type: EnvelopeType): WattmeshError {
  return new WattmeshError(
    'unknownType',
    `a ${sender} does not send envelopes of type ${ENVELOPE_TYPES[type]} (${type})`,
  );
}

function readHello(reader: Reader): GatewayHello {
  return {
    nodeId: readHex(reader, NODE_ID_BYTES),
    shortId: reader.u16(),
    firmware: readFirmware(reader),
    role: nameOf(ROLES, reader.u8(), 'role'),
    bootId: reader.u32(),
    networkNumber: reader.u32(),
    window: reader.u8(),
  };
}

function writeHello(writer: Writer, hello: GatewayHello): void {
  writer.bytes(fixedHex(hello.nodeId, NODE_ID_BYTES, 'node id')).u16(hello.shortId);
  writeFirmware(writer, hello.firmware);
  writer
    .u8(codeOf(ROLES, hello.role, 'role'))
    .u32(hello.bootId)
    .u32(hello.networkNumber)
    .u8(hello.window);
}

function readStats(reader: Reader): GatewayStats {
  return {
    uptimeS: reader.u32(),
    framesReceived: reader.u32(),
    framesSent: reader.u32(),
    sendsFailed: reader.u32(),
    badMac: reader.u32(),
    replays: reader.u32(),
    malformed: reader.u32(),
    queueFull: reader.u32(),
    queue: reader.u16(),
    members: reader.u16(),
    neighbours: reader.u16(),
  };
}

function writeStats(writer: Writer, stats: GatewayStats): void {
  writer
    .u32(stats.uptimeS)
    .u32(stats.framesReceived)
    .u32(stats.framesSent)
    .u32(stats.sendsFailed)
    .u32(stats.badMac)
    .u32(stats.replays)
    .u32(stats.malformed)
    .u32(stats.queueFull)
    .u16(stats.queue)
    .u16(stats.members)
    .u16(stats.neighbours);
}

function readText(reader: Reader): string {
  const bytes = checkTextLength(reader.rest());
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new WattmeshError('badField', 'the text of a LOG is not UTF-8', { cause: error });
  }
}

function textBytes(text: string): Uint8Array {
  return checkTextLength(new TextEncoder().encode(text));
}

function checkTextLength(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= LOG_TEXT_BYTES_MAX) return bytes;
  throw new WattmeshError(
    'oversize',
    `a LOG text has ${bytes.length} bytes: at most ${LOG_TEXT_BYTES_MAX} are allowed`,
  );
}
