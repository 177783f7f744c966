const WAIT_TIMEOUT_MS = 15_000;

/** Something that tests wait for: `until` looks again after every `changed`, so nothing sleeps and nothing polls. */
export abstract class Observed {
  readonly #waiting = new Set<() => void>();

  /** What a failed wait shows. */
  protected abstract summary(): unknown;

  /** Resolves as soon as `condition` holds; rejects with the summary when that takes too long. */
  async until(what: string, condition: (observed: this) => boolean): Promise<void> {
    if (condition(this)) return;
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (!condition(this)) return;
        clearTimeout(late);
        this.#waiting.delete(check);
        resolve();
      };
      const late = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`waited in vain for ${what}: ${JSON.stringify(this.summary())}`));
      }, WAIT_TIMEOUT_MS);
      this.#waiting.add(check);
    });
  }

  protected changed(): void {
    for (const check of [...this.#waiting]) check();
  }
}
