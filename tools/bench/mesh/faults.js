// What goes wrong in the bench's faulty runs, and when. Each is given for a seed, so that seeds try other moments of the poll cycle.
import { nextHops } from './bound.js';

/** Readings count from here on, and the mesh has long stood when the fault comes. Seconds. */
const WARMUP_S = 600;
const FAULT_S = 1200;
const HOUR_S = 3600;
/** What is measured once the fault has ended. */
const AFTERWARDS_S = 1800;
const POWER_CUTS = { fromS: 900, toS: 3300 };
/** Of a cycle of 60 s: five seeds meet five moments, spread evenly over it. */
const SEED_STEP_S = 36;
export const REHEARSAL_DRAIN_S = 1;

/** `place`: 0 the busiest hub at that moment, 0.5 the one in the middle; which one it is a rehearsal shows. */
function killed(place) {
  return ({ atS }) => ({ durationS: FAULT_S + AFTERWARDS_S, faults: [], hubKill: { atS, place } });
}

/**
 * The fault that `hubKill` stands for, and the run before it that shows which hub it hits: `rehearse(scenario)` resolves with the result of a
 * run with so short a drain.
 */
export async function hubKillOf({ hubKill, ...scenario }, rehearse) {
  const { atS, place } = hubKill;
  const { metersThroughHubs } = await rehearse({ ...scenario, durationS: atS - REHEARSAL_DRAIN_S });
  const all = Object.entries(metersThroughHubs).sort(([, a], [, b]) => b - a);
  const busy = all.filter(([, meters]) => meters > 0);
  // Near the gateway it may be that no hub has a meter at that moment.
  const hubs = busy.length > 0 ? busy : all;
  const [hub] = hubs[Math.floor(place * hubs.length)];
  return { ...scenario, faults: [{ atS, kill: hub }] };
}

function away(outage) {
  return ({ atS }) => ({
    durationS: FAULT_S + 2 * HOUR_S + AFTERWARDS_S,
    faults: [{ atS, [outage]: { forS: 2 * HOUR_S } }],
  });
}

/** The half of the nodes that is farther from the gateway by its best way. */
function farHalf({ nodes, links }) {
  const next = nextHops(links, 'gw');
  const hops = (id) => (next.has(id) ? 1 + hops(next.get(id)) : 0);
  const others = nodes.filter(({ role }) => role !== 'gateway').map(({ id }) => id);
  return others.sort((a, b) => hops(b) - hops(a)).slice(0, Math.floor(others.length / 2));
}

function partitioned(nodes) {
  return ({ atS }) => ({
    durationS: FAULT_S + HOUR_S + AFTERWARDS_S,
    faults: [
      { atS, partition: nodes },
      { atS: atS + HOUR_S, heal: true },
    ],
  });
}

function powerCuts(nodes) {
  const { fromS, toS } = POWER_CUTS;
  const stepS = (toS - fromS) / nodes.length;
  return ({ offsetS }) => ({
    durationS: toS + AFTERWARDS_S / 2,
    faults: nodes.map(({ id }, index) => ({ atS: fromS + offsetS + index * stepS, powerCut: id })),
  });
}

/** The faulty runs of a topology with several hubs: by name what `seed` changes of its scenario. */
export function faultsOf(topology) {
  const runs = {
    'busiest hub killed': killed(0),
    'middle hub killed': killed(0.5),
    'gateway away for 2 h': away('gatewayOutage'),
    'host away for 2 h': away('hostOutage'),
    'partition for 1 h': partitioned(farHalf(topology)),
    'every node power-cut once': powerCuts(topology.nodes),
  };
  return Object.fromEntries(
    Object.entries(runs).map(([name, make]) => {
      const forSeed = (seed) => {
        const offsetS = (SEED_STEP_S * seed) % 60;
        return { warmupS: WARMUP_S, ...make({ offsetS, atS: FAULT_S + offsetS }) };
      };
      return [name, forSeed];
    }),
  );
}
