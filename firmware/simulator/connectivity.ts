import { gatewayId } from './scenario.ts';
import type { World } from './world.ts';

/** A link that is at least this good in both directions may be expected to serve. */
const USABLE_PRR = 0.5;
/** Entries of a route (PROTOCOL.md, "Limits"). */
const ROUTE_MAX = 20;
/** So far away can a node be that joins: the first entry of the route of its M1 stands for itself, which has no short id yet. */
const HOPS_MAX = ROUTE_MAX - 1;

/** The nodes with power that have a way of usable links to the gateway now, over others that forward; none while it has no power or no host. */
export function connectedNodes(world: World): Set<string> {
  const gateway = gatewayId(world.scenario);
  const connected = new Set<string>();
  if (!world.device(gateway).on || !world.gateway.plugged) return connected;
  connected.add(gateway);
  let reached = [gateway];
  for (let hops = 0; hops < HOPS_MAX && reached.length > 0; hops++) {
    const next: string[] = [];
    for (const node of reached.filter((id) => world.device(id).config.energy !== 'battery')) {
      for (const neighbour of world.radio.neighbours(node, USABLE_PRR)) {
        if (connected.has(neighbour) || !world.device(neighbour).on) continue;
        connected.add(neighbour);
        next.push(neighbour);
      }
    }
    reached = next;
  }
  return connected;
}
