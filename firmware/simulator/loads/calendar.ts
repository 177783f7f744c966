/** Local days and quarter hours of a household: Central European time, or a fixed offset from UTC. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const QUARTER_MS = 15 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const QUARTERS_PER_DAY = 96;

export interface Calendar {
  /** Milliseconds that local time is ahead of UTC at a moment. */
  offsetMs(utcMs: number): number;
}

/** A calendar with a fixed offset in minutes; without one, Central European time with summer time (Europe/Berlin since 1996). */
export function createCalendar(utcOffsetMin?: number): Calendar {
  if (utcOffsetMin === undefined) return { offsetMs: centralEuropeanOffsetMs };
  return { offsetMs: () => utcOffsetMin * MINUTE_MS };
}

/** Number of the local day (days since 1970-01-01) that holds a moment. */
export function localDayAt(calendar: Calendar, utcMs: number): number {
  return Math.floor((utcMs + calendar.offsetMs(utcMs)) / DAY_MS);
}

/** UTC ms of a local day's midnight. */
export function localMidnightMs(calendar: Calendar, localDay: number): number {
  const localMs = localDay * DAY_MS;
  // Clocks change at 01:00 UTC; two hours before the local midnight the offset of that midnight already holds.
  return localMs - calendar.offsetMs(localMs - 2 * HOUR_MS);
}

/** Quarter hour 0..95 of the wall clock at a moment. */
export function wallQuarterAt(calendar: Calendar, utcMs: number): number {
  const localMs = utcMs + calendar.offsetMs(utcMs);
  return Math.floor((((localMs % DAY_MS) + DAY_MS) % DAY_MS) / QUARTER_MS);
}

/** Weekday of a local day, 0 = Sunday. Day 0 was a Thursday. */
export function weekdayOf(localDay: number): number {
  return (((localDay + 4) % 7) + 7) % 7;
}

/** Day of the year of a local day, 0 = 1 January. */
export function dayOfYear(localDay: number): number {
  const year = new Date(localDay * DAY_MS).getUTCFullYear();
  return localDay - Date.UTC(year, 0, 1) / DAY_MS;
}

/** Directive 2000/84/EC: summer time from the last Sunday of March to the last Sunday of October, both at 01:00 UTC. */
function centralEuropeanOffsetMs(utcMs: number): number {
  const year = new Date(utcMs).getUTCFullYear();
  const summer = utcMs >= lastSundayMs(year, 2) + HOUR_MS && utcMs < lastSundayMs(year, 9) + HOUR_MS;
  return summer ? 2 * HOUR_MS : HOUR_MS;
}

/** UTC midnight of the last Sunday of a month of 31 days. */
function lastSundayMs(year: number, month: number): number {
  const lastDay = Date.UTC(year, month, 31) / DAY_MS;
  return (lastDay - weekdayOf(lastDay)) * DAY_MS;
}
