/** Expected load of a household over a day: the H25 figures of its weekday, between the seasons. */
import { dayOfYear, QUARTERS_PER_DAY, weekdayOf } from './calendar.ts';
import { type DayType, H25_APRIL, H25_JANUARY } from './h25.ts';

const DAYS_PER_YEAR = 365;
/** The published figures are sums per quarter hour for this yearly use. */
const REFERENCE_KWH = 1_000_000;
const MID_JANUARY = 14;
/** Days from mid-January to mid-April. */
const SEASON_DAYS = 90;

/** Saturday, Sunday or working day. Public holidays count as the weekday they fall on. */
export function dayTypeOf(localDay: number): DayType {
  const weekday = weekdayOf(localDay);
  if (weekday === 0) return 'FT';
  return weekday === 6 ? 'SA' : 'WT';
}

/**
 * Weight of the January figures, 1 in mid-January, falling evenly to 0 in mid-April; the year is mirrored at mid-January, so that autumn
 * returns as spring went, and between mid-April and mid-October the April figures hold.
 */
export function winterWeight(localDay: number): number {
  const distance = Math.abs(dayOfYear(localDay) - MID_JANUARY);
  return Math.max(0, 1 - Math.min(distance, DAYS_PER_YEAR - distance) / SEASON_DAYS);
}

/**
 * Load of each quarter hour of a local day, as a multiple of the year's mean power (96 figures). Over a year they average 1. The level moves
 * with the season only as far as the two published months do: the polynomial by which utilities raise winter over summer is left out.
 */
export function dayShape(localDay: number): Float64Array {
  return blend(dayTypeOf(localDay), winterWeight(localDay), YEAR_SCALE);
}

function blend(type: DayType, winter: number, scale: number): Float64Array {
  const january = H25_JANUARY[type];
  const april = H25_APRIL[type];
  return Float64Array.from({ length: QUARTERS_PER_DAY }, (_, quarter) => {
    const value = winter * (january[quarter] ?? 0) + (1 - winter) * (april[quarter] ?? 0);
    return value * scale;
  });
}

/** Makes the quarter hours of a year with five working days a week average 1. */
const YEAR_SCALE = yearScale();

function yearScale(): number {
  const perQuarter = (DAYS_PER_YEAR * QUARTERS_PER_DAY) / REFERENCE_KWH;
  const daysPerWeek = { WT: 5, SA: 1, FT: 1 };
  let sum = 0;
  for (let day = 0; day < DAYS_PER_YEAR; day++) {
    for (const type of ['WT', 'SA', 'FT'] as const) {
      const shape = blend(type, winterWeight(day), perQuarter);
      sum += (daysPerWeek[type] / 7) * shape.reduce((total, value) => total + value, 0);
    }
  }
  return (perQuarter * DAYS_PER_YEAR * QUARTERS_PER_DAY) / sum;
}
