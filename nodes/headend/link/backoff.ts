import type { Clock, Timer } from '../clock.ts';

/** First and longest wait between two attempts, ms. */
export const BACKOFF_MIN_MS = 500;
export const BACKOFF_MAX_MS = 30_000;
/** A link that broke before it was up for this long, ms, goes on waiting longer: two ends that throw each other out must not do so for ever. */
export const STEADY_MS = 10_000;

/**
 * Waits between attempts to re-open a link: doubling from BACKOFF_MIN_MS to BACKOFF_MAX_MS, the upper half of each wait random, so that
 * many clients of one broker do not return in step.
 */
export class Backoff {
  readonly #clock: Clock;
  readonly #random: () => number;
  #attempts = 0;
  #openedAtMs: number | undefined;
  #timer: Timer | undefined;

  /** `random` gives numbers in [0, 1). */
  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The link is up. */
  opened(): void {
    this.#openedAtMs = this.#clock.nowMs();
  }

  /** The link is down: calls `attempt` once after the wait, which is returned in ms. An attempt that was still waiting is forgotten. */
  schedule(attempt: () => void): number {
    this.cancel();
    if (this.#openedAtMs !== undefined && this.#clock.nowMs() - this.#openedAtMs >= STEADY_MS) this.#attempts = 0;
    this.#openedAtMs = undefined;
    const ceilingMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** this.#attempts);
    if (ceilingMs < BACKOFF_MAX_MS) this.#attempts++;
    const waitMs = Math.round(ceilingMs / 2 + (this.#random() * ceilingMs) / 2);
    this.#timer = this.#clock.after(waitMs, attempt);
    return waitMs;
  }

  /** Forgets the attempt that is waiting. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

/** A wait for people: `0.5 s`, `30 s`. */
export function formatWait(waitMs: number): string {
  return waitMs < 9_950 ? `${(waitMs / 1000).toFixed(1)} s` : `${Math.round(waitMs / 1000)} s`;
}
