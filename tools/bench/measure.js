/** Operations per second of `operation(index)`, called `count` times after a warm-up of a tenth of that. */
export function perSecond(count, operation) {
  for (let index = 0; index < count / 10; index++) operation(index);
  const startMs = performance.now();
  for (let index = 0; index < count; index++) operation(index);
  return rate(count, startMs);
}

/** `count` per second since `startMs`, as performance.now() gave it. */
export function rate(count, startMs) {
  return (count / (performance.now() - startMs)) * 1000;
}

/**
 * What several rounds gave, each `{ perSecond, ceilingPerSecond }`: `perSecond` and `ratio` are medians, for something else always runs on a
 * machine, and `best` says what it can do.
 */
export function figures(rounds) {
  const done = rounds.map((round) => round.perSecond);
  return {
    perSecond: Math.round(median(done)),
    best: Math.round(Math.max(...done)),
    ceilingPerSecond: Math.round(median(rounds.map((round) => round.ceilingPerSecond))),
    ratio: twoDecimals(median(rounds.map((round) => round.perSecond / round.ceilingPerSecond))),
  };
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function twoDecimals(value) {
  return Math.round(value * 100) / 100;
}

/** The results of `round()`, `count` times. Of several, one more goes first and does not count: nobody's code is compiled yet. */
export async function repeated(count, round) {
  if (count > 1) await round();
  const results = [];
  for (let index = 0; index < count; index++) results.push(await round());
  return results;
}

/** Resolves once `done()` is true; rejects after `limitMs`. */
export async function until(done, what, limitMs = 60_000) {
  const endMs = performance.now() + limitMs;
  while (!done()) {
    if (performance.now() > endMs) throw new Error(`${what} took longer than ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
