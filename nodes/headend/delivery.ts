import type { LogState } from './store/store.ts';

/**
 * Arithmetic of one log's delivery state, pure. Everything up to the cumulative mark is stored or a recorded gap; `ranges` are stored rows
 * above it. Both lists are bounded, and each bound errs towards "not stored": a node then sends again what is there already.
 */

/** Most ranges kept above the cumulative mark; the highest is forgotten first. */
export const LOG_RANGES_MAX = 64;
/** Most recorded gaps; the two that lie nearest to each other are joined first. */
export const LOG_GAPS_MAX = 64;

type Span = readonly [number, number];

/** The state of a log of which nothing has been received. */
export function newLog(key: string, logId: string): LogState {
  return { key, logId, cumulative: 0, ranges: [], gaps: [] };
}

/** The state once rows `first` to `last` are stored. */
export function withRows(log: LogState, first: number, last: number): LogState {
  if (last < first) return log;
  const gaps = without(log.gaps, first, last);
  const cut = gaps === log.gaps ? log : { ...log, gaps: boundedGaps(gaps) };
  return last <= log.cumulative ? cut : settled(cut, first, last);
}

/** The state once it is known that rows `first` to `last` can never come: what is missing there becomes a gap, and nobody waits for it. */
export function withLost(log: LogState, first: number, last: number): LogState {
  const from = Math.max(first, log.cumulative + 1);
  if (last < from) return log;
  const missing = missingFrom(log, from, last);
  if (missing.length === 0) return log;
  return settled({ ...log, gaps: boundedGaps([...log.gaps, ...missing]) }, from, last);
}

/** Rows in the gaps. */
export function rowsIn(gaps: LogState['gaps']): number {
  return gaps.reduce((rows, [first, last]) => rows + last - first + 1, 0);
}

/** The state once it is known that the node holds nothing below `oldest`: what is missing there becomes a gap, and the mark moves over it. */
export function withOldest(log: LogState, oldest: number): LogState {
  if (oldest <= log.cumulative + 1) return log;
  const missing = missingFrom(log, log.cumulative + 1, oldest - 1);
  return { ...log, gaps: boundedGaps([...log.gaps, ...missing]), ...absorbed(oldest - 1, log.ranges) };
}

/** Nobody waits for rows `first` to `last` any more, which end above the cumulative mark. */
function settled(log: LogState, first: number, last: number): LogState {
  const { key, logId, ranges, gaps } = log;
  if (first > log.cumulative + 1) return { ...log, ranges: withSpan(ranges, first, last).slice(0, LOG_RANGES_MAX) };
  // Mostly the next row comes: field by field, for spreading costs more than all the rest.
  if (ranges.length === 0) return { key, logId, cumulative: last, ranges, gaps };
  return { ...log, ...absorbed(last, ranges) };
}

/** What of [first, last], which lies above the cumulative mark, is not settled. */
function missingFrom(log: LogState, first: number, last: number): readonly Span[] {
  let missing: readonly Span[] = [[first, last]];
  for (const [from, to] of log.ranges) missing = without(missing, from, to);
  return missing;
}

/** The cumulative mark moved up to `cumulative`, and over the ranges that it then touches. */
function absorbed(cumulative: number, ranges: readonly Span[]): { cumulative: number; ranges: readonly Span[] } {
  let mark = cumulative;
  let taken = 0;
  for (const [first, last] of ranges) {
    if (first > mark + 1) break;
    mark = Math.max(mark, last);
    taken++;
  }
  return { cumulative: mark, ranges: taken === 0 ? ranges : ranges.slice(taken) };
}

/** An ascending, disjoint list with [first, last] added; neighbours are joined. */
function withSpan(spans: readonly Span[], first: number, last: number): Span[] {
  const result: Span[] = [];
  let [from, to] = [first, last];
  let placed = false;
  for (const span of spans) {
    if (span[1] + 1 < from) result.push(span);
    else if (span[0] > to + 1) {
      if (!placed) result.push([from, to]);
      placed = true;
      result.push(span);
    } else {
      from = Math.min(from, span[0]);
      to = Math.max(to, span[1]);
    }
  }
  if (!placed) result.push([from, to]);
  return result;
}

/** The list with [first, last] cut out; the same list when nothing was in it. */
function without(spans: readonly Span[], first: number, last: number): readonly Span[] {
  if (!spans.some((span) => span[0] <= last && span[1] >= first)) return spans;
  return spans.flatMap(([from, to]): Span[] => {
    if (from > last || to < first) return [[from, to]];
    const rest: Span[] = [];
    if (from < first) rest.push([from, first - 1]);
    if (to > last) rest.push([last + 1, to]);
    return rest;
  });
}

/** At most LOG_GAPS_MAX gaps. A joined gap also spans rows that are stored: that never claims a missing row. */
function boundedGaps(gaps: readonly Span[]): readonly Span[] {
  if (gaps.length < 2) return gaps;
  const result = [...gaps].sort(([a], [b]) => a - b);
  while (result.length > LOG_GAPS_MAX) {
    let nearest = 1;
    for (let index = 2; index < result.length; index++) {
      if (distance(result, index) < distance(result, nearest)) nearest = index;
    }
    result.splice(nearest - 1, 2, [(result[nearest - 1] as Span)[0], (result[nearest] as Span)[1]]);
  }
  return result;
}

/** Rows between gap `index` and the one before it. */
function distance(gaps: readonly Span[], index: number): number {
  return (gaps[index] as Span)[0] - (gaps[index - 1] as Span)[1];
}
