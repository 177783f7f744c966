import type { EnergyClass, Role } from '../../nodes/headend/frame/fields.ts';
import { CHIPS, type Chip } from './energy-figures.ts';
import type { Interference, Link } from './radio/links.ts';
import type { RadioConfig } from './radio/station.ts';
import { readEvents, type ScenarioEvent } from './scenario-events.ts';
import { type Fault, readFaults } from './scenario-faults.ts';
import { Fields, fault, type Path, shown } from './scenario-fields.ts';
import { readInterference, readLinks, readRadio } from './scenario-radio.ts';

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
  /** Pairs that disturb each other beside what the links bring: hidden terminals, strangers. */
  readonly interference: readonly Interference[];
  readonly radio: RadioConfig;
  /** Peers that each device's ESP-NOW remembers; null: no limit. */
  readonly peersMax: number | null;
  /** Packets follow the collection tree, or everybody repeats them. */
  readonly mode: 'collection' | 'flooding';
  /** How sessions are protected: suite 0x00, 0x01 or 0x10. */
  readonly suite: 'none' | 'noise' | 'rsa';
  readonly pollCycleS: number;
  readonly intervalS: number;
  /** The devices power up one after the other, spread evenly at random over this time, seconds. */
  readonly powerUpS: number;
  readonly clock: ClockErrors;
  /** Whether the devices begin with an empty flash, or with the numbers of those that have run for years. */
  readonly counters: 'new' | 'old';
  /** In order of time. */
  readonly faults: readonly Fault[];
  /** What devices tell at once. */
  readonly events: readonly ScenarioEvent[];
}

/** How far the devices' clocks are from true; each device draws its own within these bounds, for the whole run. */
export interface ClockErrors {
  /** Crystals of mains devices, parts per million. */
  readonly crystalPpm: number;
  /** RC oscillators of battery devices, percent. */
  readonly rcPercent: number;
  /** The firmware learns of a frame received or sent so much late at most, ms. */
  readonly callbackJitterMs: number;
}

export interface ScenarioNode {
  readonly id: string;
  readonly role: Role;
  readonly power: EnergyClass;
  /** 0 for nodes that are no hub. */
  readonly localHubId: number;
  /** A meter with a switch. */
  readonly relay?: boolean;
  /** Whose currents count; default: esp32. */
  readonly chip?: Chip;
  /** Metres; undefined where links are given and no place is. */
  readonly place: { readonly x: number; readonly y: number } | undefined;
}

/** Most nodes of a scenario: each firmware instance reserves address space. */
export const SCENARIO_NODES_MAX = 5000;
/** Longest run: 30 days. */
const DURATION_S_MAX = 30 * 86_400;
/** Most gateways: a node remembers what it announced of so many (PROTOCOL.md, section 4.4). */
const GATEWAYS_MAX = 4;
/** Mains comes back within this time at all devices, seconds. */
const POWER_UP_S = 2;
const SEED_MAX = Number.MAX_SAFE_INTEGER;
const U16_MAX = 65_535;
const LOCAL_HUB_ID_MAX = 65_534;
const PLACE_METRES_MAX = 100_000;

const KNOWN = [
  'name',
  'seed',
  'durationS',
  'warmupS',
  'nodes',
  'links',
  'interference',
  'radio',
  'mesh',
  'reading',
  'powerUpS',
  'clock',
  'counters',
  'faults',
  'events',
];

/**
 * Checks a parsed scenario file. Throws `badScenario` with the JSON path of the fault and what to do about it; a field of a later version is
 * refused, never ignored.
 */
export function parseScenario(json: unknown): Scenario {
  const fields = new Fields(json, '', KNOWN);
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
    interference: readInterference(fields, ids),
    ...readRadio(fields),
    ...readMesh(fields),
    intervalS: fields
      .inner('reading', ['intervalS'])
      .number('intervalS', { min: 1, max: U16_MAX, whole: true, fallback: 60 }),
    powerUpS: fields.number('powerUpS', { min: 0, max: DURATION_S_MAX, fallback: POWER_UP_S }),
    clock: readClock(fields),
    counters: fields.oneOf('counters', ['new', 'old'], 'new'),
    faults: readFaults(fields, { ids, gateways: gatewayIds({ nodes }), durationS }),
    events: readEvents(fields, ids, durationS),
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
  if (gateways < 1 || gateways > GATEWAYS_MAX)
    throw fault('nodes', `there are ${gateways} gateways`, `give one to ${GATEWAYS_MAX} nodes the role gateway`);
  return numberHubs(nodes);
}

function readNode(value: unknown, path: Path): ScenarioNode {
  const fields = new Fields(value, path, ['id', 'role', 'power', 'localHubId', 'relay', 'chip', 'x', 'y']);
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
  const chip = fields.has('chip') ? { chip: fields.oneOf('chip', CHIPS) } : {};
  const id = fields.text('id');
  return { id, role, power, localHubId, place: readPlace(fields), ...(relay ? { relay } : {}), ...chip };
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

/** The mesh part. */
function readMesh(fields: Fields): Pick<Scenario, 'mode' | 'suite' | 'pollCycleS'> {
  const mesh = fields.inner('mesh', ['mode', 'suite', 'pollCycleS']);
  const mode = mesh.oneOf('mode', ['collection', 'flooding'], 'collection');
  const suite = mesh.oneOf('suite', ['none', 'noise', 'rsa'], 'none');
  const pollCycleS = mesh.number('pollCycleS', { min: 1, max: U16_MAX, whole: true, fallback: 60 });
  return { mode, suite, pollCycleS };
}

function readClock(fields: Fields): ClockErrors {
  const clock = fields.inner('clock', ['crystalPpm', 'rcPercent', 'callbackJitterMs']);
  return {
    crystalPpm: clock.number('crystalPpm', { min: 0, max: 1000, fallback: 0 }),
    rcPercent: clock.number('rcPercent', { min: 0, max: 50, fallback: 0 }),
    callbackJitterMs: clock.number('callbackJitterMs', { min: 0, max: 100, fallback: 0 }),
  };
}

/** Ids of the scenario's gateways, one at least. */
export function gatewayIds({ nodes }: Pick<Scenario, 'nodes'>): string[] {
  return nodes.filter((node) => node.role === 'gateway').map((node) => node.id);
}
