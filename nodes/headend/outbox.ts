import type { Clock, Timer } from './clock.ts';
import type { OutboxEntry } from './store/store.ts';

/** Most messages that wait for somebody to listen; beyond it no further packets are taken in. */
export const OUTBOX_WAITING_MAX = 200_000;
/**
 * A message counts as sent this long, ms, after it went out: whoever takes it may hand it on in a later turn of the event loop, as Node-RED
 * does from node to node, and a crash in between must not lose it.
 */
export const SENT_AFTER_MS = 20;

interface Waiting {
  readonly entries: readonly OutboxEntry[];
  readonly redelivered: boolean;
}

/** Stored rows whose messages have not gone out yet, in order of their ids; closed while nobody listens. */
export class Outbox {
  readonly #clock: Clock;
  readonly #emit: (entry: OutboxEntry, redelivered: boolean) => void;
  readonly #counted: () => void;
  #waiting: Waiting[] = [];
  #rows = 0;
  #open = false;
  #ending = false;
  #out = 0;
  #sent = 0;
  #timer: Timer | undefined;

  /** `counted` is called whenever `sent` has changed. */
  constructor(clock: Clock, emit: (entry: OutboxEntry, redelivered: boolean) => void, counted: () => void) {
    this.#clock = clock;
    this.#emit = emit;
    this.#counted = counted;
  }

  /** Id of the last message that counts as sent; 0: none yet. */
  get sent(): number {
    return this.#sent;
  }

  get isFull(): boolean {
    return this.#rows >= OUTBOX_WAITING_MAX;
  }

  /** Messages to send; `redelivered` when an earlier life of the head-end may have sent them. */
  add(entries: readonly OutboxEntry[], redelivered: boolean): void {
    if (entries.length === 0) return;
    this.#waiting.push({ entries, redelivered });
    this.#rows += entries.length;
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

  /** From now on what has gone out counts as sent at once: the head-end ends in good order, and takes longer to do so than handing on takes. */
  end(): void {
    this.#ending = true;
    this.#timer?.cancel();
    this.#count(this.#out);
  }

  #drain(): void {
    if (!this.#open) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#rows = 0;
    for (const { entries, redelivered } of waiting) {
      for (const entry of entries) {
        this.#emit(entry, redelivered);
        this.#out = entry.id;
      }
    }
    if (this.#ending) this.#count(this.#out);
    else this.#countLater();
  }

  #countLater(): void {
    const id = this.#out;
    if (this.#timer || id === this.#sent) return;
    this.#timer = this.#clock.after(SENT_AFTER_MS, () => {
      this.#timer = undefined;
      this.#count(id);
      this.#countLater();
    });
  }

  #count(id: number): void {
    if (id === this.#sent) return;
    this.#sent = id;
    this.#counted();
  }
}
