import type { Clock, Timer } from '../clock.ts';
import type { HostPresence } from '../frame/topics.ts';

/** How long a newcomer waits for the broker's retained host message before it takes the network to be free, ms. */
export const HOST_SETTLE_MS = 500;
/** How often the instance in charge repeats its `online`, ms. */
export const HOST_REFRESH_MS = 10_000;
/** A retained `online` that nobody repeats for this long, ms, is left over from an instance that died together with its broker. */
export const HOST_SILENT_MS = 35_000;

/** What a watch finds out; neither is called after `stop`. */
export interface WatchEvents {
  /** No other instance serves the network. */
  free(): void;
  /** Instance `by` serves the network, or did until a moment ago: told once per instance. */
  held(by: string): void;
}

/** Watches the host topic for a newcomer: is the network free, or does another living instance of the head-end serve it? */
export class HostWatch {
  readonly #instance: string;
  readonly #clock: Clock;
  readonly #events: WatchEvents;
  #holder: string | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(instance: string, clock: Clock, events: WatchEvents) {
    this.#instance = instance;
    this.#clock = clock;
    this.#events = events;
  }

  /** The broker has granted the subscription: what it retains comes now, or has come already. */
  subscribed(): void {
    if (!this.#stopped && this.#holder === undefined) this.#wait(HOST_SETTLE_MS);
  }

  /** A message on the host topic; undefined for one that names no instance. */
  heard(presence: HostPresence | undefined): void {
    if (this.#stopped) return;
    if (!presence) {
      if (this.#holder === undefined) this.#free();
      return;
    }
    const { online, instance } = presence;
    if (online && instance !== this.#instance) {
      const known = this.#holder === instance;
      this.#holder = instance;
      this.#wait(HOST_SILENT_MS);
      if (!known) this.#events.held(instance);
    } else if (this.#holder === undefined || this.#holder === instance || online) {
      this.#free();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #wait(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(delayMs, () => this.#free());
  }

  #free(): void {
    this.stop();
    this.#events.free();
  }
}

/**
 * What the instance in charge does about a message on the host topic: nothing about its own, `assert` (publish its `online` again) over
 * anything that would hide it. Should two instances ever be in charge at once, the one with the lower id stays and the other yields.
 */
export function answerAsHost(instance: string, presence: HostPresence | undefined): 'nothing' | 'assert' | 'yield' {
  if (presence?.online && presence.instance === instance) return 'nothing';
  return presence?.online && presence.instance < instance ? 'yield' : 'assert';
}
