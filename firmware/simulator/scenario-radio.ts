import type { Interference, Link } from './radio/links.ts';
import type { BurstConfig, RadioConfig } from './radio/station.ts';
import { Fields, fault, type Path, shown } from './scenario-fields.ts';

/** What a scenario and a file of raw traffic say about the radio in the same words. */

const RSSI_DBM = { min: -128, max: 0 };
const RATIO = { min: 0, max: 1 };
/** A limit above this is none. */
const PEERS_MAX = 255;
/** Longest mean of a link's good or bad periods, seconds. */
const BURST_S_MAX = 30 * 86_400;

/** Directed links between known nodes; undefined when the list is empty or absent. */
export function readLinks(fields: Fields, ids: ReadonlySet<string>): Link[] | undefined {
  const links = readPairs(fields, 'links', ['prr', 'rssi'], ids, (pair, from, to) => {
    const prr = pair.number('prr', RATIO);
    return pair.has('rssi') ? { from, to, prr, rssi: pair.number('rssi', RSSI_DBM) } : { from, to, prr };
  });
  return links.length === 0 ? undefined : links;
}

/** Pairs of known nodes that disturb each other beside their links; none when the list is absent. */
export function readInterference(fields: Fields, ids: ReadonlySet<string>): Interference[] {
  return readPairs(fields, 'interference', ['sensed', 'rssi'], ids, (pair, from, to) => {
    const sensed = pair.flag('sensed');
    return pair.has('rssi') ? { from, to, sensed, rssi: pair.number('rssi', RSSI_DBM) } : { from, to, sensed };
  });
}

/** The field `burst`: means of the bad and the good periods of every link, seconds; both 0: links do not change. */
export function readBurst(fields: Fields): BurstConfig {
  const burst = fields.inner('burst', ['meanBadS', 'meanGoodS']);
  const range = { min: 0, max: BURST_S_MAX, fallback: 0 };
  const [meanBadS, meanGoodS] = [burst.number('meanBadS', range), burst.number('meanGoodS', range)];
  if (meanBadS > 0 && meanGoodS === 0)
    throw fault(burst.at('meanGoodS'), 'links that are never good deliver nothing', 'give a time above 0');
  return { meanBadS, meanGoodS };
}

/** The `radio` part of a scenario, and what it says about the devices' radios. */
export function readRadio(fields: Fields): { radio: RadioConfig; peersMax: number | null } {
  const radio = fields.inner('radio', ['interferencePrr', 'captureDb', 'macRetries', 'peersMax', 'burst']);
  return {
    radio: {
      interferencePrr: radio.number('interferencePrr', { ...RATIO, fallback: 0.02 }),
      captureDb: radio.nullable('captureDb', { min: 0, max: 100, fallback: 6 }),
      macRetries: radio.number('macRetries', { min: 0, max: 31, whole: true, fallback: 5 }),
      burst: readBurst(radio),
    },
    peersMax: radio.nullable('peersMax', { min: 1, max: PEERS_MAX, whole: true, fallback: null }),
  };
}

/** The id, when the scenario has such a node. */
export function knownNode(id: string, path: Path, ids: ReadonlySet<string>): string {
  if (!ids.has(id)) throw fault(path, `there is no node ${shown(id)}`, 'name one of nodes[].id');
  return id;
}

/** Two different known nodes of an object's fields `from` and `to`. */
export function readPair(pair: Fields, ids: ReadonlySet<string>): { from: string; to: string } {
  const from = knownNode(pair.text('from'), pair.at('from'), ids);
  const to = knownNode(pair.text('to'), pair.at('to'), ids);
  if (from === to) throw fault(pair.at('to'), `${shown(to)} is the sender itself`, 'name another node');
  return { from, to };
}

/** A list of directed pairs, each at most once. */
function readPairs<T>(
  fields: Fields,
  name: string,
  known: readonly string[],
  ids: ReadonlySet<string>,
  read: (pair: Fields, from: string, to: string) => T,
): T[] {
  const seen = new Map<string, Path>();
  return fields.list(name).map(({ value, path }) => {
    const pair = new Fields(value, path, ['from', 'to', ...known]);
    const { from, to } = readPair(pair, ids);
    const key = JSON.stringify([from, to]);
    const first = seen.get(key);
    if (first)
      throw fault(path, `${from} to ${to} is given in ${first} already`, 'keep one of them (pairs have a direction)');
    seen.set(key, path);
    return read(pair, from, to);
  });
}
