import type { EnergyClass } from '../../nodes/headend/frame/fields.ts';
import type { Random } from './random.ts';
import type { ClockErrors } from './scenario.ts';

/** The clock of one device: it runs a little fast or slow, and its radio's callbacks come a little late. */
export class DeviceClock {
  /** Local seconds per true second. */
  readonly rate: number;
  readonly #jitterUs: number;
  readonly #random: Random;

  /** Draws the error that this device keeps. Those on a battery count time with an RC oscillator, because they sleep. */
  constructor(errors: ClockErrors, energy: EnergyClass, random: Random) {
    const bound = energy === 'battery' ? errors.rcPercent / 100 : errors.crystalPpm / 1e6;
    this.rate = 1 + bound * (2 * random.float() - 1);
    this.#jitterUs = Math.round(errors.callbackJitterMs * 1000);
    this.#random = random;
  }

  /** Local time, whole us, when `trueUs` have passed. */
  local(trueUs: number): number {
    return Math.floor(trueUs * this.rate);
  }

  /** The first whole us of true time at which the local time is `localUs` or later. */
  whenLocal(localUs: number): number {
    const trueUs = Math.ceil(localUs / this.rate);
    return this.local(trueUs) < localUs ? trueUs + 1 : trueUs;
  }

  /** How late the firmware learns of the next event of its radio, us. */
  callbackDelayUs(): number {
    return this.#jitterUs === 0 ? 0 : this.#random.int(this.#jitterUs + 1);
  }
}
