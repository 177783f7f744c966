import { Findings, type Violation } from './checkers/violation.ts';
import type { Device } from './device.ts';
import type { Scenario } from './scenario.ts';
import type { Fault } from './scenario-faults.ts';
import type { World, WorldObserver } from './world.ts';

/** Seconds between two looks at all clocks. */
const SAMPLE_S = 10;
/** Nothing was disturbed for so long, and for so many poll cycles: the mesh is at rest. */
const REST_S = 900;
const REST_CYCLES = 4;
/** No router in a tree is further from the truth while the mesh is at rest, ms, with chips as they are: crystals, callbacks. */
export const TIME_ERROR_MS_MAX = 50;
const CRYSTAL_PPM_MAX = 20;
const CALLBACK_MS_MAX = 2;
/** Bins of a tenth of a millisecond; what is wrong by more than a second lies in the last. */
const BINS_PER_MS = 10;
const BINS = 1000 * BINS_PER_MS + 1;

/** Milliseconds. */
export interface ErrorFigures {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** How far the clocks of the devices are from the truth. */
export interface TimeFigures {
  /** Of everybody with mains or backup power but gateways, which have their time from the host. */
  readonly routerErrorMs: ErrorFigures;
  /** Of those on a battery. */
  readonly leafErrorMs: ErrorFigures;
}

/** Seconds without a disturbance after which a mesh is at rest. */
export function restS({ pollCycleS }: Pick<Scenario, 'pollCycleS'>): number {
  return Math.max(REST_S, REST_CYCLES * pollCycleS);
}

/** Sizes of errors, in a fixed amount of memory. */
export class ErrorSpread {
  readonly #bins = new Uint32Array(BINS);
  #count = 0;
  #maxMs = 0;

  add(errorMs: number): void {
    const sizeMs = Math.abs(errorMs);
    const bin = Math.min(BINS - 1, Math.floor(sizeMs * BINS_PER_MS));
    this.#bins[bin] = (this.#bins[bin] as number) + 1;
    this.#count++;
    this.#maxMs = Math.max(this.#maxMs, sizeMs);
  }

  /** Quantiles are rounded up to 0.1 ms; zeros when nothing was added. */
  figures(): ErrorFigures {
    return { p50: this.#quantile(0.5), p99: this.#quantile(0.99), max: this.#maxMs };
  }

  #quantile(share: number): number {
    let left = share * this.#count;
    const bin = this.#bins.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return this.#count === 0 ? 0 : Math.min(this.#maxMs, (bin + 1) / BINS_PER_MS);
  }
}

/**
 * Compares every device's network time with the true one, every 10 s from `start()` on, while the mesh is at rest: no fault and no device
 * powered up or down for {@link restS}. Devices that have no time yet do not count.
 */
export class TimeErrors implements WorldObserver {
  readonly #world: World;
  readonly #routers = new ErrorSpread();
  readonly #leaves = new ErrorSpread();
  readonly #findings: Findings;
  #disturbedS = 0;
  /** Faults that cut somebody off and have not ended. */
  #cutOff = 0;

  constructor(world: World) {
    this.#world = world;
    this.#findings = new Findings('time-right', world.seed);
    world.observe(this);
  }

  start(): void {
    const { schedule } = this.#world;
    schedule.at(schedule.nowUs + SAMPLE_S * 1e6, () => {
      this.#sample();
      this.start();
    });
  }

  get violations(): readonly Violation[] {
    return this.#findings.violations;
  }

  figures(): TimeFigures {
    return { routerErrorMs: this.#routers.figures(), leafErrorMs: this.#leaves.figures() };
  }

  power(): void {
    this.#disturbedS = this.#world.schedule.nowUs / 1e6;
  }

  fault(fault: Fault): void {
    this.#disturbedS = this.#world.schedule.nowUs / 1e6;
    // Until the host is back, somebody has power again or can be reached, those cut off run freely.
    if (fault.kind === 'hostOutage') this.#cutOff += fault.on ? 1 : -1;
    else if (fault.kind === 'kill' || fault.kind === 'partition') this.#cutOff++;
    else if (fault.kind === 'revive' || fault.kind === 'heal') this.#cutOff = Math.max(0, this.#cutOff - 1);
  }

  #sample(): void {
    const { schedule, devices } = this.#world;
    if (schedule.nowUs / 1e6 - this.#disturbedS < restS(this.#world.scenario)) return;
    const trueUs = this.#world.utcMs() * 1000 + (schedule.nowUs % 1000);
    for (const device of devices) {
      const utcUs = device.config.role === 'gateway' ? undefined : device.utcUs();
      if (utcUs === undefined) continue;
      const spread = device.config.energy === 'battery' ? this.#leaves : this.#routers;
      const errorMs = (utcUs - trueUs) / 1000;
      spread.add(errorMs);
      if (Math.abs(errorMs) > TIME_ERROR_MS_MAX && this.#isJudged(device)) {
        this.#findings.report(device.id, `its time is wrong by ${Math.round(errorMs)} ms`, schedule.nowUs / 1e6);
      }
    }
  }

  #isJudged(device: Device): boolean {
    const { mode, clock } = this.#world.scenario;
    if (this.#cutOff > 0) return false;
    const isUsual = clock.crystalPpm <= CRYSTAL_PPM_MAX && clock.callbackJitterMs <= CALLBACK_MS_MAX;
    return isUsual && mode === 'collection' && device.config.energy !== 'battery' && device.state()?.attached === true;
  }
}
