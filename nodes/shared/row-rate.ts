const SLOT_MS = 5_000;
const SLOTS = 12;

/** Rows of the last minute, to five seconds. Times are UTC ms. */
export class RowRate {
  readonly #counts = new Uint32Array(SLOTS);
  #slot = 0;

  add(nowMs: number): void {
    this.#moveTo(nowMs);
    this.#counts[this.#slot % SLOTS] = (this.#counts[this.#slot % SLOTS] ?? 0) + 1;
  }

  perMinute(nowMs: number): number {
    this.#moveTo(nowMs);
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Forgets what is older than a minute. A clock that is set back starts afresh. */
  #moveTo(nowMs: number): void {
    const slot = Math.floor(nowMs / SLOT_MS);
    if (slot < this.#slot || slot >= this.#slot + SLOTS) this.#counts.fill(0);
    else for (let next = this.#slot + 1; next <= slot; next++) this.#counts[next % SLOTS] = 0;
    this.#slot = slot;
  }
}
