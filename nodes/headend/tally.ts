import { type ErrorName, reasonOf } from './errors.ts';

/** What is counted beside the closed set of errors: a row that came again with other content, and a defect of the head-end itself. */
export type TallyName = ErrorName | 'readingConflict' | 'internal';

/** Counts of dropped input by name. The names are a closed set, so the table cannot grow. */
export class Tally {
  readonly #counts = new Map<TallyName, number>();

  add(name: TallyName, times = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + times);
  }

  /** Counts an error; false when it is none of the closed set, that is a defect that somebody should hear of. */
  addError(error: unknown): boolean {
    const reason = reasonOf(error);
    this.add(reason ?? 'internal');
    return reason !== undefined;
  }

  count(name: TallyName): number {
    return this.#counts.get(name) ?? 0;
  }

  toRecord(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
