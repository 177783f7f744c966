import type { MeterRow } from './trace.ts';

/** A row that a meter committed. */
export interface LoggedRow {
  readonly row: MeterRow;
  /** Simulated time of the commit, us. */
  readonly committedUs: number;
  /** False once the meter has overwritten it. */
  held: boolean;
}

/** Rows remembered of one meter unless told otherwise: two months of one-minute rows. */
export const METER_LOG_ROWS_MAX = 100_000;

/**
 * What a meter measured, as its firmware reported each commit: the truth that everything else is judged by. It stands beside the meter's
 * flash and is never read by the firmware.
 */
export class MeterLog {
  /** Rows whose identity was committed twice with different content: the firmware must never do that. */
  readonly conflicts: LoggedRow[] = [];
  readonly #rows = new Map<string, LoggedRow>();
  readonly #rowsMax: number;

  constructor(rowsMax = METER_LOG_ROWS_MAX) {
    this.#rowsMax = rowsMax;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Notes a commit; false when the row was noted before, as after a reboot. */
  commit(row: MeterRow, committedUs: number): boolean {
    const identity = `${row.logId}:${row.seq}`;
    const entry: LoggedRow = { row, committedUs, held: true };
    const known = this.#rows.get(identity);
    if (known) {
      if (JSON.stringify(known.row) !== JSON.stringify(row)) this.conflicts.push(entry);
      return false;
    }
    this.#rows.set(identity, entry);
    if (this.#rows.size > this.#rowsMax) this.#rows.delete(this.#rows.keys().next().value as string);
    return true;
  }

  /** Rows `first` to `last` have left the meter's flash. */
  overwritten(logId: string, first: number, last: number): void {
    for (let seq = first; seq <= last; seq++) {
      const entry = this.#rows.get(`${logId}:${seq}`);
      if (entry) entry.held = false;
    }
  }

  /** In the order of their commits. */
  rows(): LoggedRow[] {
    return [...this.#rows.values()];
  }
}
