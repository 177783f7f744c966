import { equalBytes, toHex } from '../bytes.ts';
import type { Clock } from '../clock.ts';

/** Half messages kept at once, and for how long: a complete one takes milliseconds. */
export const HALF_MESSAGES_MAX = 8;
export const HALF_MESSAGE_LIFE_MS = 10_000;

interface HalfMessage {
  readonly index: number;
  readonly part: Uint8Array;
  readonly sinceMs: number;
}

/** Puts messages of two parts together, in memory that a flood of first halves cannot grow. */
export class HalfMessages {
  readonly #clock: Clock;
  /** By what the parts of one message have in common, the oldest first. */
  readonly #halves = new Map<string, HalfMessage>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The two parts in order once both are there; undefined while one is missing, also when the same part comes again with the same bytes. With
   * other bytes one of the two is false, nobody can tell which, and both are dropped: `conflict`.
   */
  add(header: Uint8Array, index: 0 | 1, part: Uint8Array): readonly [Uint8Array, Uint8Array] | 'conflict' | undefined {
    this.#forgetOld();
    const name = toHex(header);
    const half = this.#halves.get(name);
    if (!half) {
      this.#keep(name, { index, part: new Uint8Array(part), sinceMs: this.#clock.nowMs() });
      return undefined;
    }
    if (half.index === index && equalBytes(half.part, part)) return undefined;
    this.#halves.delete(name);
    if (half.index === index) return 'conflict';
    return index === 1 ? [half.part, part] : [part, half.part];
  }

  #keep(name: string, half: HalfMessage): void {
    const [oldest] = this.#halves.keys();
    if (this.#halves.size >= HALF_MESSAGES_MAX && oldest !== undefined) this.#halves.delete(oldest);
    this.#halves.set(name, half);
  }

  #forgetOld(): void {
    const nowMs = this.#clock.nowMs();
    for (const [name, { sinceMs }] of this.#halves) {
      const ageMs = nowMs - sinceMs;
      // A clock that was set back makes ages negative: such a half would stay for years.
      if (ageMs < 0 || ageMs >= HALF_MESSAGE_LIFE_MS) this.#halves.delete(name);
    }
  }
}
