import type { Clock } from '../../../nodes/headend/clock.ts';
import type { Link, LinkHandler } from '../../../nodes/headend/link/link.ts';
import type { Store } from '../../../nodes/headend/store/store.ts';

/**
 * One life of a head-end's process: lends it clock, store and link. Once it is over, as by SIGKILL, nothing of that head-end happens any more:
 * no timer fires, nothing it waits for ever comes, nothing it sends leaves.
 */
export class Life {
  readonly clock: Clock;
  readonly store: Store;
  readonly link: Link;
  /** Resolves when it is over. */
  readonly ended: Promise<void>;
  #over = false;
  #end: () => void = () => undefined;

  constructor(parts: { readonly clock: Clock; readonly store: Store; readonly link: Link }) {
    this.clock = this.#clock(parts.clock);
    this.store = this.#store(parts.store);
    this.link = this.#link(parts.link);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  end(): void {
    this.#over = true;
    this.#end();
  }

  #whileAlive<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#over) return;
      call().then(
        (answer) => this.#over || resolve(answer),
        (error) => this.#over || reject(error),
      );
    });
  }

  #clock(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      after: (delayMs, callback) => clock.after(delayMs, () => this.#over || callback()),
    };
  }

  #store(store: Store): Store {
    return {
      kind: store.kind,
      open: () => this.#whileAlive(() => store.open()),
      takeEpoch: (utcS) => this.#whileAlive(() => store.takeEpoch(utcS)),
      commit: (group) => this.#whileAlive(() => store.commit(group)),
      readings: (query) => this.#whileAlive(() => store.readings(query)),
      count: () => this.#whileAlive(() => store.count()),
      close: () => this.#whileAlive(() => store.close()),
    };
  }

  #link(link: Link): Link {
    const living = (handler: LinkHandler): LinkHandler => ({
      envelope: (gateway, bytes) => this.#over || handler.envelope(gateway, bytes),
      bad: (gateway, reason, length) => this.#over || handler.bad(gateway, reason, length),
      state: (state) => this.#over || handler.state(state),
    });
    return {
      kind: link.kind,
      open: (handler) => link.open(living(handler)),
      send: (gateway, envelope) => !this.#over && link.send(gateway, envelope),
      close: () => this.#whileAlive(() => link.close()),
    };
  }
}
