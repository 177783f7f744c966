import { WattmeshError } from '../errors.ts';
import { packArrivals } from './packed-arrivals.ts';
import { packRows, unpackRows } from './packed-rows.ts';
import type { ConflictRecord } from './row-content.ts';
import { checkGroup } from './row-content.ts';
import { type DriverName, findDriver, noDriverText } from './sqlite-driver.ts';
import { fate, type PackedGroup, type PackedResult } from './sqlite-messages.ts';
import { packRecords } from './sqlite-records.ts';
import { SqliteThread } from './sqlite-thread.ts';
import type { CommitGroup, CommitResult, OutboxEntry, ReadingQuery, ReadingRow, Store, StoredState } from './store.ts';
import { notOpen, storeLocked } from './store-failure.ts';

export interface SqliteOptions {
  /** Path of the store; made with its folder if absent. */
  readonly file: string;
  /** Default: the first that loads. */
  readonly driver?: DriverName;
}

/** The durable store: one SQLite file, owned by a worker thread. Other programs may read it meanwhile. */
export class SqliteStore implements Store {
  readonly kind = 'sqlite';
  readonly #file: string;
  readonly #driver: DriverName | undefined;
  #thread: SqliteThread | undefined;

  constructor({ file, driver }: SqliteOptions) {
    this.#file = file;
    this.#driver = driver;
  }

  async open(): Promise<StoredState> {
    if (this.#thread) throw storeLocked(this.#file, 'this very object, which is open already');
    const thread = new SqliteThread(this.#file);
    this.#thread = thread;
    try {
      const driver = this.#driver ?? (await findDriver());
      if (!driver) throw new WattmeshError('noDriver', noDriverText(`no SQLite driver loads for ${this.#file}`));
      return await thread.call('open', { file: this.#file, driver });
    } catch (error) {
      this.#thread = undefined;
      await thread.end();
      throw error;
    }
  }

  async takeEpoch(utcS: number): Promise<number> {
    return this.#opened().call('takeEpoch', utcS);
  }

  async commit(group: CommitGroup): Promise<CommitResult> {
    const thread = this.#opened();
    checkGroup(group);
    const { nodes, sessions, logs, ...rest } = group;
    const packed: PackedGroup = {
      ...rest,
      records: packRecords(group),
      rows: packRows(group.rows),
      arrivals: packArrivals(group.rows),
    };
    const transfer = [packed.rows.cells.buffer, packed.arrivals.cells.buffer];
    return unpackResult(group, await thread.call('commit', packed, transfer));
  }

  async readings(query: ReadingQuery): Promise<ReadingRow[]> {
    return unpackRows(await this.#opened().call('readings', query));
  }

  async count(): Promise<number> {
    return this.#opened().call('count', undefined);
  }

  /** Rows kept aside because their identity was stored with other content. */
  async conflicts(): Promise<ConflictRecord[]> {
    return this.#opened().call('conflicts', undefined);
  }

  /** Ends after the calls under way; resolves when the file is free again. */
  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.end();
  }

  #opened(): SqliteThread {
    if (!this.#thread) throw notOpen();
    return this.#thread;
  }
}

function unpackResult(group: CommitGroup, { fates, firstId }: PackedResult): CommitResult {
  const outbox: OutboxEntry[] = [];
  const conflicts: ReadingRow[] = [];
  let duplicates = 0;
  group.rows.forEach(({ row, arrival }, index) => {
    if (fates[index] === fate.stored) outbox.push({ id: firstId + outbox.length, row, arrival });
    else if (fates[index] === fate.conflict) conflicts.push(row);
    else duplicates++;
  });
  return { outbox, duplicates, conflicts };
}
