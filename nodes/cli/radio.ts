import { type FlowResult, type RawResult, runRaw } from '../../firmware/simulator/raw/raw-run.ts';
import { BROADCAST, parseRawScenario, type RawScenario } from '../../firmware/simulator/raw/raw-scenario.ts';
import { reasonOf } from '../headend/errors.ts';
import { readFileArguments, readScenarioFile } from './arguments.ts';

const USAGE = `Usage: wattmesh radio FILE [--seed N] [--json] [--quiet]

Sends raw traffic over the simulated 802.11b radio, without firmware, and prints what became of it.
  --seed N   default 1
  --json     the result as one JSON object on stdout
  --quiet    no remarks on stderr
The file: {"durationS":60,"payloadBytes":100,"maxTransmissions":5,"captureDb":null,"nodes":["a","b","c"],
  "links":[{"from":"a","to":"b","prr":1,"rssi":-50},{"from":"b","to":"a","prr":1,"rssi":-50}],
  "interference":[{"from":"a","to":"c","sensed":false}],
  "traffic":[{"path":["a","b"],"saturated":true},{"path":["b","broadcast"],"ratePerS":5}]}
Links have a direction: an acknowledgement needs the link back. Optional: interferencePrr (0.02), burst {meanBadS, meanGoodS},
payloadBytes in a flow. Exit code: 0 fine, 2 bad input.
`;

/** `wattmesh radio`: returns the exit code. */
export async function run(args: string[]): Promise<number> {
  try {
    const options = readFileArguments(args, USAGE);
    if (!options) {
      process.stdout.write(USAGE);
      return 0;
    }
    const scenario = readScenarioFile(options.file, parseRawScenario);
    if (!options.quiet) for (const remark of remarks(scenario)) process.stderr.write(`wattmesh radio: ${remark}\n`);
    const result = runRaw(scenario, options.seed ?? 1);
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : summary(result));
    return 0;
  } catch (error) {
    if (reasonOf(error) === undefined) throw error;
    process.stderr.write(`wattmesh radio: ${(error as Error).message}\n`);
    return 2;
  }
}

/** Hops that cannot work, which the author may not have meant. */
function remarks({ links, traffic }: RawScenario): string[] {
  const pairs = new Set(links.map(({ from, to }) => JSON.stringify([from, to])));
  const linked = (from: string, to: string) => pairs.has(JSON.stringify([from, to]));
  const found = new Set<string>();
  for (const { path } of traffic) {
    for (const [index, to] of path.entries()) {
      const from = path[index - 1];
      if (from === undefined || to === BROADCAST) continue;
      if (!linked(from, to)) found.add(`there is no link ${from} to ${to}: nothing arrives on that hop`);
      else if (!linked(to, from)) found.add(`there is no link ${to} back to ${from}: no acknowledgement arrives there`);
    }
  }
  return [...found];
}

function summary(result: RawResult): string {
  const { flows, total, seed, durationS, wallMs } = result;
  const lines = [
    `${flows.length} flows, ${durationS} s simulated in ${(wallMs / 1000).toFixed(1)} s, seed ${seed}`,
    ...flows.map((flow) => `${flow.path.join(' > ')}: ${figures(flow)}`),
    ...(flows.length > 1 ? [`all: ${figures(total)}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function figures(flow: Omit<FlowResult, 'path' | 'hops'>): string {
  return [
    `${flow.offered} offered, ${flow.delivered} delivered, ${flow.acknowledged} acknowledged`,
    `${flow.dropped} dropped (${flow.droppedByRetries} after all repetitions, ${flow.droppedByQueue} by full queues)`,
    `${flow.transmissionsPerPacket} transmissions a packet, ${(100 * flow.collidedFraction).toFixed(2)} % of them collided`,
    `${flow.duplicatesFiltered} duplicates filtered, ${flow.goodputKbitPerS} kbit/s`,
    `latency median ${flow.latencyMs.p50} ms, 99 % ${flow.latencyMs.p99} ms`,
  ].join('; ');
}
