import type { World } from './world.ts';

/** A link that is at least this good in both directions may be expected to serve. */
const USABLE_PRR = 0.5;
/** Entries of a route (PROTOCOL.md, "Limits"). */
const ROUTE_MAX = 20;
/** So far away can a node be that joins: the first entry of the route of its M1 stands for itself, which has no short id yet. */
const HOPS_MAX = ROUTE_MAX - 1;

/** The nodes with power that have a way of usable links to a gateway with power and host now, over others that forward, and such gateways. */
export function connectedNodes(world: World): Set<string> {
  const roots = [...world.gateways].filter(([id, port]) => world.device(id).on && port.plugged);
  let reached = roots.map(([id]) => id);
  const connected = new Set(reached);
  for (let hops = 0; hops < HOPS_MAX && reached.length > 0; hops++) {
    const next: string[] = [];
    for (const node of reached.filter((id) => world.device(id).config.energy !== 'battery')) {
      for (const neighbour of world.radio.neighbours(node, USABLE_PRR)) {
        // A gateway without its host forwards nothing.
        if (connected.has(neighbour) || !world.device(neighbour).on || world.gateways.has(neighbour)) continue;
        connected.add(neighbour);
        next.push(neighbour);
      }
    }
    reached = next;
  }
  return connected;
}
