/** Everything that switches in a household on one local day. */
import { type Calendar, localMidnightMs, QUARTER_MS, wallQuarterAt } from './calendar.ts';
import { type Cooler, pushCoolerCycles } from './cooling.ts';
import { dayShape } from './profile.ts';
import { mix, type Uniform, uniformFrom } from './random.ts';
import { fitStartRates, type OwnedAppliance } from './rates.ts';
import { pushRun, type Step } from './steps.ts';

/** What makes one household different from another. */
export interface Character {
  readonly seed: number;
  readonly calendar: Calendar;
  /** Mean power over the year (W). */
  readonly meanW: number;
  /** Mean power of what never follows the people: standby and coolers (W). */
  readonly baseW: number;
  readonly fleet: readonly OwnedAppliance[];
  readonly coolers: readonly Cooler[];
}

/** Spread of the days' activity: standard deviation of its logarithm. */
const ACTIVITY_SIGMA = 0.2;
/** Runs of one appliance in a day; the busiest (lamps of the largest household) stay below a tenth of it. */
const RUNS_PER_DAY_MAX = 2000;

/**
 * The load changes of all runs that begin on a local day, in ascending time; some end on the next. It depends on the household and the day
 * alone. The day may have 23 or 25 hours.
 */
export function planDay(character: Character, localDay: number): Step[] {
  const { seed, calendar, meanW, baseW, fleet } = character;
  const fromMs = localMidnightMs(calendar, localDay);
  const toMs = localMidnightMs(calendar, localDay + 1);
  const rates = fitStartRates(
    dayShape(localDay).map((multiple) => Math.max(0, multiple * meanW - baseW)),
    fleet,
  );
  const daySeed = mix(seed, localDay);
  const activity = dayActivity(uniformFrom(daySeed));
  const wallQuarters = Array.from({ length: (toMs - fromMs) / QUARTER_MS }, (_, quarter) =>
    wallQuarterAt(calendar, fromMs + quarter * QUARTER_MS),
  );
  const steps: Step[] = [];
  fleet.forEach((owned, index) => {
    const uniform = uniformFrom(mix(daySeed, owned.kind + 1));
    const rate = wallQuarters.map((quarter) => activity * (rates[index]?.[quarter] ?? 0));
    pushRuns(steps, owned, uniform, startTimes(uniform, rate, fromMs));
  });
  for (const cooler of character.coolers) pushCoolerCycles(steps, cooler, fromMs, toMs);
  return steps.sort((a, b) => a.atMs - b.atMs);
}

/** A day's activity against the expected one: log-normal with mean 1 (Box and Muller's transform). */
function dayActivity(uniform: Uniform): number {
  const normal = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return Math.exp(ACTIVITY_SIGMA * normal - ACTIVITY_SIGMA ** 2 / 2);
}

/** Moments of a Poisson process with a rate (starts) for each quarter hour from `fromMs` on, at whole seconds, ascending. */
function startTimes(uniform: Uniform, rates: readonly number[], fromMs: number): number[] {
  const starts: number[] = [];
  let expectedStarts = 0;
  let nextStart = -Math.log(1 - uniform());
  rates.forEach((rate, quarter) => {
    while (nextStart < expectedStarts + rate) {
      const part = (nextStart - expectedStarts) / rate;
      starts.push(fromMs + quarter * QUARTER_MS + Math.floor((part * QUARTER_MS) / 1000) * 1000);
      if (starts.length > RUNS_PER_DAY_MAX) {
        throw new Error(
          `an appliance would start more than ${RUNS_PER_DAY_MAX} times a day: check its share and its power`,
        );
      }
      nextStart -= Math.log(1 - uniform());
    }
    expectedStarts += rate;
  });
  return starts;
}

/**
 * Appends the runs of one appliance. Where a household has only one of it, a run waits for the end of the one before, also past midnight; a run
 * of the day before is not waited for, as a day is planned without the others.
 */
function pushRuns(steps: Step[], owned: OwnedAppliance, uniform: Uniform, starts: readonly number[]): void {
  let freeMs = 0;
  for (const startMs of starts) {
    const phases = owned.appliance.run(uniform);
    const endMs = pushRun(steps, Math.max(startMs, freeMs), phases, owned.size, owned.appliance.tanPhi);
    if (owned.appliance.single) freeMs = endMs;
  }
}
