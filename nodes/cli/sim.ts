import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import type { SimulationResult } from '../../firmware/simulator/result.ts';
import { parseScenario, type Scenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';
import { reasonOf } from '../headend/errors.ts';
import { readFileArguments, readScenarioFile } from './arguments.ts';

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

/** `wattmesh sim`: returns the exit code. */
export async function run(args: string[]): Promise<number> {
  try {
    const options = readFileArguments(args, USAGE, ['checked']);
    if (!options) {
      process.stdout.write(USAGE);
      return 0;
    }
    const scenario = readScenarioFile(options.file, parseScenario);
    const progress = options.quiet ? undefined : showProgress();
    const firmware = loadFirmware(options.flags.has('checked'));
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

function rerouted({ meters, p50, max }: SimulationResult['reroutedS']): string {
  return `rerouted   ${meters} meters of hubs that died: median ${p50} s, at most ${max} s`;
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
    `energy     ${energy.meanRouterMilliAmp} mA per router; a battery leaf ${energy.leafMilliJoulePerReading} mJ per reading and ${energy.leafSleepMilliJoulePerReading} mJ asleep: ${energy.leafYears} years on 2 AA cells`,
    `joining    median ${joinS.p50} s, at most ${joinS.max} s`,
    `clocks     routers at rest are wrong by ${result.time.routerErrorMs.p99} ms at most in 99 % of looks`,
    `repair     ${result.repairS} s`,
    ...(result.reroutedS.meters === 0 ? [] : [rerouted(result.reroutedS)]),
    ...(result.peersReplaced === undefined ? [] : [`peers      ${result.peersReplaced} made room for others`]),
    `violations ${result.violations.length}`,
    ...result.violations.map(({ checker, what, who, atS }) => `  ${checker} at ${atS} s, ${who}: ${what}`),
  ];
  return `${lines.join('\n')}\n`;
}
