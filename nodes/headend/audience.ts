import type { Clock, Timer } from './clock.ts';
import type { Listeners } from './listeners.ts';
import type { ReadingMessage } from './messages.ts';
import type { Outbox } from './outbox.ts';

/** Messages wait at most this long, ms, after a start for somebody to listen. */
export const LISTEN_GRACE_MS = 2_000;
/** And this long, ms, when the last listener has gone: a deployment of Node-RED, which gives nodes 15 s to close, brings the next one. */
export const RETURN_GRACE_MS = 20_000;

export interface AudienceParts {
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly listeners: Listeners<ReadingMessage>;
}

/** Lets messages of readings flow while somebody listens. They wait for a listener, but not for ever: somebody may want nothing but the store. */
export class Audience {
  readonly #parts: AudienceParts;
  #grace: Timer | undefined;
  #isLive = false;

  constructor(parts: AudienceParts) {
    this.#parts = parts;
  }

  /** Returns the function that ends it. */
  add(listener: (message: ReadingMessage) => void): () => void {
    const { listeners } = this.#parts;
    const end = listeners.add(listener);
    if (this.#isLive) this.#open();
    return () => {
      end();
      if (this.#isLive && !listeners.any) this.#await(RETURN_GRACE_MS);
    };
  }

  /** The head-end lives now. */
  begin(): void {
    this.#isLive = true;
    if (this.#parts.listeners.any) this.#open();
    else this.#await(LISTEN_GRACE_MS);
  }

  /** It lives no more. */
  end(): void {
    this.#isLive = false;
    this.#grace?.cancel();
  }

  #await(graceMs: number): void {
    this.#parts.outbox.close();
    this.#grace?.cancel();
    this.#grace = this.#parts.clock.after(graceMs, () => this.#open());
  }

  #open(): void {
    this.#grace?.cancel();
    this.#parts.outbox.open();
  }
}
