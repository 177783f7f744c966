import type { Clock, Timer } from './clock.ts';

/** Most rows in one group; a packet without rows counts as one. A full group refuses more: whoever sends repeats later. */
export const GROUP_ROWS_MAX = 65_536;

/**
 * Collects items for a short while and hands them over as one group, for a durable commit costs the same for one as for a thousand. At most
 * one group is being committed; the next one collects meanwhile.
 */
export class GroupCommit<Item> {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #commit: (items: readonly Item[]) => Promise<void>;
  #items: Item[] = [];
  #rows = 0;
  #running: Promise<void> | undefined;
  #timer: Timer | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  /** `commit` must not reject. */
  constructor(clock: Clock, delayMs: number, commit: (items: readonly Item[]) => Promise<void>) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#commit = commit;
  }

  /** True when another `rows` rows (at least one) fit the group. */
  hasRoom(rows: number): boolean {
    return this.#rows + Math.max(1, rows) <= GROUP_ROWS_MAX;
  }

  /** Takes an item of `rows` rows into the group. Ask `hasRoom` first. */
  add(item: Item, rows: number): void {
    this.#items.push(item);
    this.#rows += Math.max(1, rows);
    if (this.#rows >= GROUP_ROWS_MAX / 2) this.within(0);
    else if (this.#items.length === 1) this.within(this.#delayMs);
  }

  /** Sees to it that a commit begins within `delayMs`, even one of nothing. */
  within(delayMs: number): void {
    const dueMs = this.#clock.nowMs() + delayMs;
    if (dueMs >= this.#dueMs) return;
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    this.#timer = this.#clock.after(delayMs, () => this.#due());
  }

  /** Commits everything collected so far; resolves when no commit is running or due. */
  async flush(): Promise<void> {
    while (this.#running || this.#dueMs < Number.POSITIVE_INFINITY) {
      if (!this.#running) this.#start();
      await this.#running;
    }
  }

  #due(): void {
    this.#timer = undefined;
    // Due is due, whatever the clock says: a timer may fire before the clock shows its time, and the clock may be set back.
    this.#dueMs = Number.NEGATIVE_INFINITY;
    if (!this.#running) this.#start();
  }

  #start(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueMs = Number.POSITIVE_INFINITY;
    const items = this.#items;
    this.#items = [];
    this.#rows = 0;
    this.#running = this.#commit(items).then(() => {
      this.#running = undefined;
      if (this.#dueMs <= this.#clock.nowMs()) this.#start();
    });
  }
}
