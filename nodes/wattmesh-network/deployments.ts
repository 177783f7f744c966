import type { EventEmitter } from 'node:events';
import type { NetworkRuntime } from './runtime.ts';

/**
 * Nodes appear one after the other in a deployment, and what is sent to one that is not there yet is lost: readings flow only between the
 * end of one deployment and the beginning of the next. However many networks there are, Node-RED's events have one listener of ours each.
 */
export class Deployments {
  readonly #events: EventEmitter;
  readonly #runtimes = new Set<NetworkRuntime>();
  readonly #deliver = (): void => {
    for (const runtime of this.#runtimes) runtime.deliver();
  };
  readonly #hold = (): void => {
    for (const runtime of this.#runtimes) runtime.hold();
  };

  constructor(events: EventEmitter) {
    this.#events = events;
  }

  /** The network starts at the end of the present deployment. */
  add(runtime: NetworkRuntime): void {
    if (this.#runtimes.size === 0) {
      this.#events.on('flows:started', this.#deliver);
      this.#events.on('flows:stopping', this.#hold);
    }
    this.#runtimes.add(runtime);
  }

  remove(runtime: NetworkRuntime): void {
    this.#runtimes.delete(runtime);
    if (this.#runtimes.size > 0) return;
    this.#events.off('flows:started', this.#deliver);
    this.#events.off('flows:stopping', this.#hold);
  }
}
