import { Worker } from 'node:worker_threads';
import { DEFAULT_LIMITS, type DrawLimits } from './draw.ts';
import type { SeedOptions, SeedOutcome } from './seed.ts';

export interface SwarmOptions {
  /** First seed; the others follow it. */
  readonly first: number;
  /** Most seeds. */
  readonly seeds: number;
  /** No further seed is drawn after this time, minutes; those that have begun end. */
  readonly minutes?: number;
  /** Threads. */
  readonly jobs: number;
  readonly limits?: DrawLimits;
  readonly checked?: boolean;
  /** Plans tried to make a failing one smaller; default {@link SHRINK_TRIES}. */
  readonly shrinkTries?: number;
  /** Told of every seed when it is done, in no particular order. */
  outcome?(outcome: SeedOutcome): void;
}

/** What a swarm found. */
export interface SwarmResult {
  readonly first: number;
  /** Tried. */
  readonly seeds: number;
  /** Seeds in which everything arrived, but only after one of the protocol's waits. */
  readonly slow: readonly number[];
  readonly failed: readonly SeedOutcome[];
  readonly readings: { readonly measured: number; readonly delivered: number };
  readonly simS: number;
  readonly wallMs: number;
  readonly seedsPerMinutePerJob: number;
}

/** Plans tried at most to make a failing one smaller, and the time for it, ms. */
export const SHRINK_TRIES = 200;
const SHRINK_MS = 120_000;
/** A swarm with so many failures ends: one cause shows in many seeds. */
export const FAILURES_MAX = 20;
export const JOBS_MAX = 64;

/** Tries seeds in threads. Rejects when a thread dies: a seed that makes no sense is a defect of the swarm itself. */
export async function runSwarm(options: SwarmOptions): Promise<SwarmResult> {
  const startedMs = performance.now();
  const untilMs = startedMs + (options.minutes ?? Number.POSITIVE_INFINITY) * 60_000;
  const outcomes: SeedOutcome[] = [];
  let failures = 0;
  let drawn = 0;
  const next = (): number | undefined => {
    if (drawn >= options.seeds || failures >= FAILURES_MAX || performance.now() >= untilMs) return undefined;
    return options.first + drawn++;
  };
  const settle = (outcome: SeedOutcome): void => {
    outcomes.push(outcome);
    if (outcome.findings.length > 0) failures++;
    options.outcome?.(outcome);
  };
  const seedOptions: SeedOptions = {
    limits: options.limits ?? DEFAULT_LIMITS,
    checked: options.checked ?? false,
    shrinkTries: options.shrinkTries ?? SHRINK_TRIES,
    shrinkMs: SHRINK_MS,
  };
  const jobs = Math.min(options.jobs, options.seeds);
  await Promise.all(Array.from({ length: jobs }, () => runThread(seedOptions, next, settle)));
  return summed(options.first, outcomes, performance.now() - startedMs, jobs);
}

/** One thread, until there is no seed left for it. */
async function runThread(
  workerData: SeedOptions,
  next: () => number | undefined,
  settle: (outcome: SeedOutcome) => void,
): Promise<void> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
  try {
    for (let seed = next(); seed !== undefined; seed = next()) settle(await tryIn(worker, seed));
  } finally {
    await worker.terminate();
  }
}

function tryIn(worker: Worker, seed: number): Promise<SeedOutcome> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => reject(new Error(`seed ${seed}: ${error}`, { cause: error }));
    worker.once('error', failed);
    worker.once('message', (outcome: SeedOutcome) => {
      worker.off('error', failed);
      resolve(outcome);
    });
    worker.postMessage(seed);
  });
}

function summed(first: number, outcomes: readonly SeedOutcome[], wallMs: number, jobs: number): SwarmResult {
  const inOrder = [...outcomes].sort((a, b) => a.seed - b.seed);
  const total = (of: (outcome: SeedOutcome) => number): number => outcomes.reduce((sum, each) => sum + of(each), 0);
  return {
    first,
    seeds: outcomes.length,
    slow: inOrder.filter(({ slow, findings }) => slow && findings.length === 0).map(({ seed }) => seed),
    failed: inOrder.filter(({ findings }) => findings.length > 0),
    readings: {
      measured: total(({ readings }) => readings.measured),
      delivered: total(({ readings }) => readings.delivered),
    },
    simS: Math.round(total(({ simS }) => simS)),
    wallMs: Math.round(wallMs),
    seedsPerMinutePerJob: Math.round((600_000 * outcomes.length) / wallMs / jobs) / 10,
  };
}
