import { HOPS_MAX } from '../../../nodes/headend/frame/fields.ts';
import type { Link } from '../radio/links.ts';

/** A drawn scenario in pieces that can be taken out one by one: what belongs together, a death and its revival, is one fault here. */
export interface Plan {
  /** Draws the plan, and plays it. */
  readonly seed: number;
  readonly durationS: number;
  readonly powerUpS: number;
  readonly nodes: readonly PlanNode[];
  readonly links: readonly Link[];
  readonly radio: PlanRadio;
  readonly mesh: { readonly suite: 'none' | 'noise' | 'rsa'; readonly pollCycleS: number };
  readonly intervalS: number;
  readonly clock: { readonly crystalPpm: number; readonly rcPercent: number; readonly callbackJitterMs: number };
  readonly counters: 'new' | 'old';
  readonly faults: readonly PlanFault[];
}

export interface PlanNode {
  readonly id: string;
  readonly role: 'gateway' | 'hub' | 'meter';
  readonly power: 'mains' | 'backup' | 'battery';
  readonly localHubId?: number;
}

export interface PlanRadio {
  readonly captureDb: number | null;
  readonly burst: { readonly meanBadS: number; readonly meanGoodS: number };
}

/** Entries of a scenario's `faults` that come and go together. */
export type PlanFault = readonly FaultEntry[];
export type FaultEntry = { readonly atS: number } & Readonly<Record<string, unknown>>;

/** Everything is whole again after this share of the run. */
export const HEALED_AT = 0.6;

/** A pair counts as connected when both directions reach this ratio. */
const USABLE_PRR = 0.5;
/** Ways to a gateway leave this many hops for detours below the protocol's limit. */
const DETOUR_HOPS = 8;

/** Seconds after which no fault is left. */
export function healedAtS({ durationS }: Pick<Plan, 'durationS'>): number {
  return Math.floor(durationS * HEALED_AT);
}

/** The plan as a scenario file that `wattmesh sim` plays. */
export function fileOf(plan: Plan): object {
  const { seed, durationS, powerUpS, nodes, links, radio, mesh, intervalS, clock, counters, faults } = plan;
  const entries = faults.flat().sort((a, b) => a.atS - b.atS);
  return {
    name: `swarm-${seed}`,
    ...{ seed, durationS, powerUpS, nodes, links, radio, mesh, reading: { intervalS }, clock, counters },
    faults: [...entries, { atS: healedAtS(plan), heal: true }],
  };
}

/** Whether every node has a way to a gateway over usable links and nodes that forward, of not too many hops. */
export function isConnected({ nodes, links }: Pick<Plan, 'nodes' | 'links'>): boolean {
  const forwards = new Map(nodes.map(({ id, power }) => [id, power !== 'battery']));
  const usable = new Set(links.filter(({ prr }) => prr >= USABLE_PRR).map(({ from, to }) => `${from}>${to}`));
  const neighbours = new Map<string, string[]>(nodes.map(({ id }) => [id, []]));
  for (const { from, to } of links) {
    if (usable.has(`${from}>${to}`) && usable.has(`${to}>${from}`)) neighbours.get(from)?.push(to);
  }
  const reached = new Set(nodes.filter(({ role }) => role === 'gateway').map(({ id }) => id));
  let edge = [...reached];
  for (let hops = 0; hops < HOPS_MAX - DETOUR_HOPS && edge.length > 0; hops++) {
    const next = edge.flatMap((id) => (forwards.get(id) ? (neighbours.get(id) ?? []) : []));
    edge = [...new Set(next)].filter((id) => !reached.has(id));
    for (const id of edge) reached.add(id);
  }
  return reached.size === nodes.length;
}
