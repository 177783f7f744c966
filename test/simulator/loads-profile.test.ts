import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createCalendar,
  DAY_MS,
  localDayAt,
  localMidnightMs,
  QUARTER_MS,
  QUARTERS_PER_DAY,
  wallQuarterAt,
} from '../../firmware/simulator/loads/calendar.ts';
import { type DayType, H25_APRIL, H25_JANUARY } from '../../firmware/simulator/loads/h25.ts';
import { createHousehold } from '../../firmware/simulator/loads/household.ts';
import { dayShape, dayTypeOf, winterWeight } from '../../firmware/simulator/loads/profile.ts';

const localDay = (year: number, month: number, day: number) => Date.UTC(year, month - 1, day) / DAY_MS;

describe('household calendar', () => {
  const calendar = createCalendar();

  it('keeps Central European time', () => {
    assert.equal(localMidnightMs(calendar, localDay(2025, 1, 15)), Date.UTC(2025, 0, 14, 23));
    assert.equal(localMidnightMs(calendar, localDay(2025, 7, 15)), Date.UTC(2025, 6, 14, 22));
    assert.equal(localDayAt(calendar, Date.UTC(2025, 6, 14, 22)), localDay(2025, 7, 15));
    assert.equal(localDayAt(calendar, Date.UTC(2025, 6, 14, 22) - 1), localDay(2025, 7, 14));
  });

  it('gives the days of the change 23 and 25 hours, and the wall clock leaps', () => {
    const hours = (day: number) => (localMidnightMs(calendar, day + 1) - localMidnightMs(calendar, day)) / 3_600_000;
    assert.equal(hours(localDay(2025, 3, 30)), 23);
    assert.equal(hours(localDay(2025, 10, 26)), 25);
    assert.equal(hours(localDay(2025, 3, 31)), 24);
    assert.equal(wallQuarterAt(calendar, Date.UTC(2025, 2, 30, 1) - 1), 7);
    assert.equal(wallQuarterAt(calendar, Date.UTC(2025, 2, 30, 1)), 12);
  });

  it('keeps a fixed offset where one is given', () => {
    const india = createCalendar(330);
    assert.equal(localMidnightMs(india, localDay(2025, 7, 15)), Date.UTC(2025, 6, 14, 18, 30));
    assert.equal(wallQuarterAt(india, Date.UTC(2025, 6, 14, 18, 45)), 1);
  });
});

describe('H25 profile', () => {
  it('carries the published figures', function () {
    const shared = process.env.WATTMESH_SHARED;
    if (!shared) return this.skip();
    const [header, ...rows] = readCsv(join(shared, 'captures/load/dev/bdew_h25_quarterhour_jan_apr.csv'));
    const types = ['SA', 'FT', 'WT'] as const;
    assert.deepEqual(header, [
      'quarter_start',
      ...types.map((type) => `Jan_${type}`),
      ...types.map((type) => `Apr_${type}`),
    ]);
    assert.equal(rows.length, QUARTERS_PER_DAY);
    rows.forEach((row, quarter) => {
      const carried = [H25_JANUARY, H25_APRIL].flatMap((month) => types.map((type) => month[type][quarter]));
      assert.deepEqual(carried, row.slice(1).map(Number));
    });
  });

  it('knows Saturdays, Sundays and working days', () => {
    const week = [13, 14, 15, 16, 17, 18, 19].map((day) => dayTypeOf(localDay(2025, 1, day)));
    assert.deepEqual(week, ['WT', 'WT', 'WT', 'WT', 'WT', 'SA', 'FT']);
  });

  it('goes from January to April and back over the mirrored year', () => {
    assert.equal(winterWeight(localDay(2025, 1, 15)), 1);
    assert.equal(winterWeight(localDay(2025, 4, 15)), 0);
    assert.equal(winterWeight(localDay(2025, 7, 15)), 0);
    assert.equal(winterWeight(localDay(2025, 3, 1)), winterWeight(localDay(2025, 12, 1)));
    const april = dayShape(localDay(2025, 4, 16));
    assert.ok(Math.abs((april[48] ?? 0) / (april[0] ?? 1) - 27.339 / 21.235) < 1e-9);
  });

  it('averages 1 over a year', () => {
    let sum = 0;
    for (let day = localDay(2025, 1, 1); day < localDay(2026, 1, 1); day++) sum += average(dayShape(day));
    assert.ok(Math.abs(sum / 365 - 1) < 0.002, `${sum / 365}`);
  });
});

describe('mean of 200 households over a week', () => {
  // 13 to 19 January 2025: five working days, Saturday, Sunday, where the January figures have at least 0.95 of the weight.
  const fromDay = localDay(2025, 1, 13);
  let simulatedW: Float64Array;
  let meanW = 0;

  before(function () {
    this.timeout(60_000);
    simulatedW = new Float64Array(QUARTERS_PER_DAY);
    const households = 200;
    const fromMs = localMidnightMs(createCalendar(), fromDay);
    for (let seed = 0; seed < households; seed++) {
      const annualKwh = 1800 + (3700 * seed) / (households - 1);
      meanW += (annualKwh * 1000) / 8760 / households;
      const household = createHousehold(`mean ${seed}`, { annualKwh });
      let last = household.sample(fromMs).importDwh;
      for (let quarter = 0; quarter < 7 * QUARTERS_PER_DAY; quarter++) {
        const { importDwh } = household.sample(fromMs + (quarter + 1) * QUARTER_MS);
        const at = quarter % QUARTERS_PER_DAY;
        simulatedW[at] = (simulatedW[at] ?? 0) + ((importDwh - last) * 0.4) / households / 7;
        last = importDwh;
      }
    }
  });

  const publishedWeek = Float64Array.from({ length: QUARTERS_PER_DAY }, (_, quarter) => {
    const of = (type: DayType) => H25_JANUARY[type][quarter] ?? 0;
    return (5 * of('WT') + of('SA') + of('FT')) / 7;
  });

  it('follows the shape of H25', () => {
    assert.ok(correlation(simulatedW, publishedWeek) > 0.985, `r = ${correlation(simulatedW, publishedWeek)}`);
  });

  it('is near H25 in every quarter hour', () => {
    // A quarter hour of one household spreads by 0.4 to 1.1 of its mean; over 1,400 household days that leaves 1-3 % of standard error.
    const errors = simulatedW.map((watts, quarter) =>
      Math.abs(watts / average(simulatedW) / ((publishedWeek[quarter] ?? 0) / average(publishedWeek)) - 1),
    );
    assert.ok(average(errors) < 0.035, `mean error ${average(errors)}`);
    assert.ok(Math.max(...errors) < 0.12, `worst error ${Math.max(...errors)}`);
  });

  it('uses the energy its yearly use asks for', () => {
    const shapeMean = average(Float64Array.from({ length: 7 }, (_, day) => average(dayShape(fromDay + day))));
    const ratio = average(simulatedW) / (meanW * shapeMean);
    assert.ok(Math.abs(ratio - 1) < 0.03, `${ratio}`);
  });
});

function average(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function correlation(a: Float64Array, b: Float64Array): number {
  const [meanA, meanB] = [average(a), average(b)];
  let both = 0;
  let squaresA = 0;
  let squaresB = 0;
  a.forEach((value, index) => {
    const [fromA, fromB] = [value - meanA, (b[index] ?? 0) - meanB];
    both += fromA * fromB;
    squaresA += fromA ** 2;
    squaresB += fromB ** 2;
  });
  return both / Math.sqrt(squaresA * squaresB);
}

function readCsv(path: string): string[][] {
  return readFileSync(path, 'utf8')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(','));
}
