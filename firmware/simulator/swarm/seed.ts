import { loadFirmware } from '../firmware.ts';
import { type DrawLimits, drawPlan } from './draw.ts';
import { judge, type Verdict } from './judge.ts';
import { fileOf, type Plan } from './plan.ts';
import { shrink } from './shrink.ts';

/** How seeds are tried; goes to the threads as it is. */
export interface SeedOptions {
  readonly limits: DrawLimits;
  /** Firmware that traps on undefined behaviour. */
  readonly checked: boolean;
  /** Plans that the search for a smaller one may try, and how long it may take, ms. */
  readonly shrinkTries: number;
  readonly shrinkMs: number;
}

/** What became of one seed. */
export interface SeedOutcome extends Verdict {
  readonly seed: number;
  readonly size: PlanSize;
  /** Of a seed that failed. */
  readonly shrunk?: { readonly size: PlanSize; readonly tries: number; readonly file: object };
}

export interface PlanSize {
  readonly nodes: number;
  readonly faults: number;
  readonly durationS: number;
}

/** Draws the plan of a seed, judges it and makes it as small as it can if it fails. */
export async function trySeed(seed: number, options: SeedOptions): Promise<SeedOutcome> {
  const firmware = loadFirmware(options.checked);
  const plan = drawPlan(seed, options.limits);
  const verdict = await judge(plan, firmware);
  const outcome = { seed, size: sizeOf(plan), ...verdict };
  const [finding] = verdict.findings;
  if (!finding) return outcome;
  const untilMs = performance.now() + options.shrinkMs;
  const test = async (candidate: Plan) => (await judge(candidate, firmware)).findings;
  const shrunk = await shrink(plan, finding.kind, test, {
    tries: options.shrinkTries,
    isOver: () => performance.now() >= untilMs,
  });
  return { ...outcome, shrunk: { size: sizeOf(shrunk.plan), tries: shrunk.tries, file: fileOf(shrunk.plan) } };
}

function sizeOf({ nodes, faults, durationS }: Plan): PlanSize {
  return { nodes: nodes.length, faults: faults.length, durationS };
}
