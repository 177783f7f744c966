// What no routing can beat: the transmissions that a packet needs to the gateway by the best way (De Couto et al., "A high-throughput path
// metric for multi-hop wireless routing", 2003).

/** A link that hardly ever carries a frame both ways is none: it would need more tries than a radio makes. */
const PRR_MIN = 0.05;

/** Those that hand on nothing for others. */
export function leavesOf(nodes) {
  return new Set(nodes.filter(({ power }) => power === 'battery').map(({ id }) => id));
}

/** Mean ratio of a link that is good for this share of the time only (firmware/simulator/radio/bursts.ts). */
export function withBursts(links, { meanBadS, meanGoodS } = { meanBadS: 0, meanGoodS: 1 }) {
  const goodShare = meanGoodS / (meanGoodS + meanBadS);
  return links.map((link) => ({ ...link, prr: Math.min(link.prr, goodShare) }));
}

/**
 * Means over `meters` of the transmissions of a packet to `gateway`, MAC acknowledgements apart: `etx` until it is acknowledged (1 / (pf × pr)
 * per link, what a sender cannot do without), `dataOnly` until it has arrived (1 / pf). Infinity where a meter has no way.
 */
export function boundOf(links, gateway, meters, leaves = new Set()) {
  const prr = ratiosOf(links);
  const usable = usableOf(links, prr);
  const mean = (weightOf) => {
    const { cost } = waysTo(gateway, usable, weightOf, leaves);
    return meters.reduce((sum, meter) => sum + (cost.get(meter) ?? Number.POSITIVE_INFINITY), 0) / meters.length;
  };
  return {
    etx: mean((link) => etxOf(link, prr)),
    dataOnly: mean(({ from, to }) => 1 / prr.get(`${from} ${to}`)),
  };
}

/** By node the next one on its ETX-optimal way to `gateway`. */
export function nextHops(links, gateway) {
  const prr = ratiosOf(links);
  return waysTo(gateway, usableOf(links, prr), (link) => etxOf(link, prr), new Set()).next;
}

function ratiosOf(links) {
  return new Map(links.map((link) => [`${link.from} ${link.to}`, link.prr]));
}

function usableOf(links, prr) {
  return links.filter(({ from, to, prr: there }) => there >= PRR_MIN && (prr.get(`${to} ${from}`) ?? 0) >= PRR_MIN);
}

function etxOf({ from, to }, prr) {
  return 1 / (prr.get(`${from} ${to}`) * prr.get(`${to} ${from}`));
}

/** Dijkstra from the sink against the direction of the links: the cost of every node, and its next one. */
function waysTo(sink, links, weightOf, leaves) {
  const into = new Map();
  for (const link of links) into.set(link.to, [...(into.get(link.to) ?? []), link]);
  const cost = new Map([[sink, 0]]);
  const next = new Map();
  const open = new Set([sink]);
  while (open.size > 0) {
    let nearest;
    for (const node of open) if (nearest === undefined || cost.get(node) < cost.get(nearest)) nearest = node;
    open.delete(nearest);
    if (leaves.has(nearest)) continue;
    for (const link of into.get(nearest) ?? []) {
      const through = cost.get(nearest) + weightOf(link);
      if (through >= (cost.get(link.from) ?? Number.POSITIVE_INFINITY)) continue;
      cost.set(link.from, through);
      next.set(link.from, nearest);
      open.add(link.from);
    }
  }
  return { cost, next };
}
