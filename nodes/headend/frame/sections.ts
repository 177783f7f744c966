import { Reader, Writer } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import {
  badField,
  codeOf,
  fixedHex,
  i16,
  inRange,
  LOG_ID_BYTES,
  NETWORK_KEY_BYTES,
  nameOf,
  RESET_CAUSES,
  type ResetCause,
  readHex,
} from './fields.ts';
import { PACKET_BYTES_MAX, UP_HEADER_BYTES } from './packet.ts';
import { decodeReadings, encodeReadings, type Readings } from './readings.ts';
import { readSections, type SectionDecoder, type UnknownSection, writeSection } from './tlv.ts';

/** The plaintext of transport packets, PROTOCOL.md section 3.2. */

/** Most ranges of an ACK. */
export const ACK_RANGES_MAX = 4;
/** Most bytes of a RESULT's data and of a COMMAND's arguments. */
export const COMMAND_BYTES_MAX = 32;
/** Numbers of the operations that a COMMAND may ask for; a node answers `unknownOperation` to others. */
export const OPERATIONS = {
  pollNow: 1,
  setInterval: 2,
  identify: 3,
  reboot: 4,
  rekey: 5,
  relayPrepare: 16,
  relayCommit: 17,
} as const;

const OUTCOMES = ['done', 'prepared', 'refused', 'expired', 'unknownOperation', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

const UP_CODES = {
  readings: 0x01,
  telemetry: 0x02,
  echo: 0x03,
  result: 0x04,
  probe: 0x05,
  event: 0x06,
  lost: 0x07,
} as const;
const DOWN_CODES = { ack: 0x81, command: 0x82, netkey: 0x83, eventSeen: 0x84 } as const;
const PLAINTEXT_BYTES_MAX = PACKET_BYTES_MAX - UP_HEADER_BYTES;
const BATTERY_NONE = 65_535;
const RAM_UNKNOWN = 0;
const KEY_ID_MAX = 15;
const SEQ_MAX = 0xffff_ffff;

export interface Telemetry {
  readonly kind: 'telemetry';
  readonly shortId: number;
  /** Short id; 0: none. */
  readonly parent: number;
  readonly parentRssiDbm: number;
  /** ETX of the link to the parent, in 1/128. */
  readonly etx: number;
  /** Additive ETX to the gateway, in 1/128. */
  readonly cost: number;
  readonly hops: number;
  readonly queue: number;
  readonly bootCount: number;
  readonly resetCause: ResetCause;
  /** Absent: the node has no battery. */
  readonly batteryMv?: number;
  /** Absent: unknown. */
  readonly freeRamBytes?: number;
  readonly uptimeS: number;
}

/** Rows `first` to `last` of a log that its meter can no longer read: they never come. */
export interface Lost {
  readonly kind: 'lost';
  /** 4 bytes, hex. */
  readonly logId: string;
  readonly first: number;
  readonly last: number;
}

interface EventBody {
  readonly code: number;
  readonly utcMs: number;
  readonly value: number;
}
/** Something that happened at a device, which it tells at once. */
export type EventSection = { readonly kind: 'event' } & EventBody;

export type ReadingsSection = { readonly kind: 'readings' } & Readings;

type KnownUp =
  | ReadingsSection
  | Telemetry
  /** Of the highest downlink that the node accepted. */
  | { readonly kind: 'echo'; readonly epoch: number; readonly counter: number }
  | { readonly kind: 'result'; readonly command: number; readonly outcome: Outcome; readonly data: Uint8Array }
  | { readonly kind: 'probe' }
  | EventSection
  | Lost;

/** Inclusive [first, last] of seqs. */
export type AckRange = readonly [first: number, last: number];

export interface Ack {
  readonly kind: 'ack';
  /** 4 bytes, hex. */
  readonly logId: string;
  /** Every seq up to this one is durable, or a recorded gap. */
  readonly cumulative: number;
  readonly utcMs: number;
  /** Durable above cumulative + 1: ascending, disjoint. */
  readonly ranges: readonly AckRange[];
}

type KnownDown =
  | Ack
  /** `operation`: see OPERATIONS. */
  | { readonly kind: 'command'; readonly command: number; readonly operation: number; readonly arguments: Uint8Array }
  | { readonly kind: 'netkey'; readonly keyId: number; readonly networkKey: Uint8Array; readonly untilUseS: number }
  /** The event that came with these fields is known. */
  | ({ readonly kind: 'eventSeen' } & EventBody);

export type UpSection = KnownUp | UnknownSection;
export type DownSection = KnownDown | UnknownSection;

const UP_DECODERS: Readonly<Record<number, SectionDecoder<KnownUp>>> = {
  [UP_CODES.readings]: readingsSection,
  [UP_CODES.telemetry]: decodeTelemetry,
  [UP_CODES.echo]: (body) => ({ kind: 'echo', epoch: body.u32(), counter: body.u32() }),
  [UP_CODES.result]: (body) => {
    const command = body.u16();
    const outcome = nameOf(OUTCOMES, body.u8(), 'outcome');
    return { kind: 'result', command, outcome, data: commandBytes(body.rest()) };
  },
  [UP_CODES.probe]: () => ({ kind: 'probe' }),
  [UP_CODES.event]: (body) => ({ kind: 'event', ...decodeEventBody(body) }),
  [UP_CODES.lost]: decodeLost,
};

const DOWN_DECODERS: Readonly<Record<number, SectionDecoder<KnownDown>>> = {
  [DOWN_CODES.ack]: decodeAck,
  [DOWN_CODES.command]: (body) => ({
    kind: 'command',
    command: body.u16(),
    operation: body.u8(),
    arguments: commandBytes(body.rest()),
  }),
  [DOWN_CODES.netkey]: (body) => ({
    kind: 'netkey',
    keyId: inRange(body.u8(), 1, KEY_ID_MAX, 'key id'),
    networkKey: body.bytes(NETWORK_KEY_BYTES),
    untilUseS: body.u32(),
  }),
  [DOWN_CODES.eventSeen]: (body) => ({ kind: 'eventSeen', ...decodeEventBody(body) }),
};

/** Sections of a packet from a node, unknown ones included. One malformed section makes the packet malformed as a whole. */
export function decodeUpSections(plaintext: Uint8Array): UpSection[] {
  return readSections(new Reader(plaintext), UP_DECODERS);
}

/** Sections of a packet to a node; the rules of `decodeUpSections`. */
export function decodeDownSections(plaintext: Uint8Array): DownSection[] {
  return readSections(new Reader(plaintext), DOWN_DECODERS);
}

/** The plaintext of a packet to the head-end; `oversize` when it does not fit a packet. */
export function encodeUpSections(sections: readonly UpSection[]): Uint8Array {
  const writer = new Writer(PLAINTEXT_BYTES_MAX);
  for (const section of sections) {
    if (section.kind === 'unknown') writeSection(writer, section.code, section.body);
    else writeSection(writer, UP_CODES[section.kind], encodeUpBody(section));
  }
  return writer.finish();
}

/** The plaintext of a packet to a node; `oversize` when it does not fit a packet. */
export function encodeDownSections(sections: readonly DownSection[]): Uint8Array {
  const writer = new Writer(PLAINTEXT_BYTES_MAX);
  for (const section of sections) {
    if (section.kind === 'unknown') writeSection(writer, section.code, section.body);
    else writeSection(writer, DOWN_CODES[section.kind], encodeDownBody(section));
  }
  return writer.finish();
}

function encodeUpBody(section: KnownUp): Uint8Array {
  switch (section.kind) {
    case 'readings':
      return encodeReadings(section);
    case 'telemetry':
      return encodeTelemetry(section);
    case 'echo':
      return new Writer(8).u32(section.epoch).u32(section.counter).finish();
    case 'result': {
      const writer = new Writer(3 + COMMAND_BYTES_MAX).u16(section.command);
      return writer
        .u8(codeOf(OUTCOMES, section.outcome, 'outcome'))
        .bytes(commandBytes(section.data))
        .finish();
    }
    case 'probe':
      return new Uint8Array(0);
    case 'event':
      return encodeEventBody(section);
    case 'lost':
      return encodeLost(section);
  }
}

function encodeDownBody(section: KnownDown): Uint8Array {
  switch (section.kind) {
    case 'ack':
      return encodeAck(section);
    case 'command': {
      const writer = new Writer(3 + COMMAND_BYTES_MAX).u16(section.command).u8(section.operation);
      return writer.bytes(commandBytes(section.arguments)).finish();
    }
    case 'netkey': {
      inRange(section.networkKey.length, NETWORK_KEY_BYTES, NETWORK_KEY_BYTES, 'length of a network key');
      const writer = new Writer(1 + NETWORK_KEY_BYTES + 4).u8(inRange(section.keyId, 1, KEY_ID_MAX, 'key id'));
      return writer.bytes(section.networkKey).u32(section.untilUseS).finish();
    }
    case 'eventSeen':
      return encodeEventBody(section);
  }
}

/** Field by field: this is read more often than anything else, and spreading would cost more than decoding. */
function readingsSection(body: Reader): ReadingsSection {
  const { logId, oldest, first, t0S, intervalS, quality, mask, rows } = decodeReadings(body);
  return { kind: 'readings', logId, oldest, first, t0S, intervalS, quality, mask, rows };
}

function decodeTelemetry(body: Reader): Telemetry {
  const fields = {
    kind: 'telemetry' as const,
    shortId: body.u16(),
    parent: body.u16(),
    parentRssiDbm: body.i8(),
    etx: body.u16(),
    cost: body.u16(),
    hops: body.u8(),
    queue: body.u8(),
    bootCount: body.u16(),
    resetCause: nameOf(RESET_CAUSES, body.u8(), 'reset cause'),
  };
  const batteryMv = body.u16();
  const freeRamBytes = body.u32();
  return {
    ...fields,
    ...(batteryMv === BATTERY_NONE ? {} : { batteryMv }),
    ...(freeRamBytes === RAM_UNKNOWN ? {} : { freeRamBytes }),
    uptimeS: body.u32(),
  };
}

function encodeTelemetry(telemetry: Telemetry): Uint8Array {
  return new Writer(24)
    .u16(telemetry.shortId)
    .u16(telemetry.parent)
    .i8(telemetry.parentRssiDbm)
    .u16(telemetry.etx)
    .u16(telemetry.cost)
    .u8(telemetry.hops)
    .u8(telemetry.queue)
    .u16(telemetry.bootCount)
    .u8(codeOf(RESET_CAUSES, telemetry.resetCause, 'reset cause'))
    .u16(telemetry.batteryMv ?? BATTERY_NONE)
    .u32(telemetry.freeRamBytes ?? RAM_UNKNOWN)
    .u32(telemetry.uptimeS)
    .finish();
}

function decodeEventBody(body: Reader): EventBody {
  return { code: body.u8(), utcMs: body.u48(), value: i16(body.u16()) };
}

function encodeEventBody({ code, utcMs, value }: EventBody): Uint8Array {
  return new Writer(9)
    .u8(code)
    .u48(utcMs)
    .u16(value & 0xffff)
    .finish();
}

function decodeLost(body: Reader): Lost {
  const logId = readHex(body, LOG_ID_BYTES);
  const first = inRange(body.u32(), 1, SEQ_MAX, 'first lost seq');
  return { kind: 'lost', logId, first, last: inRange(body.u32(), first, SEQ_MAX, 'last lost seq') };
}

function encodeLost({ logId, first, last }: Lost): Uint8Array {
  return new Writer(12)
    .bytes(fixedHex(logId, LOG_ID_BYTES, 'log id'))
    .u32(inRange(first, 1, SEQ_MAX, 'first lost seq'))
    .u32(inRange(last, first, SEQ_MAX, 'last lost seq'))
    .finish();
}

function decodeAck(body: Reader): Ack {
  const logId = readHex(body, LOG_ID_BYTES);
  const cumulative = body.u32();
  const utcMs = body.u64();
  const count = inRange(body.u8(), 0, ACK_RANGES_MAX, 'number of ranges');
  const ranges = Array.from({ length: count }, (): AckRange => [body.u32(), body.u32()]);
  checkRanges(cumulative, ranges);
  return { kind: 'ack', logId, cumulative, utcMs, ranges };
}

function encodeAck(ack: Ack): Uint8Array {
  inRange(ack.ranges.length, 0, ACK_RANGES_MAX, 'number of ranges');
  checkRanges(ack.cumulative, ack.ranges);
  const writer = new Writer(17 + 8 * ACK_RANGES_MAX)
    .bytes(fixedHex(ack.logId, LOG_ID_BYTES, 'log id'))
    .u32(inRange(ack.cumulative, 0, 0xffff_ffff, 'cumulative seq'))
    .u64(ack.utcMs)
    .u8(ack.ranges.length);
  for (const [first, last] of ack.ranges) writer.u32(first).u32(last);
  return writer.finish();
}

function checkRanges(cumulative: number, ranges: readonly AckRange[]): void {
  let below = cumulative + 1;
  for (const [first, last] of ranges) {
    if (first <= below || last < first) throw badField('range', `${first}..${last} above ${below}`);
    below = last;
  }
}

function commandBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= COMMAND_BYTES_MAX) return bytes;
  throw new WattmeshError('badLength', `${bytes.length} bytes of a command: at most ${COMMAND_BYTES_MAX} are allowed`);
}
