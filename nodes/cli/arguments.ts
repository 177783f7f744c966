import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { reasonOf, WattmeshError } from '../headend/errors.ts';

/** What the commands that run a file in the simulator have in common: FILE, --seed, --json, --quiet, --help and flags of their own. */
export interface FileArguments {
  readonly file: string;
  readonly seed: number | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  /** The command's own flags that are set. */
  readonly flags: ReadonlySet<string>;
}

/** Reads the arguments; undefined: help is wanted. Throws `badConfig` with `usage` when they make no sense. */
export function readFileArguments(
  args: string[],
  usage: string,
  ownFlags: readonly string[] = [],
): FileArguments | undefined {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args, ownFlags);
  } catch (error) {
    throw new WattmeshError('badConfig', `${(error as Error).message}\n${usage}`, { cause: error });
  }
  const { values, positionals } = parsed;
  if (values.help) return undefined;
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new WattmeshError('badConfig', `name one scenario file\n${usage}`);
  const flags = new Set(ownFlags.filter((flag) => values[flag] === true));
  return { file, seed: readSeed(values.seed), json: values.json === true, quiet: values.quiet === true, flags };
}

/** Reads a file and hands its JSON to `parseFile`, whose `badScenario` then names the file. */
export function readScenarioFile<T>(file: string, parseFile: (json: unknown) => T): T {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new WattmeshError('badScenario', `${file} cannot be read as JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  try {
    return parseFile(json);
  } catch (error) {
    if (reasonOf(error) !== 'badScenario') throw error;
    throw new WattmeshError('badScenario', `${file}: ${(error as Error).message}`, { cause: error });
  }
}

function parse(
  args: string[],
  ownFlags: readonly string[],
): { values: Record<string, unknown>; positionals: string[] } {
  const flag = { type: 'boolean' } as const;
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      json: flag,
      quiet: flag,
      help: { ...flag, short: 'h' },
      ...Object.fromEntries(ownFlags.map((name) => [name, flag])),
    },
  });
}

function readSeed(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  const seed = Number(text);
  if (typeof text === 'string' && /^\d+$/.test(text) && Number.isSafeInteger(seed)) return seed;
  throw new WattmeshError('badConfig', `--seed ${text} is not possible: give a whole number from 0`);
}
