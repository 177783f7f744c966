import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import type { SimulationResult } from '../../firmware/simulator/result.ts';
import { parseScenario, type Scenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';
import { reasonOf, WattmeshError } from '../headend/errors.ts';

const USAGE = `Usage: wattmesh sim FILE [--seed N] [--json] [--checked] [--quiet]

Runs a scenario file with the real firmware and judges the result.
  --seed N   instead of the scenario's own seed
  --json     the result as one JSON object on stdout
  --checked  firmware that traps on undefined behaviour (development checkouts)
  --quiet    no progress on stderr
Exit code: 0 fine, 1 readings lost or rules violated, 2 bad input.
`;

/** Most often that progress is shown, ms. */
const PROGRESS_MS = 500;

interface Arguments {
  readonly file: string;
  readonly seed: number | undefined;
  readonly json: boolean;
  readonly checked: boolean;
  readonly quiet: boolean;
}

/** `wattmesh sim`: returns the exit code. */
export async function run(args: string[]): Promise<number> {
  try {
    const options = readArguments(args);
    if (!options) {
      process.stdout.write(USAGE);
      return 0;
    }
    const scenario = readScenario(options.file);
    const progress = options.quiet ? undefined : showProgress();
    const firmware = loadFirmware(options.checked);
    const result = await simulate({
      scenario,
      firmware,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(progress ? { progress: progress.show } : {}),
    });
    progress?.end();
    process.stdout.write(
      options.json ? `${JSON.stringify(result)}\n` : summary(scenario, options.seed ?? scenario.seed, result),
    );
    return result.violations.length > 0 || result.readings.lost > 0 ? 1 : 0;
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    process.stderr.write(`wattmesh sim: ${(error as Error).message}\n`);
    return reason === 'firmwareTrap' ? 1 : 2;
  }
}

/** Undefined: help is wanted. */
function readArguments(args: string[]): Arguments | undefined {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    throw new WattmeshError('badConfig', `${(error as Error).message}\n${USAGE}`, { cause: error });
  }
  const { values, positionals } = parsed;
  if (values.help) return undefined;
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new WattmeshError('badConfig', `name one scenario file\n${USAGE}`);
  const { json = false, checked = false, quiet = false } = values;
  return { file, seed: readSeed(values.seed), json, checked, quiet };
}

function parse(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      json: { type: 'boolean' },
      checked: { type: 'boolean' },
      quiet: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

function readSeed(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seed = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(seed)) return seed;
  throw new WattmeshError('badConfig', `--seed ${text} is not possible: give a whole number from 0`);
}

function readScenario(file: string): Scenario {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new WattmeshError('badScenario', `${file} cannot be read as JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  try {
    return parseScenario(json);
  } catch (error) {
    if (reasonOf(error) !== 'badScenario') throw error;
    throw new WattmeshError('badScenario', `${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Simulated time and speed on stderr, on one line that is overwritten. */
function showProgress(): { show(atS: number, ofS: number): void; end(): void } {
  const startedMs = performance.now();
  let shownMs = startedMs;
  const clear = process.stderr.isTTY ? '\r\x1b[K' : '';
  const end = process.stderr.isTTY ? '' : '\n';
  return {
    show(atS, ofS) {
      const nowMs = performance.now();
      if (nowMs - shownMs < PROGRESS_MS) return;
      shownMs = nowMs;
      const speed = Math.round((1000 * atS) / (nowMs - startedMs));
      process.stderr.write(`${clear}simulated ${Math.round(atS)} of ${ofS} s, ${speed} times real time${end}`);
    },
    end: () => void process.stderr.write(clear),
  };
}

function summary(scenario: Scenario, seed: number, result: SimulationResult): string {
  const { readings, latencyMs, frames, energy, joinS } = result;
  const lines = [
    `${scenario.name}: ${result.nodes} nodes, ${result.simS} s simulated in ${(result.wallMs / 1000).toFixed(1)} s, seed ${seed}`,
    `readings   ${readings.measured} measured, ${readings.delivered} delivered, ${readings.pending} pending, ${readings.lost} lost, ${readings.duplicates} duplicates`,
    `delivery   ${(100 * result.pdr).toFixed(2)} %`,
    `latency    median ${latencyMs.p50} ms, 95 % ${latencyMs.p95} ms, 99 % ${latencyMs.p99} ms, at most ${latencyMs.max} ms`,
    `frames     ${frames.perReading} per reading (${frames.withMacAcks} with MAC acknowledgements): data ${frames.data}, beacon ${frames.beacon}, poll ${frames.poll}, down ${frames.down}, join ${frames.join}`,
    `energy     ${energy.meanRouterMilliAmp} mA per router, ${energy.leafMilliJoulePerReading} mJ per reading of a battery leaf`,
    `joining    median ${joinS.p50} s, at most ${joinS.max} s`,
    `repair     ${result.repairS} s`,
    `violations ${result.violations.length}`,
    ...result.violations.map(({ checker, what, who, atS }) => `  ${checker} at ${atS} s, ${who}: ${what}`),
  ];
  return `${lines.join('\n')}\n`;
}
