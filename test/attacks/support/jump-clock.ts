import type { Clock, Timer } from '../../../nodes/headend/clock.ts';

/** A machine's clock that somebody sets: its time jumps, its timers go on as they were. Counts timers that wait. */
export class JumpClock implements Clock {
  /** Timers that have neither fired nor been cancelled. */
  waiting = 0;
  readonly #inner: Clock;
  #aheadMs = 0;

  constructor(inner: Clock) {
    this.#inner = inner;
  }

  nowMs(): number {
    return this.#inner.nowMs() + this.#aheadMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    let isWaiting = true;
    const done = (): void => {
      if (isWaiting) this.waiting--;
      isWaiting = false;
    };
    this.waiting++;
    const timer = this.#inner.after(delayMs, () => {
      done();
      callback();
    });
    return {
      cancel: () => {
        done();
        timer.cancel();
      },
    };
  }

  /** Sets the clock; negative: back. */
  jump(byMs: number): void {
    this.#aheadMs += byMs;
  }
}
