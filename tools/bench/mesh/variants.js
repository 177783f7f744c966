// What is compared on each topology, and for how long each is run.

/** Seconds between rows, and between polls but in bulk. */
const INTERVAL_S = 60;
const BULK_CYCLE_S = 900;
/** How long runs take, seconds: everything, and what of it is warm-up. */
const HOUR = { durationS: 3600, warmupS: 600 };
const BULK = { durationS: 9000, warmupS: 1800 };
const FLOODED = { durationS: 900, warmupS: 300 };
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

/** The scenario files to run on a topology: `{ variant, scenario, seeds }`. `seeds`: how many of those that can be afforded. */
export function runsOf(name, plan, { quick, seeds }) {
  const { nodes, links, radio } = plan.make();
  const runs = [];
  for (const [variant, { mode, nodesOf, isBulk = false }] of Object.entries(VARIANTS)) {
    if (isBulk && (!plan.bulk || quick)) continue;
    if (variant === 'one hub' && nodes.length > GATEWAY_MEMBERS_MAX) continue;
    // A minute of a flooded village takes many to simulate.
    if (mode === 'flooding' && plan.isVillage) continue;
    const scenario = {
      name: `${name}, ${variant}`,
      ...timing(plan, { mode, isBulk, quick }),
      nodes: nodesOf(nodes).map(({ id, role, power = 'mains', x, y }) => ({ id, role, power, x, y })),
      links,
      radio,
      mesh: { mode, suite: 'noise', pollCycleS: isBulk ? BULK_CYCLE_S : INTERVAL_S },
      reading: { intervalS: INTERVAL_S },
    };
    const affordable = plan.isVillage || (mode === 'flooding' && plan.isLarge) ? 1 : seeds;
    runs.push({ variant, scenario, seeds: Math.min(seeds, affordable) });
  }
  return runs;
}

/** Flooding fills the air: of a large mesh some minutes take as long to simulate as an hour of the other mode. */
function timing(plan, { mode, isBulk, quick }) {
  if (quick) return QUICK;
  if (isBulk) return BULK;
  if (mode !== 'flooding') return HOUR;
  return plan.isLarge ? FLOODED : HOUR;
}
