import { MAX_PAYLOAD_BYTES } from '../radio/airtime.ts';
import type { Interference, Link } from '../radio/links.ts';
import type { BurstConfig, RadioConfig } from '../radio/station.ts';
import { Fields, fault, type Path, shown } from '../scenario-fields.ts';
import { readBurst, readInterference, readLinks } from '../scenario-radio.ts';

/** A file of raw traffic for `wattmesh radio`, checked and complete: the radio alone, without firmware. */
export interface RawScenario {
  readonly durationS: number;
  readonly nodes: readonly string[];
  readonly links: readonly Link[];
  readonly interference: readonly Interference[];
  readonly radio: RadioConfig;
  readonly traffic: readonly RawFlow[];
}

/** Packets of one kind. */
export interface RawFlow {
  /** Nodes in the order in which they forward; the last may be {@link BROADCAST}. */
  readonly path: readonly string[];
  /** Poisson arrivals; undefined: the first node has a packet waiting at all times. */
  readonly ratePerS: number | undefined;
  readonly payloadBytes: number;
}

/** Stands for everybody at the end of a path. */
export const BROADCAST = 'broadcast';

const NODES_MAX = 5000;
const FLOWS_MAX = 10_000;
const PATH_NODES_MAX = 64;
const DURATION_S_MAX = 30 * 86_400;
const RATE_PER_S_MAX = 100_000;
const TRANSMISSIONS_MAX = 32;
const PAYLOAD = { min: 1, max: MAX_PAYLOAD_BYTES, whole: true, fallback: 100 };
const KNOWN = [
  'durationS',
  'payloadBytes',
  'maxTransmissions',
  'captureDb',
  'interferencePrr',
  'burst',
  'nodes',
  'links',
  'interference',
  'traffic',
];

/** Checks a parsed file. Throws `badScenario` with the JSON path of the fault and what to do about it. */
export function parseRawScenario(json: unknown): RawScenario {
  const fields = new Fields(json, '', KNOWN);
  const nodes = readNodes(fields);
  const ids = new Set(nodes);
  const payloadBytes = fields.number('payloadBytes', PAYLOAD);
  const burst: BurstConfig = readBurst(fields);
  return {
    durationS: fields.number('durationS', { min: 0.001, max: DURATION_S_MAX }),
    nodes,
    links: readLinks(fields, ids) ?? [],
    interference: readInterference(fields, ids),
    radio: {
      interferencePrr: fields.number('interferencePrr', { min: 0, max: 1, fallback: 0.02 }),
      captureDb: fields.nullable('captureDb', { min: 0, max: 100, fallback: null }),
      macRetries: fields.number('maxTransmissions', { min: 1, max: TRANSMISSIONS_MAX, whole: true, fallback: 5 }) - 1,
      burst,
    },
    traffic: readTraffic(fields, ids, payloadBytes),
  };
}

function readNodes(fields: Fields): string[] {
  const list = fields.list('nodes');
  if (list.length === 0 || list.length > NODES_MAX)
    throw fault('nodes', `there are ${list.length}`, `list the ids of 1 to ${NODES_MAX} nodes`);
  const seen = new Set<string>();
  for (const { value, path } of list) {
    if (typeof value !== 'string' || value === '' || value === BROADCAST)
      throw fault(path, `${shown(value)} is no id`, `give a text other than "${BROADCAST}"`);
    if (seen.has(value)) throw fault(path, `${shown(value)} is there already`, 'give every node its own id');
    seen.add(value);
  }
  return [...seen];
}

function readTraffic(fields: Fields, ids: ReadonlySet<string>, payloadBytes: number): RawFlow[] {
  const list = fields.list('traffic');
  if (list.length === 0 || list.length > FLOWS_MAX)
    throw fault('traffic', `there are ${list.length} flows`, `list 1 to ${FLOWS_MAX}`);
  return list.map(({ value, path }) => {
    const flow = new Fields(value, path, ['path', 'saturated', 'ratePerS', 'payloadBytes']);
    const nodes = readPath(flow, ids);
    const saturated = flow.flag('saturated');
    if (saturated === flow.has('ratePerS'))
      throw fault(path, 'how much it offers is not clear', 'give either "saturated": true or ratePerS');
    const ratePerS = saturated ? undefined : flow.number('ratePerS', { min: 1e-6, max: RATE_PER_S_MAX });
    return { path: nodes, ratePerS, payloadBytes: flow.number('payloadBytes', { ...PAYLOAD, fallback: payloadBytes }) };
  });
}

function readPath(flow: Fields, ids: ReadonlySet<string>): string[] {
  const list = flow.list('path');
  if (list.length < 2 || list.length > PATH_NODES_MAX)
    throw fault(flow.at('path'), `it has ${list.length} nodes`, `name 2 to ${PATH_NODES_MAX}, the sender first`);
  const nodes = list.map(({ value, path }, index) => readStep(value, path, index === list.length - 1, ids));
  const double = nodes.findIndex((node, index) => node === nodes[index + 1]);
  if (double >= 0)
    throw fault(list[double + 1]?.path ?? '', `${shown(nodes[double])} forwards to itself`, 'name it once');
  return nodes;
}

function readStep(value: unknown, path: Path, last: boolean, ids: ReadonlySet<string>): string {
  if (value === BROADCAST && !last) throw fault(path, 'everybody cannot forward', `put "${BROADCAST}" last`);
  if (typeof value === 'string' && (value === BROADCAST || ids.has(value))) return value;
  throw fault(path, `there is no node ${shown(value)}`, `name one of nodes, or "${BROADCAST}" at the end`);
}
