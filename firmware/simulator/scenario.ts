import type { EnergyClass, Role } from '../../nodes/headend/frame/fields.ts';
import type { Link } from './radio/links.ts';
import type { RadioConfig } from './radio/station.ts';
import { Fields, fault, notYet, type Path, shown } from './scenario-fields.ts';

/** A scenario file, checked and complete: every field that the author left out has its default. */
export interface Scenario {
  readonly name: string;
  readonly seed: number;
  /** Time in which meters measure, seconds. */
  readonly durationS: number;
  /** What happens before counts for no figure, seconds. */
  readonly warmupS: number;
  readonly nodes: readonly ScenarioNode[];
  /** Directed links; undefined: the path loss between the nodes' places decides. */
  readonly links: readonly Link[] | undefined;
  readonly radio: RadioConfig;
  /** Packets follow the collection tree, or everybody repeats them. */
  readonly mode: 'collection' | 'flooding';
  /** How sessions are protected: suite 0x00, 0x01 or 0x10. */
  readonly suite: 'none' | 'noise' | 'rsa';
  readonly pollCycleS: number;
  readonly intervalS: number;
  /** In order of time. */
  readonly faults: readonly Fault[];
}

export interface ScenarioNode {
  readonly id: string;
  readonly role: Role;
  readonly power: EnergyClass;
  /** 0 for nodes that are no hub. */
  readonly localHubId: number;
  /** A meter with a switch. */
  readonly relay?: boolean;
  /** Metres; undefined where links are given and no place is. */
  readonly place: { readonly x: number; readonly y: number } | undefined;
}

export type Fault = { readonly atS: number } & FaultAction;
export type FaultAction =
  | { readonly kind: 'kill' | 'revive' | 'powerCut'; readonly node: string }
  | { readonly kind: 'partition'; readonly nodes: readonly string[] }
  | { readonly kind: 'heal' };

/** Most nodes of a scenario: each firmware instance reserves address space. */
export const SCENARIO_NODES_MAX = 5000;
/** Longest run: 30 days. */
const DURATION_S_MAX = 30 * 86_400;
const SEED_MAX = Number.MAX_SAFE_INTEGER;
const U16_MAX = 65_535;
const LOCAL_HUB_ID_MAX = 65_534;
const PLACE_METRES_MAX = 100_000;
const FAULT_KINDS = ['kill', 'revive', 'powerCut', 'partition', 'heal'] as const;

/**
 * Checks a parsed scenario file. Throws `badScenario` with the JSON path of the fault and what to do about it; a field of a later version is
 * refused, never ignored.
 */
export function parseScenario(json: unknown): Scenario {
  const known = ['name', 'seed', 'durationS', 'warmupS', 'nodes', 'links', 'radio', 'mesh', 'reading', 'faults'];
  const fields = new Fields(json, '', known);
  const durationS = fields.number('durationS', { min: 1, max: DURATION_S_MAX });
  const warmupS = fields.number('warmupS', { min: 0, max: DURATION_S_MAX, fallback: 0 });
  if (warmupS >= durationS)
    throw fault('warmupS', `${warmupS} leaves nothing of durationS (${durationS})`, 'make it shorter');
  const nodes = readNodes(fields);
  const ids = new Set(nodes.map((node) => node.id));
  const links = readLinks(fields, ids);
  if (!links) requirePlaces(nodes);
  return {
    name: fields.text('name', 'unnamed'),
    seed: fields.number('seed', { min: 0, max: SEED_MAX, whole: true, fallback: 1 }),
    durationS,
    warmupS,
    nodes,
    links,
    radio: readRadio(fields),
    ...readMesh(fields),
    intervalS: fields
      .inner('reading', ['intervalS'])
      .number('intervalS', { min: 1, max: U16_MAX, whole: true, fallback: 60 }),
    faults: readFaults(fields, ids, durationS),
  };
}

