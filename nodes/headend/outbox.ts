import type { OutboxEntry } from './store/store.ts';

/** Most messages that wait for somebody to listen; beyond it no further packets are taken in. */
export const OUTBOX_WAITING_MAX = 200_000;

interface Waiting {
  readonly entries: readonly OutboxEntry[];
  readonly redelivered: boolean;
}

/** Stored rows whose messages have not gone out yet, in order of their ids; closed while nobody listens. */
export class Outbox {
  readonly #emit: (entry: OutboxEntry, redelivered: boolean) => void;
  #waiting: Waiting[] = [];
  #count = 0;
  #open = false;
  #sent = 0;

  constructor(emit: (entry: OutboxEntry, redelivered: boolean) => void) {
    this.#emit = emit;
  }

  /** Id of the last message that has gone out; 0: none yet. */
  get sent(): number {
    return this.#sent;
  }

  get isFull(): boolean {
    return this.#count >= OUTBOX_WAITING_MAX;
  }

  /** Messages to send; `redelivered` when an earlier life of the head-end may have sent them. */
  add(entries: readonly OutboxEntry[], redelivered: boolean): void {
    if (entries.length === 0) return;
    this.#waiting.push({ entries, redelivered });
    this.#count += entries.length;
    this.#drain();
  }

  /** From now on messages go out as they come. */
  open(): void {
    this.#open = true;
    this.#drain();
  }

  /** From now on messages wait again. */
  close(): void {
    this.#open = false;
  }

  #drain(): void {
    if (!this.#open) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#count = 0;
    for (const { entries, redelivered } of waiting) {
      for (const entry of entries) {
        this.#emit(entry, redelivered);
        this.#sent = entry.id;
      }
    }
  }
}
