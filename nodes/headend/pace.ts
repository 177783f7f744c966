import type { Clock, Timer } from './clock.ts';

/** Calls `action` every `periodMs` until cancelled. */
export function every(clock: Clock, periodMs: number, action: () => void): Timer {
  let timer = clock.after(periodMs, tick);
  function tick(): void {
    timer = clock.after(periodMs, tick);
    action();
  }
  return { cancel: () => timer.cancel() };
}

/** Runs an action soon after it was asked for: at once, but never twice within `periodMs`. */
export class Throttle {
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #action: () => void;
  #resting: Timer | undefined;
  #wanted = false;
  #stopped = false;

  constructor(clock: Clock, periodMs: number, action: () => void) {
    this.#clock = clock;
    this.#periodMs = periodMs;
    this.#action = action;
  }

  request(): void {
    if (this.#resting) this.#wanted = true;
    else if (!this.#stopped) this.#run();
  }

  /** Nothing runs any more. */
  stop(): void {
    this.#stopped = true;
    this.#resting?.cancel();
  }

  #run(): void {
    this.#wanted = false;
    this.#resting = this.#clock.after(this.#periodMs, () => {
      this.#resting = undefined;
      if (this.#wanted) this.#run();
    });
    this.#action();
  }
}