function readNodes(fields: Fields): ScenarioNode[] {
  const list = fields.list('nodes');
  if (list.length > SCENARIO_NODES_MAX)
    throw fault('nodes', `${list.length} are too many`, `give at most ${SCENARIO_NODES_MAX}`);
  const seen = new Map<string, Path>();
  const hubIds = new Map<number, Path>();
  const nodes = list.map(({ value, path }) => {
    const node = readNode(value, path);
    const first = seen.get(node.id);
    if (first) throw fault(`${path}.id`, `${shown(node.id)} is the id of ${first} already`, 'give every node its own');
    seen.set(node.id, path);
    const holder = node.localHubId === 0 ? undefined : hubIds.get(node.localHubId);
    if (holder)
      throw fault(`${path}.localHubId`, `${node.localHubId} belongs to ${holder} already`, 'give every hub its own');
    hubIds.set(node.localHubId, path);
    return node;
  });
  const gateways = nodes.filter((node) => node.role === 'gateway').length;
  if (gateways !== 1)
    throw fault(
      'nodes',
      `there are ${gateways} gateways`,
      'this version simulates exactly one: give one node the role gateway',
    );
  return numberHubs(nodes);
}

function readNode(value: unknown, path: Path): ScenarioNode {
  const fields = new Fields(value, path, ['id', 'role', 'power', 'localHubId', 'relay', 'x', 'y']);
  const role = fields.oneOf('role', ['meter', 'hub', 'gateway']);
  const power = fields.oneOf('power', ['mains', 'backup', 'battery'], 'mains');
  if (power === 'battery' && role !== 'meter') {
    throw fault(fields.at('power'), `a ${role} routes for others and cannot live on a battery`, 'give mains or backup');
  }
  const isHub = role === 'hub';
  if (!isHub && fields.has('localHubId')) throw fault(fields.at('localHubId'), `a ${role} has none`, 'remove it');
  const localHubId = fields.number('localHubId', {
    min: isHub && fields.has('localHubId') ? 1 : 0,
    max: LOCAL_HUB_ID_MAX,
    whole: true,
    fallback: 0,
  });
  const relay = readRelay(fields, role);
  return { id: fields.text('id'), role, power, localHubId, place: readPlace(fields), ...(relay ? { relay } : {}) };
}

function readRelay(fields: Fields, role: Role): boolean {
  if (!fields.has('relay')) return false;
  const relay = fields.get('relay');
  if (typeof relay !== 'boolean')
    throw fault(fields.at('relay'), `${shown(relay)} is not possible`, 'give true or false');
  if (relay && role !== 'meter') throw fault(fields.at('relay'), `a ${role} has no switch`, 'remove it');
  return relay;
}

function readPlace(fields: Fields): ScenarioNode['place'] {
  if (!fields.has('x') && !fields.has('y')) return undefined;
  const range = { min: -PLACE_METRES_MAX, max: PLACE_METRES_MAX };
  return { x: fields.number('x', range), y: fields.number('y', range) };
}

/** Hubs without a number get the lowest free ones in their order. */
function numberHubs(nodes: readonly ScenarioNode[]): ScenarioNode[] {
  const taken = new Set(nodes.map((node) => node.localHubId));
  let next = 1;
  return nodes.map((node) => {
    if (node.role !== 'hub' || node.localHubId !== 0) return node;
    while (taken.has(next)) next++;
    taken.add(next);
    return { ...node, localHubId: next };
  });
}

function requirePlaces(nodes: readonly ScenarioNode[]): void {
  const index = nodes.findIndex((node) => node.place === undefined);
  if (index < 0) return;
  throw fault(`nodes[${index}].x`, 'it is missing', 'give x and y in metres to every node, or a list of links');
}

function readLinks(fields: Fields, ids: ReadonlySet<string>): Link[] | undefined {
  const list = fields.list('links');
  if (list.length === 0) return undefined;
  const pairs = new Map<string, Path>();
  return list.map(({ value, path }) => {
    const link = new Fields(value, path, ['from', 'to', 'prr', 'rssi']);
    const from = knownNode(link.text('from'), link.at('from'), ids);
    const to = knownNode(link.text('to'), link.at('to'), ids);
    if (from === to) throw fault(link.at('to'), `${shown(to)} is the sender itself`, 'name another node');
    const pair = JSON.stringify([from, to]);
    const first = pairs.get(pair);
    if (first)
      throw fault(path, `${from} to ${to} is given in ${first} already`, 'keep one of them (links have a direction)');
    pairs.set(pair, path);
    const prr = link.number('prr', { min: 0, max: 1 });
    return link.has('rssi') ? { from, to, prr, rssi: link.number('rssi', { min: -128, max: 0 }) } : { from, to, prr };
  });
}

