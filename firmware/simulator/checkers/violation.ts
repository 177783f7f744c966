/** One broken promise, found by a checker. */
export interface Violation {
  readonly checker: 'exactly-once' | 'nothing-lost' | 'no-loop' | 'nonce-reuse';
  readonly what: string;
  /** Node of the scenario. */
  readonly who: string;
  /** Simulated time that it is about, seconds. */
  readonly atS: number;
  /** Plays it again. */
  readonly seed: string;
}
