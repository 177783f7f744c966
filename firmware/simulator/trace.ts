import { Reader, toHex } from '../../nodes/headend/bytes.ts';
import type { ReadingRow } from '../../nodes/headend/store/store.ts';

/** Events that the firmware reports to whoever runs it (firmware/lib/wattmesh/src/wattmesh/port.hpp). */

/** A row as its meter committed it, in register units; the device key is not part of it. */
export type MeterRow = Omit<ReadingRow, 'key'>;

export type Trace =
  | { readonly kind: 'rowCommitted'; readonly row: MeterRow }
  | { readonly kind: 'dropped'; readonly error: number }
  /** `parent`: short id, 0 for none. */
  | { readonly kind: 'parentChanged'; readonly parent: number; readonly cost: number; readonly hops: number }
  | { readonly kind: 'joined'; readonly shortId: number; readonly session: number }
  | { readonly kind: 'rowOverwritten'; readonly logId: string; readonly first: number; readonly last: number };

const LOG_ID_BYTES = 4;
const QUALITIES = ['good', 'clock', 'estimated'] as const;

/** The event behind a number and its bytes; undefined for a kind that a newer firmware may have. Throws `truncated` for a short body. */
export function decodeTrace(kind: number, body: Uint8Array): Trace | undefined {
  const reader = new Reader(body);
  switch (kind) {
    case 1:
      return { kind: 'rowCommitted', row: readRow(reader) };
    case 2:
      return { kind: 'dropped', error: reader.u16() };
    case 3:
      return { kind: 'parentChanged', parent: reader.u16(), cost: reader.u16(), hops: reader.u8() };
    case 4:
      return { kind: 'joined', shortId: reader.u16(), session: reader.u8() };
    case 5:
      return {
        kind: 'rowOverwritten',
        logId: toHex(reader.bytes(LOG_ID_BYTES)),
        first: reader.u32(),
        last: reader.u32(),
      };
    default:
      return undefined;
  }
}

function readRow(reader: Reader): MeterRow {
  const logId = toHex(reader.bytes(LOG_ID_BYTES));
  const seq = reader.u32();
  const measuredAtMs = reader.u32() * 1000;
  const intervalS = reader.u16();
  const quality = QUALITIES[reader.u8()] ?? 'estimated';
  const mask = reader.u16();
  const values = {
    importDwh: reader.u48(),
    exportDwh: reader.u48(),
    powerDw: reader.u32() | 0,
    voltageDv: reader.u16(),
    currentCa: reader.u16(),
    frequencyChz: reader.u16(),
    powerFactorPct: reader.i8(),
  };
  const held = Object.entries(values).filter((_, bit) => (mask & (1 << bit)) !== 0);
  return { logId, seq, measuredAtMs, intervalS, quality, ...Object.fromEntries(held) };
}
