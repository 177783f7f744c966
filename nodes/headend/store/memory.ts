import { WattmeshError } from '../errors.ts';
import type { ConflictRecord } from './row-content.ts';
import { nextEpoch } from './row-content.ts';
import type { CommitGroup, CommitResult, ReadingQuery, ReadingRow, Store, StoredState } from './store.ts';
import { notOpen } from './store-failure.ts';
import { Tables } from './tables.ts';

/** Most rows a MemoryStore takes: past it a commit fails, nothing is forgotten. */
export const MEMORY_ROWS_MAX = 1_000_000;

/** A store for tests and simulations: nothing outlives the object, but everything outlives `close`, so that a restart can be played. */
export class MemoryStore implements Store {
  readonly kind = 'memory';
  readonly #tables = new Tables(MEMORY_ROWS_MAX);
  #open = false;

  async open(): Promise<StoredState> {
    if (this.#open) throw new WattmeshError('storeLocked', 'this memory store is open already: close it first');
    this.#open = true;
    return this.#tables.state();
  }

  async takeEpoch(utcS: number): Promise<number> {
    const tables = this.#opened();
    tables.ownerEpoch = nextEpoch(tables.ownerEpoch, utcS);
    return tables.ownerEpoch;
  }

  async commit(group: CommitGroup): Promise<CommitResult> {
    const tables = this.#opened();
    const { effects, result } = tables.judge(group);
    tables.apply(effects);
    return result;
  }

  async readings(query: ReadingQuery): Promise<ReadingRow[]> {
    return this.#opened().readings(query);
  }

  async count(): Promise<number> {
    return this.#opened().rowCount;
  }

  /** Rows kept aside because their identity was stored with other content. */
  async conflicts(): Promise<ConflictRecord[]> {
    return [...this.#opened().conflicts.values()].flat();
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  #opened(): Tables {
    if (!this.#open) throw notOpen();
    return this.#tables;
  }
}
