import { BoundedMap } from '../headend/bounded-map.ts';
import type { Clock } from '../headend/clock.ts';

/** The same kind of line is written at most once in this time, ms. */
export const REPEAT_MS = 10 * 60_000;
/** Most kinds of line remembered. */
const KINDS_MAX = 200;

/** Keeps a trouble that comes again and again from filling the log. Lines that differ in numbers only are of one kind. */
export class QuietLog {
  readonly #clock: Clock;
  readonly #writtenMs = new BoundedMap<string, number>(KINDS_MAX);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `write` unless a line of this kind was written lately. */
  write(line: string, write: (line: string) => void): void {
    const kind = line.replace(/\d+/g, '#');
    const nowMs = this.#clock.nowMs();
    const lastMs = this.#writtenMs.get(kind);
    if (lastMs !== undefined && nowMs - lastMs < REPEAT_MS) return;
    this.#writtenMs.set(kind, nowMs);
    write(line);
  }
}
