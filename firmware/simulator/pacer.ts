import type { Clock, Timer } from '../../nodes/headend/clock.ts';
import type { World } from './world.ts';

/** Step in which a world follows the clock, ms. */
const STEP_MS = 50;
/** Most that is caught up at once, ms; after a longer pause of the process the world simply goes on later. */
export const CATCH_UP_MS_MAX = 5_000;

/** Runs a world in real time. */
export class Pacer {
  readonly #world: World;
  readonly #clock: Clock;
  readonly #failed: (error: Error) => void;
  #timer: Timer | undefined;
  #lastMs: number;

  /** The world's time is that of the clock at this moment. `failed` hears why the world cannot go on; the pacer has stopped then. */
  constructor(world: World, clock: Clock, failed: (error: Error) => void) {
    this.#world = world;
    this.#clock = clock;
    this.#failed = failed;
    this.#lastMs = clock.nowMs();
  }

  /** Goes on; what the clock has shown meanwhile is caught up or left out. */
  start(): void {
    this.#timer ??= this.#clock.after(STEP_MS, () => this.#step());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #step(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.nowMs();
    // A clock that was set back stands still for the world.
    const passedMs = Math.max(0, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    const runMs = Math.min(passedMs, CATCH_UP_MS_MAX);
    if (runMs < passedMs) this.#world.skip(passedMs - runMs);
    try {
      this.#world.run(this.#world.schedule.nowUs + Math.round(runMs * 1000));
    } catch (error) {
      this.#failed(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.start();
  }
}
