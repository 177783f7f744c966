// What is run on each topology, and for how long: modes to be compared, faults, and the mesh at rest.
import { faultsOf } from './faults.js';

/** Seconds between rows, and between polls but in bulk. */
const INTERVAL_S = 60;
const BULK_CYCLE_S = 900;
/** How long runs take, seconds: everything, and what of it is warm-up. */
const HOUR = { durationS: 3600, warmupS: 600 };
const BULK = { durationS: 9000, warmupS: 1800 };
const FLOODED = { durationS: 900, warmupS: 300 };
/** After an hour of quiet. */
const REST = { durationS: 7200, warmupS: 3600 };
const LARGE_REST = { durationS: 5400, warmupS: 3600 };
const QUICK = { durationS: 300, warmupS: 120 };

/** Without hubs of its own a gateway polls everybody; those who would be hubs are meters. */
function asOneHub(nodes) {
  return nodes.map((node) => (node.role === 'hub' ? { ...node, role: 'meter' } : node));
}

const VARIANTS = {
  'one hub': { mode: 'collection', nodesOf: asOneHub },
  'several hubs': { mode: 'collection', nodesOf: (nodes) => nodes },
  'several hubs, bulk': { mode: 'collection', nodesOf: (nodes) => nodes, isBulk: true },
  flooding: { mode: 'flooding', nodesOf: (nodes) => nodes },
};

/** Members that a gateway polls. */
const GATEWAY_MEMBERS_MAX = 512;

/** What runs can be asked for by themselves. */
export const PARTS = ['variants', 'faults', 'rest'];

/**
 * What to run on a topology: `{ part, variant, scenario, seeds, changes }`. `seeds`: how many of those that can be afforded; `changes(seed)`:
 * what a seed changes of the scenario file.
 */
export function runsOf(name, plan, { quick, seeds, parts = PARTS }) {
  const topology = plan.make();
  const runs = [];
  if (parts.includes('variants')) runs.push(...comparedRuns(name, plan, topology, { quick, seeds }));
  // One moment of each fault takes as long as all that is compared; more seeds are for those who ask for faults alone.
  const few = parts.length === 1 ? seeds : 1;
  if (parts.includes('faults') && plan.faults && !quick) runs.push(...faultyRuns(name, topology, few));
  if (parts.includes('rest') && !quick) runs.push(...restingRuns(name, plan, topology, few));
  return runs;
}

function scenarioOf(name, { nodes, links, radio }, changes) {
  return {
    name,
    nodes: nodes.map(({ id, role, power = 'mains', x, y }) => ({ id, role, power, x, y })),
    links,
    radio,
    mesh: { mode: 'collection', suite: 'noise', pollCycleS: INTERVAL_S },
    reading: { intervalS: INTERVAL_S },
    ...changes,
  };
}

function comparedRuns(name, plan, topology, { quick, seeds }) {
  const runs = [];
  for (const [variant, { mode, nodesOf, isBulk = false }] of Object.entries(VARIANTS)) {
    if (isBulk && (!plan.bulk || quick)) continue;
    if (variant === 'one hub' && topology.nodes.length > GATEWAY_MEMBERS_MAX) continue;
    // A minute of a flooded village takes many to simulate.
    if (mode === 'flooding' && plan.isVillage) continue;
    const mesh = { mode, suite: 'noise', pollCycleS: isBulk ? BULK_CYCLE_S : INTERVAL_S };
    const nodes = nodesOf(topology.nodes);
    const changes = { ...timing(plan, { mode, isBulk, quick }), mesh };
    const scenario = scenarioOf(`${name}, ${variant}`, { ...topology, nodes }, changes);
    const affordable = plan.isVillage || (mode === 'flooding' && plan.isLarge) ? 1 : seeds;
    runs.push({ part: 'variants', variant, scenario, seeds: Math.min(seeds, affordable) });
  }
  return runs;
}

function faultyRuns(name, topology, seeds) {
  return Object.entries(faultsOf(topology)).map(([variant, changes]) => {
    return {
      part: 'faults',
      variant,
      scenario: scenarioOf(`${name}, ${variant}`, topology, changes(1)),
      changes,
      seeds,
    };
  });
}

/** Several hubs, after an hour of quiet: what a mesh costs in which nothing happens but bursts, and one in which nothing happens at all. */
function restingRuns(name, plan, topology, seeds) {
  const { burst, ...radio } = topology.radio;
  return Object.entries({ bursts: { burst, ...radio }, 'no bursts': radio }).map(([variant, each]) => {
    const changes = { ...(plan.isLarge || plan.isVillage ? LARGE_REST : REST), radio: each };
    const scenario = scenarioOf(`${name}, at rest, ${variant}`, topology, changes);
    return { part: 'rest', variant, scenario, seeds: plan.isVillage ? 1 : seeds };
  });
}

/** Flooding fills the air: of a large mesh some minutes take as long to simulate as an hour of the other mode. */
function timing(plan, { mode, isBulk, quick }) {
  if (quick) return QUICK;
  if (isBulk) return BULK;
  if (mode !== 'flooding') return HOUR;
  return plan.isLarge ? FLOODED : HOUR;
}