function knownNode(id: string, path: Path, ids: ReadonlySet<string>): string {
  if (!ids.has(id)) throw fault(path, `there is no node ${shown(id)}`, 'name one of nodes[].id');
  return id;
}

function readRadio(fields: Fields): RadioConfig {
  const radio = fields.inner('radio', ['interferencePrr', 'captureDb', 'macRetries', 'burst']);
  const burst = radio.inner('burst', ['meanBadS', 'meanGoodS']);
  for (const name of ['meanBadS', 'meanGoodS']) {
    const mean = burst.number(name, { min: 0, max: DURATION_S_MAX, fallback: 0 });
    if (mean !== 0) throw notYet(burst.at(name), 'a link that changes in bursts', 'give 0 or remove radio.burst');
  }
  return {
    interferencePrr: radio.number('interferencePrr', { min: 0, max: 1, fallback: 0.02 }),
    captureDb: radio.get('captureDb') === null ? null : radio.number('captureDb', { min: 0, max: 100, fallback: 6 }),
    macRetries: radio.number('macRetries', { min: 0, max: 31, whole: true, fallback: 5 }),
    burst: { meanBadS: 0, meanGoodS: 0 },
  };
}

function readMesh(fields: Fields): Pick<Scenario, 'mode' | 'suite' | 'pollCycleS'> {
  const mesh = fields.inner('mesh', ['mode', 'suite', 'pollCycleS']);
  const mode = mesh.oneOf('mode', ['collection', 'flooding'], 'collection');
  const suite = mesh.oneOf('suite', ['none', 'noise', 'rsa'], 'none');
  const pollCycleS = mesh.number('pollCycleS', { min: 1, max: U16_MAX, whole: true, fallback: 60 });
  return { mode, suite, pollCycleS };
}

function readFaults(fields: Fields, ids: ReadonlySet<string>, durationS: number): Fault[] {
  const faults = fields.list('faults').map(({ value, path }) => readFault(value, path, ids, durationS));
  const sorted = faults.sort((a, b) => a.fault.atS - b.fault.atS);
  const dead = new Set<string>();
  for (const { fault: each, path } of sorted) {
    if (each.kind === 'kill' || each.kind === 'powerCut') {
      if (dead.has(each.node))
        throw fault(`${path}.${each.kind}`, `${each.node} is dead at that time`, 'revive it before');
      if (each.kind === 'kill') dead.add(each.node);
    } else if (each.kind === 'revive' && !dead.delete(each.node)) {
      throw fault(`${path}.revive`, `${each.node} is alive at that time`, 'kill it before');
    }
  }
  return sorted.map((each) => each.fault);
}

function readFault(
  value: unknown,
  path: Path,
  ids: ReadonlySet<string>,
  durationS: number,
): { fault: Fault; path: Path } {
  const advice = 'remove it: a fault has atS and one action; power cuts inside NV writes are not in this version';
  const fields = new Fields(value, path, ['atS', ...FAULT_KINDS], advice);
  const kinds = FAULT_KINDS.filter((kind) => fields.has(kind));
  const kind = kinds[0];
  if (kind === undefined || kinds.length > 1) {
    throw fault(path, `it has ${kinds.length} actions`, `give exactly one of ${FAULT_KINDS.join(', ')}`);
  }
  const atS = fields.number('atS', { min: 0, max: durationS });
  return { fault: { atS, ...readAction(fields, kind, ids) }, path };
}

function readAction(fields: Fields, kind: (typeof FAULT_KINDS)[number], ids: ReadonlySet<string>): FaultAction {
  if (kind === 'heal') {
    if (fields.get('heal') !== true)
      throw fault(fields.at('heal'), `${shown(fields.get('heal'))} is not possible`, 'give true');
    return { kind };
  }
  if (kind !== 'partition') return { kind, node: knownNode(fields.text(kind), fields.at(kind), ids) };
  const nodes = fields.list('partition').map(({ value, path }) => {
    if (typeof value !== 'string') throw fault(path, `${shown(value)} is no node`, 'name one of nodes[].id');
    return knownNode(value, path, ids);
  });
  if (nodes.length === 0)
    throw fault(fields.at('partition'), 'it names no node', 'list the nodes to cut off from all others');
  return { kind, nodes };
}
