/** Changes of a household's load, the only thing its power is made of. */
import type { Phase } from './appliances.ts';

/** At a whole second, the load changes by these amounts (0.1 W and 0.1 var, integers, so that sums stay exact). */
export interface Step {
  readonly atMs: number;
  readonly activeDw: number;
  readonly reactiveDvar: number;
}

/**
 * Appends the changes of one run: up at its start, along its phases, back to nothing at its end.
 * @returns UTC ms of the end.
 */
export function pushRun(
  steps: Step[],
  startMs: number,
  phases: readonly Phase[],
  size: number,
  tanPhi: number,
): number {
  let atMs = startMs;
  let activeDw = 0;
  let reactiveDvar = 0;
  const changeTo = (nextDw: number) => {
    const nextDvar = Math.round(nextDw * tanPhi);
    steps.push({ atMs, activeDw: nextDw - activeDw, reactiveDvar: nextDvar - reactiveDvar });
    activeDw = nextDw;
    reactiveDvar = nextDvar;
  };
  for (const { seconds, watts } of phases) {
    changeTo(Math.round(watts * 10 * size));
    atMs += seconds * 1000;
  }
  changeTo(0);
  return atMs;
}
