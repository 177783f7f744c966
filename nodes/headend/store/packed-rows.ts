import { qualities, registerFields } from './row-content.ts';
import type { ReadingRow } from './store.ts';

/** Position of a row's cells in `PackedRows.cells`; the registers follow from REGISTERS_AT on in the order of `registerFields`. */
export const cell = { log: 0, seq: 1, measuredAtMs: 2, intervalS: 3, quality: 4 } as const;
export const REGISTERS_AT = 5;
export const CELLS_PER_ROW = REGISTERS_AT + registerFields.length;

/** Rows as one array of numbers, cheap to hand to another thread. All integers are safe ones, so nothing is rounded; NaN: absent. */
export interface PackedRows {
  /** Logs in use: [key, logId]; `cell.log` is an index here. */
  readonly logs: readonly (readonly [string, string])[];
  readonly cells: Float64Array<ArrayBuffer>;
}

/** Packs rows that passed `checkGroup`. */
export function packRows(rows: readonly { readonly row: ReadingRow }[]): PackedRows {
  const packer = new RowPacker(rows.length);
  for (const { row } of rows) packer.add(row);
  return packer.finish();
}

/** Fills the cells row by row. */
class RowPacker {
  readonly #cells: Float64Array<ArrayBuffer>;
  readonly #logs: [string, string][] = [];
  /** Indices of a key's logs. A node seldom has two in one group. */
  readonly #indices = new Map<string, number[]>();
  #at = 0;

  constructor(count: number) {
    this.#cells = new Float64Array(count * CELLS_PER_ROW);
  }

  add(row: ReadingRow): void {
    const cells = this.#cells;
    const at = this.#at;
    cells[at + cell.log] = this.#logIndex(row);
    cells[at + cell.seq] = row.seq;
    cells[at + cell.measuredAtMs] = row.measuredAtMs;
    cells[at + cell.intervalS] = row.intervalS;
    cells[at + cell.quality] = qualities.indexOf(row.quality);
    writeRegisters(cells, at + REGISTERS_AT, row);
    this.#at = at + CELLS_PER_ROW;
  }

  finish(): PackedRows {
    return { logs: this.#logs, cells: this.#cells };
  }

  #logIndex({ key, logId }: ReadingRow): number {
    const indices = this.#indices.get(key);
    for (const index of indices ?? []) if (this.#logs[index]?.[1] === logId) return index;
    const index = this.#logs.push([key, logId]) - 1;
    if (indices) indices.push(index);
    else this.#indices.set(key, [index]);
    return index;
  }
}

/** In the order of `registerFields`, one by one: a loop over names takes several times as long, and this is done with every row. */
function writeRegisters(cells: Float64Array, at: number, row: ReadingRow): void {
  cells[at] = row.importDwh ?? Number.NaN;
  cells[at + 1] = row.exportDwh ?? Number.NaN;
  cells[at + 2] = row.powerDw ?? Number.NaN;
  cells[at + 3] = row.voltageDv ?? Number.NaN;
  cells[at + 4] = row.currentCa ?? Number.NaN;
  cells[at + 5] = row.frequencyChz ?? Number.NaN;
  cells[at + 6] = row.powerFactorPct ?? Number.NaN;
}

/** The rows again. */
export function unpackRows(packed: PackedRows): ReadingRow[] {
  const rows: ReadingRow[] = [];
  for (let at = 0; at < packed.cells.length; at += CELLS_PER_ROW) rows.push(unpackRow(packed, at));
  return rows;
}

/** The row whose cells begin at `at`. */
export function unpackRow({ logs, cells }: PackedRows, at: number): ReadingRow {
  const [key, logId] = logs[cells[at + cell.log] as number] as readonly [string, string];
  const row: { -readonly [Field in keyof ReadingRow]: ReadingRow[Field] } = {
    key,
    logId,
    seq: cells[at + cell.seq] as number,
    measuredAtMs: cells[at + cell.measuredAtMs] as number,
    intervalS: cells[at + cell.intervalS] as number,
    quality: qualities[cells[at + cell.quality] as number] as ReadingRow['quality'],
  };
  registerFields.forEach((field, index) => {
    const value = cells[at + REGISTERS_AT + index] as number;
    if (!Number.isNaN(value)) row[field] = value;
  });
  return row;
}
