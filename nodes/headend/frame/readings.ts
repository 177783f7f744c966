import { type Reader, Writer } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import { badField, codeOf, fixedHex, inRange, LOG_ID_BYTES, nameOf, readHex } from './fields.ts';
import { SECTION_BODY_BYTES_MAX } from './tlv.ts';

/** Most rows of a batch. */
export const BATCH_ROWS_MAX = 64;

const QUALITIES = ['good', 'clock', 'estimated'] as const;
/** good; clock: free-running for more than 24 h; estimated. */
export type Quality = (typeof QUALITIES)[number];

/** Registers in the order of their bits, with their ranges (PROTOCOL.md, "Registers"). What they mean stands in `metering/obis.ts`. */
export const REGISTERS = [
  { name: 'importDwh', min: 0, max: 2 ** 48 - 1 },
  { name: 'exportDwh', min: 0, max: 2 ** 48 - 1 },
  { name: 'powerDw', min: -(2 ** 31), max: 2 ** 31 - 1 },
  { name: 'voltageDv', min: 0, max: 0xffff },
  { name: 'currentCa', min: 0, max: 0xffff },
  { name: 'frequencyChz', min: 0, max: 0xffff },
  { name: 'powerFactorPct', min: -128, max: 127 },
] as const;

type Register = (typeof REGISTERS)[number];
export type RegisterName = Register['name'];

/** Integers in register units: 0.1 Wh, 0.1 W, 0.1 V, 0.01 A, 0.01 Hz, 0.01; absent registers are absent. */
export type RegisterValues = { readonly [Name in RegisterName]?: number };

/** A batch of evenly spaced rows (PROTOCOL.md, section 3.3). */
export interface Readings {
  /** 4 bytes, hex. */
  readonly logId: string;
  /** Oldest seq that is still in the log; first + number of rows when the log is empty. */
  readonly oldest: number;
  /** Seq of the first row. */
  readonly first: number;
  /** UTC in seconds at which the first row's interval ended. */
  readonly t0S: number;
  readonly intervalS: number;
  readonly quality: Quality;
  /** Registers of all rows, bit n as in REGISTERS. */
  readonly mask: number;
  readonly rows: readonly RegisterValues[];
}

const SEQ_MAX = 0xffff_ffff;
const MASK_MAX = 2 ** REGISTERS.length - 1;

/** Reads the body of a READINGS section, rows and all. */
export function decodeReadings(reader: Reader): Readings {
  const logId = readHex(reader, LOG_ID_BYTES);
  const oldest = inRange(reader.u32(), 1, SEQ_MAX, 'oldest seq');
  const first = inRange(reader.u32(), 1, SEQ_MAX, 'first seq');
  const t0S = reader.u32();
  const intervalS = inRange(reader.u16(), 1, 0xffff, 'interval');
  const count = inRange(reader.u8(), 0, BATCH_ROWS_MAX, 'number of rows');
  const quality = nameOf(QUALITIES, reader.u8(), 'quality');
  const mask = inRange(reader.u16(), 0, MASK_MAX, 'register mask');
  checkLastSeq(first, count);
  const rows = readRows(reader, mask, count);
  return { logId, oldest, first, t0S, intervalS, quality, mask, rows };
}

/** The body of a READINGS section; `badField` for values outside their ranges, `oversize` when the rows do not fit 255 bytes. */
export function encodeReadings(readings: Readings): Uint8Array {
  const { rows, mask } = readings;
  checkLastSeq(readings.first, rows.length);
  const writer = new Writer(SECTION_BODY_BYTES_MAX)
    .bytes(fixedHex(readings.logId, LOG_ID_BYTES, 'log id'))
    .u32(inRange(readings.oldest, 1, SEQ_MAX, 'oldest seq'))
    .u32(inRange(readings.first, 1, SEQ_MAX, 'first seq'))
    .u32(inRange(readings.t0S, 0, 0xffff_ffff, 'time of the first row'))
    .u16(inRange(readings.intervalS, 1, 0xffff, 'interval'))
    .u8(inRange(rows.length, 0, BATCH_ROWS_MAX, 'number of rows'))
    .u8(codeOf(QUALITIES, readings.quality, 'quality'))
    .u16(inRange(mask, 0, MASK_MAX, 'register mask'));
  writeRows(writer, mask, rows);
  return writer.finish();
}

/** The mask that names exactly the registers of a row. */
export function maskOf(values: RegisterValues): number {
  return REGISTERS.reduce((mask, { name }, bit) => (values[name] === undefined ? mask : mask | (1 << bit)), 0);
}

/** UTC in milliseconds at which the interval of row `index` ended. */
export function measuredAtMs(readings: Pick<Readings, 't0S' | 'intervalS'>, index: number): number {
  return (readings.t0S + index * readings.intervalS) * 1000;
}

const registersByMask = new Map<number, readonly Register[]>();

/** There are few masks: each one's registers are looked up once. */
function registersOf(mask: number): readonly Register[] {
  const known = registersByMask.get(mask);
  if (known) return known;
  const registers = REGISTERS.filter((_, bit) => (mask & (1 << bit)) !== 0);
  registersByMask.set(mask, registers);
  return registers;
}

function readRows(reader: Reader, mask: number, count: number): RegisterValues[] {
  const registers = registersOf(mask);
  const rows = new Array<RegisterValues>(count);
  let before: RegisterValues = {};
  for (let index = 0; index < count; index++) {
    const row: { [Name in RegisterName]?: number } = {};
    for (const { name, min, max } of registers) {
      row[name] = inRange((before[name] ?? 0) + reader.varint(), min, max, name);
    }
    rows[index] = row;
    before = row;
  }
  return rows;
}

function writeRows(writer: Writer, mask: number, rows: readonly RegisterValues[]): void {
  const registers = registersOf(mask);
  let before: RegisterValues = {};
  for (const row of rows) {
    if (maskOf(row) !== mask) throw badField('a row with the registers', maskOf(row));
    for (const { name, min, max } of registers) {
      writer.varint(inRange(row[name] as number, min, max, name) - (before[name] ?? 0));
    }
    before = row;
  }
}

function checkLastSeq(first: number, count: number): void {
  if (first + count - 1 > SEQ_MAX) {
    throw new WattmeshError('badField', `${count} rows from seq ${first} on go beyond the last seq`);
  }
}
