import { parseScenario, type Scenario } from './scenario.ts';

/** A mesh that comes with the package, with names as people would give them. */
export interface Layout {
  readonly scenario: Scenario;
  /** By node of the scenario. */
  readonly names: ReadonlyMap<string, string>;
}

/** Seconds between rows and between polls: a display that lives. */
const INTERVAL_S = 5;
/** Nobody ends a demonstration: the scenario's own length does not matter. */
const DURATION_S = 86_400;

interface Plan {
  /** Id, name and, for hubs, number. */
  readonly hubs: readonly (readonly [string, string])[];
  readonly meters: readonly (readonly [string, string])[];
  /** Meters with a switch. */
  readonly relays: readonly string[];
  /** Pairs that hear each other, with the packet reception ratio in both directions. */
  readonly links: readonly (readonly [string, string, number])[];
}

/** A house with three stairwells, twelve flats and the gateway in the basement; some flats reach their hub through a neighbour only. */
const HOUSE: Plan = {
  hubs: [
    ['h1', 'Stairwell A'],
    ['h2', 'Stairwell B'],
    ['h3', 'Stairwell C'],
  ],
  meters: Array.from({ length: 12 }, (_, index) => [`m${index + 1}`, `Flat ${index + 1}`] as const),
  relays: ['m1', 'm12'],
  links: [
    ['gw', 'h1', 0.95],
    ['gw', 'h2', 0.95],
    ['h1', 'h2', 0.9],
    ['h1', 'h3', 0.7],
    ['h2', 'h3', 0.95],
    ['h1', 'm1', 0.98],
    ['h1', 'm2', 0.95],
    ['h1', 'm3', 0.9],
    ['m2', 'm3', 0.95],
    ['m3', 'm4', 0.95],
    ['h2', 'm5', 0.98],
    ['h2', 'm6', 0.95],
    ['h2', 'm7', 0.95],
    ['m5', 'm6', 0.9],
    ['m7', 'm8', 0.92],
    ['h3', 'm9', 0.98],
    ['h3', 'm10', 0.95],
    ['h3', 'm11', 0.9],
    ['m9', 'm10', 0.9],
    ['m11', 'm12', 0.95],
    ['m4', 'm9', 0.4],
  ],
};

/** A small campsite: one hub by the washhouse, four pitches, the furthest behind another one. */
const CAMPSITE: Plan = {
  hubs: [['h1', 'Washhouse']],
  meters: [
    ['m1', 'Pitch 1'],
    ['m2', 'Pitch 2'],
    ['m3', 'Pitch 3'],
    ['m4', 'Pitch 4'],
  ],
  relays: ['m1', 'm4'],
  links: [
    ['gw', 'h1', 0.95],
    ['h1', 'm1', 0.95],
    ['h1', 'm2', 0.9],
    ['h1', 'm3', 0.85],
    ['m1', 'm2', 0.9],
    ['m3', 'm4', 0.95],
  ],
};

/** Signal, dBm, at which people and doors in the way commonly leave such a ratio indoors: far above what noise alone would need. */
function rssiOf(prr: number): number {
  return Math.round(-90 + 30 * prr ** 4);
}

const PLANS: Readonly<Record<string, Plan>> = { demo: HOUSE, campsite: CAMPSITE };

/** Names of the layouts. */
export const LAYOUT_NAMES: readonly string[] = Object.keys(PLANS);

/** The layout of that name, undefined when there is none. */
export function layoutNamed(name: string): Layout | undefined {
  const plan = Object.hasOwn(PLANS, name) ? PLANS[name] : undefined;
  if (!plan) return undefined;
  const links = plan.links.flatMap(([a, b, prr]) => [
    { from: a, to: b, prr, rssi: rssiOf(prr) },
    { from: b, to: a, prr, rssi: rssiOf(prr) },
  ]);
  const nodes = [
    { id: 'gw', role: 'gateway' },
    ...plan.hubs.map(([id], index) => ({ id, role: 'hub', localHubId: index + 1 })),
    ...plan.meters.map(([id]) => ({ id, role: 'meter', relay: plan.relays.includes(id) })),
  ];
  const timing = { durationS: DURATION_S, mesh: { pollCycleS: INTERVAL_S }, reading: { intervalS: INTERVAL_S } };
  return {
    scenario: parseScenario({ name, nodes, links, ...timing }),
    names: new Map([['gw', 'Gateway'], ...plan.hubs, ...plan.meters]),
  };
}
