import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHousehold } from '../../firmware/simulator/loads/household.ts';

const MINUTE_MS = 60_000;
/** Midnight of Monday, 12 December 2016 in Central Europe: the begin of the measured series, 62 minutes without a gap. */
const FROM_MS = Date.UTC(2016, 11, 11, 23);
const MEASURED_MINUTES = 62;
const HOUSEHOLDS = 300;

/** What tells a household's minute series from noise and from a smooth profile. */
interface SeriesStatistics {
  /** Power that nine tenths of the minutes exceed (W): standby and what never stops. */
  baseW: number;
  peakToMean: number;
  /** Changes of more than 200 W from one minute to the next, per hour: heaters and motors. */
  bigStepsPerHour: number;
  /** Part of the changes below 50 W. */
  smallChanges: number;
  /** Part of the changes below 5 W: nothing switched. */
  stillMinutes: number;
  /** Autocorrelation at a lag of one minute. */
  persistence: number;
}

function statisticsOf(watts: readonly number[]): SeriesStatistics {
  const mean = watts.reduce((sum, value) => sum + value, 0) / watts.length;
  const changes = watts.slice(1).map((value, index) => Math.abs(value - (watts[index] ?? 0)));
  const part = (accept: (change: number) => boolean) => changes.filter(accept).length / changes.length;
  const squares = watts.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const products = watts.slice(1).reduce((sum, value, index) => sum + (value - mean) * ((watts[index] ?? 0) - mean), 0);
  return {
    baseW: quantile(watts, 0.1),
    peakToMean: Math.max(...watts) / mean,
    bigStepsPerHour: part((change) => change > 200) * 60,
    smallChanges: part((change) => change < 50),
    stillMinutes: part((change) => change < 5),
    persistence: products / squares,
  };
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN;
}

function simulatedMinutes(seed: number, minutes: number): number[] {
  const household = createHousehold(`real ${seed}`);
  return Array.from({ length: minutes }, (_, minute) => household.sample(FROM_MS + minute * MINUTE_MS).powerDw / 10);
}

describe('minute series of a household', () => {
  let nights: SeriesStatistics[];
  let days: SeriesStatistics[];

  before(function () {
    this.timeout(60_000);
    const series = Array.from({ length: HOUSEHOLDS }, (_, seed) => simulatedMinutes(seed, 1440));
    days = series.map(statisticsOf);
    nights = series.map((watts) => statisticsOf(watts.slice(0, MEASURED_MINUTES)));
  });

  it('has the real household inside the simulated ones, in each statistic of the same hour', function () {
    const shared = process.env.WATTMESH_SHARED;
    if (!shared) return this.skip();
    const measured = statisticsOf(readMeasured(join(shared, 'captures/load/dev/dsmrreader_household_1min_kW.csv')));
    // The measured household is a quiet and small one (49 W at its base, 109 W on average); so it may be near an edge, but not over it.
    for (const name of Object.keys(measured) as (keyof SeriesStatistics)[]) {
      const simulated = nights.map((statistics) => statistics[name]);
      const [low, high] = [quantile(simulated, 0.01), quantile(simulated, 0.99)];
      assert.ok(measured[name] >= low && measured[name] <= high, `${name}: ${measured[name]} not in ${low}..${high}`);
    }
  });

  /** Checks that a quantile of the simulated days lies between two bounds. */
  function within(name: keyof SeriesStatistics, part: number, low: number, high: number, from = days): void {
    const value = quantile(
      from.map((statistics) => statistics[name]),
      part,
    );
    assert.ok(value >= low && value <= high, `${name}, quantile ${part}: ${value} not in ${low}..${high}`);
  }

  it('rests on a base between a small flat and a large house', () => {
    // The measured one rests on 49 W; routers, standby and coolers of 1,800-5,500 kWh a year make 20-300 W.
    within('baseW', 0.05, 20, 60);
    within('baseW', 0.5, 60, 160);
    within('baseW', 0.95, 160, 320);
  });

  it('peaks with a kettle or oven over a mean of some hundred watts', () => {
    // 1.8-7 kW over 0.15-0.6 kW.
    within('peakToMean', 0.05, 3.5, 8);
    within('peakToMean', 0.5, 6, 12);
    within('peakToMean', 0.95, 10, 25);
  });

  it('switches heaters a few times an hour by day and rarely at night', () => {
    // The measured hour at midnight has no step over 200 W; by day a cooker's thermostat alone makes tens in half an hour.
    within('bigStepsPerHour', 0.5, 0.5, 4);
    within('bigStepsPerHour', 0.95, 2, 12);
    within('bigStepsPerHour', 0.5, 0, 0.5, nights);
  });

  it('is still most minutes, with steps between', () => {
    // Measured: 95 % of the changes below 50 W, 77 % below 5 W. White noise with the spread of such a day
    // (about 400 W) has 7 % below 50 W.
    within('smallChanges', 0.05, 0.75, 0.95);
    within('smallChanges', 0.5, 0.82, 0.98);
    within('stillMinutes', 0.5, 0.65, 0.9);
    within('stillMinutes', 0.5, 0.65, 0.95, nights);
  });

  it('lasts from one minute to the next', () => {
    // Measured 0.86; noise has 0, a smooth profile over 0.99.
    within('persistence', 0.05, 0.4, 0.8);
    within('persistence', 0.5, 0.6, 0.95);
    within('persistence', 0.5, 0.75, 0.97, nights);
  });
});

/** Power (W) of the measured minutes before the first gap. */
function readMeasured(path: string): number[] {
  const rows = readFileSync(path, 'utf8')
    .trim()
    .split(/\r?\n/)
    .slice(1, 1 + MEASURED_MINUTES)
    .map((line) => line.split(','));
  rows.forEach(([readAt], minute) => {
    assert.equal(
      Date.parse(readAt ?? ''),
      FROM_MS + minute * MINUTE_MS,
      `row ${minute} of ${path} is not a minute later`,
    );
  });
  return rows.map((row) => 1000 * Number(row[1]));
}
