import type { Clock } from '../../nodes/headend/clock.ts';
import { readingId } from '../../nodes/headend/metering/reading.ts';
import type {
  CommitGroup,
  CommitResult,
  ReadingQuery,
  ReadingRow,
  Store,
  StoredState,
} from '../../nodes/headend/store/store.ts';

/** A store that notes when each row was committed. */
export class CommitTimes implements Store {
  /** UTC ms by reading id. */
  readonly times = new Map<string, number>();
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  get kind(): Store['kind'] {
    return this.#store.kind;
  }

  open(): Promise<StoredState> {
    return this.#store.open();
  }

  takeEpoch(utcS: number): Promise<number> {
    return this.#store.takeEpoch(utcS);
  }

  async commit(group: CommitGroup): Promise<CommitResult> {
    const result = await this.#store.commit(group);
    for (const { row } of result.outbox) this.times.set(readingId(row), this.#clock.nowMs());
    return result;
  }

  readings(query: ReadingQuery): Promise<ReadingRow[]> {
    return this.#store.readings(query);
  }

  count(): Promise<number> {
    return this.#store.count();
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
