import { CELLS_PER_ROW, cell, type PackedRows, REGISTERS_AT } from './packed-rows.ts';
import type { SqlDatabase, SqlStatement, SqlValue } from './sqlite-driver.ts';
import { ROWS_PER_STATEMENT } from './sqlite-upsert.ts';

/** Columns of a reading from `seq` on, in the order of the cells of a packed row. */
export const cellColumns =
  'seq, measured_at_ms, interval_s, quality, import_dwh, export_dwh, power_dw, voltage_dv, current_ca, frequency_chz, power_factor_pct';

/** The names in `cellColumns`, `seq` first. */
export const cellNames: readonly string[] = cellColumns.split(', ');

/** `values` are written over from one run to the next. */
interface Insert {
  readonly statement: SqlStatement;
  readonly values: SqlValue[];
}

const REGISTERS = CELLS_PER_ROW - REGISTERS_AT;

/**
 * Inserts readings, ROWS_PER_STATEMENT at a time. What costs is the number of values that are bound, so ids are counted by the statement, and
 * registers that none of the rows has are left out.
 */
export class RowInsert {
  readonly #database: SqlDatabase;
  /** By the registers that are written, as bits: at most 2 ** REGISTERS. */
  readonly #inserts = new Map<number, Insert>();

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  /** Inserts the readings from row `from` on under ids from `firstId` on; fails as a whole. */
  run({ cells }: PackedRows, logIds: readonly number[], from: number, firstId: number): void {
    const registers = registersIn(cells, from);
    const { statement, values } = this.#insertOf(registers);
    values[0] = firstId;
    let next = 1;
    for (let row = from; row < from + ROWS_PER_STATEMENT; row++) {
      const at = row * CELLS_PER_ROW;
      values[next++] = logIds[cells[at + cell.log] as number] as number;
      for (let offset = cell.seq; offset < REGISTERS_AT; offset++) values[next++] = cells[at + offset] as number;
      for (let register = 0; register < REGISTERS; register++) {
        if (registers & (1 << register)) values[next++] = cellValue(cells[at + REGISTERS_AT + register] as number);
      }
    }
    statement.run(values);
  }

  #insertOf(registers: number): Insert {
    const known = this.#inserts.get(registers);
    if (known) return known;
    const columns = cellNames.filter((_, index) => {
      const register = index + cell.seq - REGISTERS_AT;
      return register < 0 || (registers & (1 << register)) !== 0;
    });
    const rest = new Array(columns.length + 1).fill('?').join(', ');
    const rows = Array.from({ length: ROWS_PER_STATEMENT }, (_, index) => `(?1 + ${index}, ${rest})`);
    const statement = this.#database.prepare(
      `INSERT INTO readings (id, log, ${columns.join(', ')}) VALUES ${rows.join(', ')}`,
    );
    const values = new Array<SqlValue>(1 + ROWS_PER_STATEMENT * (columns.length + 1));
    const insert = { statement, values };
    this.#inserts.set(registers, insert);
    return insert;
  }
}

/** A cell as it is stored: null where there is none. */
export function cellValue(value: number): SqlValue {
  return Number.isNaN(value) ? null : value;
}

/** The registers that at least one of the rows from `from` on has, bit n as in `registerFields`. */
function registersIn(cells: Float64Array, from: number): number {
  let registers = 0;
  for (let row = from; row < from + ROWS_PER_STATEMENT; row++) {
    const at = row * CELLS_PER_ROW + REGISTERS_AT;
    for (let register = 0; register < REGISTERS; register++) {
      if (!Number.isNaN(cells[at + register])) registers |= 1 << register;
    }
  }
  return registers;
}
