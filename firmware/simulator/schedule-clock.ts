import type { Clock, Timer } from '../../nodes/headend/clock.ts';
import type { Schedule } from './schedule.ts';

/** The head-end's clock in simulated time. */
export class ScheduleClock implements Clock {
  readonly #schedule: Schedule;
  readonly #startUtcMs: number;
  readonly #fired: () => void;

  /** `startUtcMs`: UTC at simulated time 0. `fired` is called after each timer that ran. */
  constructor(schedule: Schedule, startUtcMs: number, fired: () => void) {
    this.#schedule = schedule;
    this.#startUtcMs = startUtcMs;
    this.#fired = fired;
  }

  nowMs(): number {
    return this.#startUtcMs + Math.floor(this.#schedule.nowUs / 1000);
  }

  after(delayMs: number, callback: () => void): Timer {
    const atUs = this.#schedule.nowUs + Math.ceil(Math.max(0, delayMs) * 1000);
    const handle = this.#schedule.at(atUs, () => {
      callback();
      this.#fired();
    });
    return { cancel: () => void this.#schedule.cancel(handle) };
  }
}
