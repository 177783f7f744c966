import type { Clock, Timer } from '../../../nodes/headend/clock.ts';

/** A machine's clock that somebody sets: its time jumps, its timers go on as they were. */
export class JumpClock implements Clock {
  readonly #inner: Clock;
  #aheadMs = 0;

  constructor(inner: Clock) {
    this.#inner = inner;
  }

  nowMs(): number {
    return this.#inner.nowMs() + this.#aheadMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#inner.after(delayMs, callback);
  }

  /** Sets the clock; negative: back. */
  jump(byMs: number): void {
    this.#aheadMs += byMs;
  }
}
