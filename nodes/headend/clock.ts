/** A running timer; `cancel` is harmless after it fired. */
export interface Timer {
  cancel(): void;
}

/** Injected time: nothing in the head-end reads the wall clock or sets a timer by any other way, so tests own both. */
export interface Clock {
  /** UTC in milliseconds since 1970-01-01. */
  nowMs(): number;
  /** Calls `callback` once after `delayMs`. */
  after(delayMs: number, callback: () => void): Timer;
}

/** The machine's clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test (or the simulator) moves it. */
export class ManualClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const entry: Pending = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#pending.add(entry);
    return { cancel: () => void this.#pending.delete(entry) };
  }

  /** Moves time forward by `byMs` and fires what falls due on the way, in order of time, then of creation. */
  advance(byMs: number): void {
    this.advanceTo(this.#nowMs + byMs);
  }

  /** Moves time forward to `targetMs` (UTC ms); an earlier moment is a programmer's error. */
  advanceTo(targetMs: number): void {
    if (targetMs < this.#nowMs) throw new RangeError(`time cannot go back from ${this.#nowMs} to ${targetMs}`);
    for (let next = this.#nextDue(targetMs); next; next = this.#nextDue(targetMs)) {
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
    }
    this.#nowMs = targetMs;
  }

  #nextDue(targetMs: number): Pending | undefined {
    let first: Pending | undefined;
    for (const entry of this.#pending) {
      if (entry.dueMs > targetMs) continue;
      if (!first || entry.dueMs < first.dueMs || (entry.dueMs === first.dueMs && entry.order < first.order))
        first = entry;
    }
    return first;
  }
}
