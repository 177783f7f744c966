import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_LIMITS, NODES_MIN } from '../../firmware/simulator/swarm/draw.ts';
import { FAILURES_MAX, JOBS_MAX, runSwarm, type SwarmResult } from '../../firmware/simulator/swarm/run.ts';
import type { PlanSize, SeedOutcome } from '../../firmware/simulator/swarm/seed.ts';
import { reasonOf, WattmeshError } from '../headend/errors.ts';

const USAGE = `Usage: wattmesh swarm [--seeds N] [--first N] [--minutes N] [--jobs N] [--nodes N] [--keep DIR] [--checked] [--json] [--quiet]

Draws random meshes, loads, radios and faults, plays each with the real firmware, heals everything at 60 % of the time and demands that
every reading arrives once. A seed that fails is made smaller and kept as a scenario file for wattmesh sim.
  --seeds N    how many (100; with --minutes as many as fit)
  --first N    the first seed (1)
  --minutes N  draw no further seed after this time
  --jobs N     threads (1)
  --nodes N    most nodes of a mesh (${DEFAULT_LIMITS.nodesMax})
  --keep DIR   where the files of failing seeds go (a new folder for temporary files)
  --checked    firmware that traps on undefined behaviour (development checkouts)
  --json       the result as one JSON object on stdout
  --quiet      no progress on stderr
It ends early after ${FAILURES_MAX} failures. Exit code: 0 fine, 1 a seed failed, 2 bad input.
`;

const SEEDS = 100;
const SEEDS_MAX = 1_000_000;
const MINUTES_MAX = 10_000;
const NODES_MAX = 500;
/** Findings of a seed that are printed as text. */
const FINDINGS_SHOWN = 5;

interface Options {
  readonly seeds: number;
  readonly first: number;
  readonly minutes: number | undefined;
  readonly jobs: number;
  readonly nodes: number;
  readonly keep: string | undefined;
  readonly checked: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** `wattmesh swarm`: returns the exit code. */
export async function run(args: string[]): Promise<number> {
  try {
    const options = readArguments(args);
    if (!options) {
      process.stdout.write(USAGE);
      return 0;
    }
    const keep = keeper(options.keep);
    const files = new Map<number, string>();
    const { seeds, first, minutes, jobs, checked } = options;
    const show = options.quiet ? undefined : progressOf(minutes === undefined ? seeds : undefined);
    const result = await runSwarm({
      ...{ seeds, first, jobs, checked, limits: { ...DEFAULT_LIMITS, nodesMax: options.nodes } },
      ...(minutes === undefined ? {} : { minutes }),
      outcome: (outcome) => {
        if (outcome.shrunk) files.set(outcome.seed, keep(outcome.seed, outcome.shrunk.file));
        show?.(outcome, files.get(outcome.seed));
      },
    });
    process.stdout.write(options.json ? `${JSON.stringify(jsonOf(result, files))}\n` : summary(result, files));
    return result.failed.length > 0 ? 1 : 0;
  } catch (error) {
    if (reasonOf(error) === undefined) throw error;
    process.stderr.write(`wattmesh swarm: ${(error as Error).message}\n`);
    return 2;
  }
}

function readArguments(args: string[]): Options | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const numbers = { seeds: text, first: text, minutes: text, jobs: text, nodes: text };
  const options = {
    ...numbers,
    keep: text,
    checked: flag,
    json: flag,
    quiet: flag,
    help: { ...flag, short: 'h' },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    values = parseArgs({ args, options }).values;
  } catch (error) {
    throw new WattmeshError('badConfig', `${(error as Error).message}\n${USAGE}`, { cause: error });
  }
  if (values.help) return undefined;
  const whole = (name: keyof typeof numbers, fallback: number, min: number, max: number): number => {
    const value = values[name];
    if (value === undefined) return fallback;
    if (/^\d+$/.test(value) && Number(value) >= min && Number(value) <= max) return Number(value);
    throw new WattmeshError(
      'badConfig',
      `--${name} ${value} is not possible: give a whole number from ${min} to ${max}`,
    );
  };
  return {
    seeds: whole('seeds', values.minutes === undefined ? SEEDS : SEEDS_MAX, 1, SEEDS_MAX),
    first: whole('first', 1, 0, Number.MAX_SAFE_INTEGER - SEEDS_MAX),
    minutes: values.minutes === undefined ? undefined : whole('minutes', 0, 1, MINUTES_MAX),
    jobs: whole('jobs', 1, 1, JOBS_MAX),
    nodes: whole('nodes', DEFAULT_LIMITS.nodesMax, NODES_MIN, NODES_MAX),
    keep: values.keep,
    ...{ checked: values.checked === true, json: values.json === true, quiet: values.quiet === true },
  };
}

/** Writes scenario files to a folder that comes into being with the first one. */
function keeper(folder: string | undefined): (seed: number, file: object) => string {
  let ready = '';
  return (seed, file) => {
    if (ready === '') {
      ready = folder ?? mkdtempSync(join(tmpdir(), 'wattmesh-swarm-'));
      mkdirSync(ready, { recursive: true });
    }
    const path = join(ready, `seed-${seed}.json`);
    writeFileSync(path, `${JSON.stringify(file)}\n`);
    return path;
  };
}

/** A line on stderr for each seed that is done, of how many if that is known. */
function progressOf(seeds: number | undefined): (outcome: SeedOutcome, file: string | undefined) => void {
  let done = 0;
  const of = seeds === undefined ? '' : ` of ${seeds}`;
  return (outcome, file) => {
    const { seed, size, findings, slow } = outcome;
    const verdict = findings.length > 0 ? `FAILED, ${findings[0]?.kind}: ${file}` : slow ? 'fine, slowly' : 'fine';
    process.stderr.write(`${++done}${of}: seed ${seed}, ${sizeText(size)}: ${verdict}\n`);
  };
}

function jsonOf(result: SwarmResult, files: ReadonlyMap<number, string>): object {
  const failed = result.failed.map(({ seed, findings, size, shrunk }) => {
    return { seed, findings, size, ...(shrunk ? { shrunk: shrunk.size, file: files.get(seed) } : {}) };
  });
  return { ...result, failed };
}

function summary(result: SwarmResult, files: ReadonlyMap<number, string>): string {
  const { first, seeds, slow, failed, readings } = result;
  const lines = [
    `${seeds} seeds from ${first}: ${failed.length} failed, ${slow.length} slow`,
    `readings   ${readings.measured} measured, ${readings.delivered} delivered`,
    `time       ${result.simS} s simulated in ${(result.wallMs / 1000).toFixed(1)} s, ${result.seedsPerMinutePerJob} seeds per minute and thread`,
  ];
  for (const { seed, findings, size, shrunk } of failed) {
    lines.push(`seed ${seed} failed, ${sizeText(size)}`);
    for (const { kind, what } of findings.slice(0, FINDINGS_SHOWN)) lines.push(`  ${kind}: ${what}`);
    if (findings.length > FINDINGS_SHOWN) lines.push(`  and ${findings.length - FINDINGS_SHOWN} more`);
    if (shrunk) lines.push(`  play it: wattmesh sim ${files.get(seed)} (${sizeText(shrunk.size)})`);
  }
  return `${lines.join('\n')}\n`;
}

function sizeText({ nodes, faults, durationS }: PlanSize): string {
  return `${nodes} nodes, ${faults} faults, ${durationS} s`;
}
