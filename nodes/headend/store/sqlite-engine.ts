import { mkdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { PackedRows } from './packed-rows.ts';
import type { ConflictRecord } from './row-content.ts';
import { nextEpoch } from './row-content.ts';
import { migrate } from './schema.ts';
import type { SqlDatabase, SqlOpener, SqlStatement } from './sqlite-driver.ts';
import { type Lease, takeLease } from './sqlite-lease.ts';
import type { PackedGroup, PackedResult } from './sqlite-messages.ts';
import { type HeadRow, readConflicts, readHead, readReadings, readState } from './sqlite-reader.ts';
import { SqliteWriter } from './sqlite-writer.ts';
import type { ReadingQuery, StoredState } from './store.ts';
import { storeLocked } from './store-failure.ts';

/** Page cache in KiB. */
const CACHE_KIB = 32_000;

/** Pages in the write-ahead log before it is moved into the file: fewer, longer writes spare SD cards. */
const CHECKPOINT_PAGES = 4_000;

/** The write-ahead log is cut back to this after a large burst, bytes. */
const WAL_KEPT_BYTES_MAX = 64 * 1024 * 1024;

/** How long a commit waits for another program that is writing to the file, ms. */
const BUSY_WAIT_MS = 5_000;

/** A store file and everything done to it, without threads: what the worker runs. */
export class SqliteEngine {
  readonly #file: string;
  readonly #database: SqlDatabase;
  readonly #lease: Lease;
  readonly #writer: SqliteWriter;
  readonly #owner: SqlStatement;
  #head: HeadRow;

  /** Takes the lease, opens the file (made with its folder if absent) and brings it to the newest schema. */
  constructor(open: SqlOpener, file: string) {
    mkdirSync(dirname(file), { recursive: true });
    const target = resolved(file);
    this.#file = target;
    this.#lease = takeLease(open, target);
    let database: SqlDatabase | undefined;
    try {
      database = open(target);
      configure(database, target);
      this.#database = database;
      this.#writer = new SqliteWriter(database);
      this.#owner = database.prepare('SELECT 1 FROM head WHERE owner_epoch = ?');
      this.#head = readHead(database);
    } catch (error) {
      database?.close();
      this.#lease.release();
      throw error;
    }
  }

  state(): StoredState {
    return readState(this.#database);
  }

  takeEpoch(utcS: number): number {
    const epoch = nextEpoch(this.#head.ownerEpoch, utcS);
    this.#transaction(() => {
      const taken = this.#database
        .prepare('UPDATE head SET owner_epoch = ? WHERE owner_epoch = ?')
        .run([epoch, this.#head.ownerEpoch]);
      if (taken !== 1)
        throw new Error('the owner epoch was changed by another program; close the store and open it again');
    });
    this.#head = { ...this.#head, ownerEpoch: epoch };
    return epoch;
  }

  commit(group: PackedGroup): PackedResult {
    const { lastId, rowCount } = this.#head;
    const result = this.#transaction(() => {
      this.#requireOwner();
      return this.#writer.write(group, lastId);
    });
    this.#head = { ...this.#head, lastId: lastId + result.stored, rowCount: rowCount + result.stored };
    return result;
  }

  readings(query: ReadingQuery): PackedRows {
    return readReadings(this.#database, query);
  }

  count(): number {
    return this.#head.rowCount;
  }

  conflicts(): ConflictRecord[] {
    return readConflicts(this.#database);
  }

  close(): void {
    try {
      this.#database.close();
    } finally {
      this.#lease.release();
    }
  }

  /** A lease can be taken away, by deleting its file: whoever has taken the epoch since owns the store, and nobody else writes to it. */
  #requireOwner(): void {
    if (this.#owner.all([this.#head.ownerEpoch]).length === 1) return;
    throw storeLocked(this.#file, 'another head-end, which has taken it over from this one');
  }

  #transaction<Result>(work: () => Result): Result {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#writer.forget();
      rollBack(this.#database);
      throw error;
    }
  }
}

function configure(database: SqlDatabase, file: string): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_WAIT_MS}; PRAGMA synchronous = FULL`);
  migrate(database, file);
  database.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  database.exec(`PRAGMA journal_size_limit = ${WAL_KEPT_BYTES_MAX}; PRAGMA journal_mode = WAL`);
  // A file that cannot be written is found out now, not at the first reading.
  database.exec('BEGIN IMMEDIATE; UPDATE head SET row_count = row_count; ROLLBACK');
}

/** SQLite has rolled back by itself after some errors (disk full among them): that is no further error. */
function rollBack(database: SqlDatabase): void {
  try {
    database.exec('ROLLBACK');
  } catch (error) {
    if (!(error instanceof Error && /no transaction is active/.test(error.message))) throw error;
  }
}

/** The file's real path, so that a symbolic link leads to the same lease. */
function resolved(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return join(realpathSync(dirname(file)), basename(file));
  }
}
