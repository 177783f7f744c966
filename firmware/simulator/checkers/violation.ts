/** One broken promise, found by a checker. */
export interface Violation {
  readonly checker:
    | 'exactly-once'
    | 'nothing-lost'
    | 'no-loop'
    | 'nonce-reuse'
    | 'counters-rise'
    | 'bounded-queues'
    | 'memory-constant'
    | 'parents-alive'
    | 'time-right';
  readonly what: string;
  /** Node of the scenario. */
  readonly who: string;
  /** Simulated time that it is about, seconds. */
  readonly atS: number;
  /** Plays it again. */
  readonly seed: string;
}

/** Most violations that a checker keeps: what is wrong once is often wrong always. */
export const FINDINGS_MAX = 100;

/** What one checker has found. */
export class Findings {
  readonly violations: Violation[] = [];
  readonly #checker: Violation['checker'];
  readonly #seed: string;

  constructor(checker: Violation['checker'], seed: string) {
    this.#checker = checker;
    this.#seed = seed;
  }

  report(who: string, what: string, atS: number): void {
    if (this.violations.length >= FINDINGS_MAX) return;
    this.violations.push({ checker: this.#checker, what, who, atS, seed: this.#seed });
  }
}
