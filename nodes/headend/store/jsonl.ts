import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WattmeshError } from '../errors.ts';
import { type AppendOpener, type AppendTarget, openAppendFile } from './append-file.ts';
import { archiveRows, takeLine, writeCompact, writeHeader } from './jsonl-compaction.ts';
import { commitLine, JSONL_VERSION, type JsonlLine, lineText, readLines } from './jsonl-lines.ts';
import { type LockFile, takeLockFile } from './lock-file.ts';
import type { ConflictRecord } from './row-content.ts';
import { checkOutboxSent, nextEpoch } from './row-content.ts';
import { countSeqs } from './seq-ranges.ts';
import { noDriverText } from './sqlite-driver.ts';
import type { CommitGroup, CommitResult, ReadingQuery, ReadingRow, Store, StoredState } from './store.ts';
import { notOpen, storeFailure, storeLocked } from './store-failure.ts';
import { Tables } from './tables.ts';

/** Most rows kept in the file and in memory; past it the older half of those sent moves to `<file>.archive`. */
export const JSONL_ROWS_MAX = 250_000;

/** The file is rewritten without what has been replaced once it has doubled and grown by this, bytes. */
export const JSONL_GROWTH_MIN_BYTES = 16 * 1024 * 1024;

/** Most calls waiting for the file; past it a call fails with `queueFull`. */
const CALLS_PENDING_MAX = 256;

export interface JsonlOptions {
  readonly file: string;
  /** Default: a fallback's, what is missing and what to do. */
  readonly warning?: string;
  readonly rowsMax?: number;
  readonly growthMinBytes?: number;
  /** How the file is written; replaced by tests. */
  readonly openAppend?: AppendOpener;
}

interface OpenFile {
  readonly tables: Tables;
  readonly lock: LockFile;
  /** Absent after a rewrite whose new file could not be opened: nothing can be written until the store is opened again. */
  target: AppendTarget | undefined;
  /** Bytes right after the last rewrite. */
  tidyBytes: number;
}

/**
 * A durable store where no SQLite driver loads: a file of JSON lines, one per commit group, with its content in memory. A line that was
 * torn by a crash is dropped as a whole when the file is opened. Rows in the archive are known as duplicates, but no query finds them.
 */
export class JsonlStore implements Store {
  readonly kind = 'jsonl';
  readonly warning: string;
  readonly #file: string;
  readonly #rowsMax: number;
  readonly #growthMinBytes: number;
  readonly #openAppend: AppendOpener;
  #opened: OpenFile | undefined;
  #opening = false;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: JsonlOptions) {
    this.#file = options.file;
    this.#rowsMax = options.rowsMax ?? JSONL_ROWS_MAX;
    this.#growthMinBytes = options.growthMinBytes ?? JSONL_GROWTH_MIN_BYTES;
    this.#openAppend = options.openAppend ?? openAppendFile;
    this.warning =
      options.warning ??
      `Readings are kept in a plain file, of which the last ${this.#rowsMax} rows can be searched. ` +
        noDriverText('A full store needs SQLite');
  }

  async open(): Promise<StoredState> {
    if (this.#opened || this.#opening) throw storeLocked(this.#file, 'this very object, which is open already');
    this.#opening = true;
    try {
      this.#opened = await this.#load();
      return this.#opened.tables.state();
    } catch (error) {
      throw storeFailure(this.#file, error);
    } finally {
      this.#opening = false;
    }
  }

  takeEpoch(utcS: number): Promise<number> {
    return this.#inTurn(async (opened) => {
      const epoch = nextEpoch(opened.tables.ownerEpoch, utcS);
      await this.#append(opened, { epoch });
      opened.tables.ownerEpoch = epoch;
      return epoch;
    });
  }

  commit(group: CommitGroup): Promise<CommitResult> {
    return this.#inTurn(async (opened) => {
      await this.#makeRoom(opened, group);
      const { effects, result } = opened.tables.judge(group);
      await this.#append(opened, commitLine(effects));
      opened.tables.apply(effects);
      return result;
    });
  }

  readings(query: ReadingQuery): Promise<ReadingRow[]> {
    return this.#inTurn(async ({ tables }) => tables.readings(query));
  }

  /** Rows in the store, those in the archive included. */
  count(): Promise<number> {
    return this.#inTurn(async ({ tables }) => {
      const archived = [...tables.archived.values()].reduce((count, ranges) => count + countSeqs(ranges), 0);
      return tables.rowCount + archived;
    });
  }

  /** Rows kept aside because their identity was stored with other content. */
  conflicts(): Promise<ConflictRecord[]> {
    return this.#inTurn(async ({ tables }) => [...tables.conflicts.values()].flat());
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await this.#last;
    await opened?.target?.close();
    await opened?.lock.release();
  }

  async #load(): Promise<OpenFile> {
    await mkdir(dirname(this.#file), { recursive: true });
    const lock = await takeLockFile(this.#file);
    try {
      const tables = new Tables(this.#rowsMax);
      let version = 0;
      const goodBytes = await readLines(this.#file, (line) => {
        takeLine(this.#file, tables, line);
        if ('store' in line) version = line.version;
      });
      const target = await this.#openAppend(this.#file, goodBytes);
      // Behind lines of an older version, so that its release does not read on.
      if (version < JSONL_VERSION) await writeHeader(target);
      return { tables, lock, target, tidyBytes: 0 };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async #append(opened: OpenFile, line: JsonlLine): Promise<void> {
    if (!opened.target)
      throw new Error('the file could not be opened again after it was rewritten; close the store and open it');
    await opened.target.append(lineText(line));
  }

  /** Moves old rows out and rewrites the file when it is time. */
  async #makeRoom(opened: OpenFile, group: CommitGroup): Promise<void> {
    const { tables, target } = opened;
    const full = tables.rowCount + group.rows.length > this.#rowsMax;
    if (full) {
      checkOutboxSent(group.outboxSent, tables.lastId);
      tables.markSent(group.outboxSent);
    }
    const old = full ? tables.oldestSent(Math.ceil(this.#rowsMax / 2)) : [];
    const grown = (target?.length ?? 0) >= 2 * opened.tidyBytes + this.#growthMinBytes;
    // A handful of sent rows is not worth a rewrite per commit; while the others wait to be sent, the store is full.
    if (old.length < this.#rowsMax / 4 && !grown) return;
    await archiveRows(tables, old, this.#file, this.#openAppend);
    await writeCompact(tables, `${this.#file}.new`, this.#openAppend);
    await target?.close();
    opened.target = undefined;
    await rename(`${this.#file}.new`, this.#file);
    const { size } = await stat(this.#file);
    opened.target = await this.#openAppend(this.#file, size);
    opened.tidyBytes = size;
  }

  /** Calls run one after the other, so that each line follows from the ones before it. */
  #inTurn<Answer>(work: (opened: OpenFile) => Promise<Answer>): Promise<Answer> {
    const opened = this.#opened;
    if (!opened) return Promise.reject(notOpen());
    if (this.#waiting >= CALLS_PENDING_MAX) {
      const text = `${CALLS_PENDING_MAX} calls wait for the store ${this.#file}: its disk is too slow`;
      return Promise.reject(new WattmeshError('queueFull', text));
    }
    this.#waiting++;
    const answer = this.#last
      .then(() => work(opened))
      .catch((error) => Promise.reject(storeFailure(this.#file, error)));
    this.#last = answer.then(
      () => this.#waiting--,
      () => this.#waiting--,
    );
    return answer;
  }
}
