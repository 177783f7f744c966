import type { SqlDatabase, SqlStatement, SqlValue } from './sqlite-driver.ts';

/** Rows per statement: each call into a driver costs more than a row. */
export const ROWS_PER_STATEMENT = 16;

/** What an upsert writes to. */
export interface UpsertTarget {
  readonly table: string;
  /** The unique columns that tell which record it is. */
  readonly identity: readonly string[];
  /** The columns that are replaced. */
  readonly content: readonly string[];
}

/** Inserts records or replaces their content, many to a statement. Of two records of one identity the later stands. */
export class Upsert {
  readonly #one: SqlStatement;
  readonly #many: SqlStatement;
  readonly #width: number;

  constructor(database: SqlDatabase, { table, identity, content }: UpsertTarget) {
    const columns = [...identity, ...content];
    const text = (rows: number) =>
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${placeholders(columns.length, rows)}
       ON CONFLICT (${identity.join(', ')}) DO UPDATE SET ${content.map((column) => `${column} = excluded.${column}`).join(', ')}`;
    this.#width = columns.length;
    this.#one = database.prepare(text(1));
    this.#many = database.prepare(text(ROWS_PER_STATEMENT));
  }

  /** Columns of a record. */
  get width(): number {
    return this.#width;
  }

  /** `values`: record after record, each the values of the identity's columns, then the content's. */
  run(values: readonly SqlValue[]): void {
    const many = this.#width * ROWS_PER_STATEMENT;
    let at = 0;
    for (; at + many <= values.length; at += many) this.#many.run(values.slice(at, at + many));
    for (; at < values.length; at += this.#width) this.#one.run(values.slice(at, at + this.#width));
  }
}

/** `(?, ?), (?, ?)` for rows of so many columns. */
export function placeholders(columns: number, rows: number): string {
  const row = `(${new Array(columns).fill('?').join(', ')})`;
  return new Array(rows).fill(row).join(', ');
}
