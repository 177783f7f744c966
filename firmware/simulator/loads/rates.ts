/** How often each appliance starts in each quarter hour, so that the expected load of the household is a given curve. */
import { APPLIANCES, type Appliance } from './appliances.ts';
import { QUARTER_MS, QUARTERS_PER_DAY } from './calendar.ts';
import { mix, seedWord, uniformFrom } from './random.ts';

/** An appliance as one household has it. */
export interface OwnedAppliance {
  readonly appliance: Appliance;
  /** Index in APPLIANCES. */
  readonly kind: number;
  /** Rated power as a multiple of the ordinary one. */
  readonly size: number;
  /** Part of the switched energy, before the hours of the day. */
  readonly share: number;
}

/** Runs that the mean response of an appliance is averaged over. */
const RESPONSE_RUNS = 128;
const QUARTER_S = QUARTER_MS / 1000;
/** Corrections of the rates; with twice as many the mean of 1,000 households lies no closer to its target. */
const FIT_ROUNDS = 4;

interface Response {
  /** Mean power (W) in the quarter hour of the start and in each that follows. */
  readonly watts: Float64Array;
  /** Energy of a run divided by a quarter hour (W). */
  readonly total: number;
  /** Quarter hours from the start to the middle of the energy, rounded. */
  readonly delay: number;
}

const RESPONSES: readonly Response[] = APPLIANCES.map(meanResponse);

/** What a run that starts at a random moment of a quarter hour draws on average, quarter hour by quarter hour. */
function meanResponse(appliance: Appliance): Response {
  const uniform = uniformFrom(seedWord(appliance.name));
  const joules: number[] = [];
  for (let run = 0; run < RESPONSE_RUNS; run++) {
    let second = (QUARTER_S * (run + 0.5)) / RESPONSE_RUNS;
    for (const { seconds, watts } of appliance.run(uniform)) {
      const end = second + seconds;
      while (second < end) {
        const quarter = Math.floor(second / QUARTER_S);
        const until = Math.min(end, (quarter + 1) * QUARTER_S);
        joules[quarter] = (joules[quarter] ?? 0) + watts * (until - second);
        second = until;
      }
    }
  }
  const watts = Float64Array.from(joules, (sum) => (sum ?? 0) / RESPONSE_RUNS / QUARTER_S);
  const total = watts.reduce((sum, value) => sum + value, 0);
  const moment = watts.reduce((sum, value, quarter) => sum + value * quarter, 0);
  return { watts, total, delay: Math.round(moment / total) };
}

/** Draws which appliances a household owns and how it uses them. */
export function drawFleet(seed: number): OwnedAppliance[] {
  return APPLIANCES.flatMap((appliance, kind) => {
    const uniform = uniformFrom(mix(seed, kind));
    if (uniform() >= appliance.owned) return [];
    return [{ appliance, kind, size: 0.85 + 0.3 * uniform(), share: appliance.share * (0.5 + uniform()) }];
  });
}

/**
 * Expected starts per quarter hour of the day (96 figures for each appliance, cyclic over midnight) with which the appliances together draw
 * `targetW` (96 positive figures, W) on average. The first guess hands each quarter hour's energy to the appliances in use then, as starts
 * earlier by each one's delay; the rounds after it take out what the length of the runs smears.
 */
export function fitStartRates(targetW: Float64Array, fleet: readonly OwnedAppliance[]): Float64Array[] {
  const rates = firstGuess(targetW, fleet);
  for (let round = 0; round < FIT_ROUNDS; round++) {
    const expected = expectedLoad(rates, fleet);
    fleet.forEach(({ kind }, index) => {
      const { delay } = responseOf(kind);
      const rate = rates[index] as Float64Array;
      for (let quarter = 0; quarter < QUARTERS_PER_DAY; quarter++) {
        const at = (quarter + delay) % QUARTERS_PER_DAY;
        rate[quarter] = ((rate[quarter] as number) * (targetW[at] as number)) / Math.max(1e-9, expected[at] as number);
      }
    });
  }
  return rates;
}

function firstGuess(targetW: Float64Array, fleet: readonly OwnedAppliance[]): Float64Array[] {
  const weightAt = (owned: OwnedAppliance, quarter: number) =>
    owned.share * Number(owned.appliance.hours[Math.floor(quarter / 4)]);
  const weightSums = targetW.map((_, quarter) => fleet.reduce((sum, owned) => sum + weightAt(owned, quarter), 0));
  const idle = weightSums.indexOf(0);
  if (idle >= 0)
    throw new Error(`no appliance may run at quarter hour ${idle}: give one of the household's a digit above 0 there`);
  return fleet.map((owned) => {
    const { total, delay } = responseOf(owned.kind);
    return targetW.map((_, quarter) => {
      const at = (quarter + delay) % QUARTERS_PER_DAY;
      const part = weightAt(owned, at) / (weightSums[at] as number);
      return (part * (targetW[at] as number)) / (total * owned.size);
    });
  });
}

/** Mean power (W) of each quarter hour of the day under given start rates. */
export function expectedLoad(rates: readonly Float64Array[], fleet: readonly OwnedAppliance[]): Float64Array {
  const load = new Float64Array(QUARTERS_PER_DAY);
  fleet.forEach(({ kind, size }, index) => {
    const { watts } = responseOf(kind);
    const rate = rates[index] as Float64Array;
    for (let start = 0; start < QUARTERS_PER_DAY; start++) {
      const scale = (rate[start] as number) * size;
      for (let later = 0; later < watts.length; later++) {
        const quarter = (start + later) % QUARTERS_PER_DAY;
        load[quarter] = (load[quarter] as number) + scale * (watts[later] as number);
      }
    }
  });
  return load;
}

function responseOf(kind: number): Response {
  return RESPONSES[kind] as Response;
}
