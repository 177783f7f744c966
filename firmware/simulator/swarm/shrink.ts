import { DURATION_S_MIN } from './draw.ts';
import type { Finding } from './judge.ts';
import { type FaultEntry, isConnected, type Plan, type PlanFault, type PlanNode } from './plan.ts';

/** Limits of a search for the smallest plan that still fails. */
export interface ShrinkLimits {
  /** Most plans that are tried. */
  readonly tries: number;
  /** The search is told to stop. */
  isOver(): boolean;
}

export type Tester = (plan: Plan) => Promise<readonly Finding[]>;

/** Proposes smaller plans, the boldest first. */
type Reduction = (plan: Plan) => Iterable<Plan>;

const CALM_RADIO = { captureDb: 6, burst: { meanBadS: 0, meanGoodS: 0 } };
const TRUE_CLOCK = { crystalPpm: 0, rcPercent: 0, callbackJitterMs: 0 };

/** Tried in this order, again and again until none helps: what saves the most time comes first. */
const REDUCTIONS: readonly Reduction[] = [withoutFaults, withoutNodes, withFewerCuts, shorter, plainer];

/**
 * Greedy search (delta debugging, Zeller 1999) for a smaller plan that fails in the same way: the first finding keeps its kind. Returns the
 * smallest that was found and the number of plans tried; the same plan and tests give the same result.
 */
export async function shrink(
  plan: Plan,
  kind: string,
  test: Tester,
  limits: ShrinkLimits,
): Promise<{ plan: Plan; tries: number }> {
  let smallest = plan;
  let tries = 0;
  const fails = async (candidate: Plan): Promise<boolean> => {
    tries++;
    return (await test(candidate)).some((finding) => finding.kind === kind);
  };
  for (let helped = true; helped; ) {
    helped = false;
    for (const reduce of REDUCTIONS) {
      // After a success the same reduction goes on from the smaller plan.
      for (let again = true; again; ) {
        again = false;
        for (const candidate of reduce(smallest)) {
          if (tries >= limits.tries || limits.isOver()) return { plan: smallest, tries };
          if (!(await fails(candidate))) continue;
          smallest = candidate;
          helped = true;
          again = true;
          break;
        }
      }
    }
  }
  return { plan: smallest, tries };
}

function* withoutFaults(plan: Plan): Iterable<Plan> {
  for (const faults of lessOf(plan.faults)) yield { ...plan, faults };
}

function* withoutNodes(plan: Plan): Iterable<Plan> {
  const needed = plan.nodes.filter(({ role }) => role === 'gateway');
  // The last ones first: behind them there is nobody.
  const others = plan.nodes.filter(({ role }) => role !== 'gateway').reverse();
  for (const kept of lessOf(others)) {
    const candidate = withNodes(plan, [...needed, ...[...kept].reverse()]);
    if (kept.some(({ role }) => role === 'meter') && isConnected(candidate)) yield candidate;
  }
}

/** Faults that cut the power of several nodes do so to fewer. */
function* withFewerCuts(plan: Plan): Iterable<Plan> {
  for (const [index, fault] of plan.faults.entries()) {
    const cuts = fault.filter((entry) => 'powerCut' in entry);
    if (cuts.length < 2) continue;
    for (const kept of lessOf(cuts)) {
      const fewer = fault.filter((entry) => !cuts.includes(entry) || kept.includes(entry));
      if (fewer.length > 0) yield { ...plan, faults: plan.faults.with(index, fewer) };
    }
  }
}

function* shorter(plan: Plan): Iterable<Plan> {
  for (const factor of [0.5, 0.75, 0.9]) {
    const durationS = Math.floor(plan.durationS * factor);
    if (durationS < DURATION_S_MIN) continue;
    const scaled = durationS / plan.durationS;
    yield { ...plan, durationS, faults: plan.faults.map((fault) => fault.map((entry) => sooner(entry, scaled))) };
  }
}

function* plainer(plan: Plan): Iterable<Plan> {
  const simple: Partial<Plan>[] = [
    { radio: CALM_RADIO },
    { clock: TRUE_CLOCK },
    { counters: 'new' },
    { mesh: { ...plan.mesh, suite: 'none' } },
    { nodes: plan.nodes.map((node) => ({ ...node, power: 'mains' })) },
    { links: plan.links.filter(({ prr }) => prr >= 0.5) },
    { powerUpS: 2 },
    { intervalS: 60 },
    { mesh: { ...plan.mesh, pollCycleS: 60 } },
  ];
  for (const change of simple) {
    const candidate = { ...plan, ...change };
    const isNew = JSON.stringify(candidate) !== JSON.stringify(plan);
    if (isNew && isConnected(candidate)) yield candidate;
  }
}

/** The list without one half, without the other, then without quarters and so on to single elements. */
function* lessOf<T>(list: readonly T[]): Iterable<readonly T[]> {
  for (let size = list.length; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < list.length; from += size) {
      yield list.filter((_, index) => index < from || index >= from + size);
    }
  }
}

function withNodes(plan: Plan, nodes: readonly PlanNode[]): Plan {
  const ids = new Set(nodes.map(({ id }) => id));
  const links = plan.links.filter(({ from, to }) => ids.has(from) && ids.has(to));
  const faults = plan.faults.map((fault) => faultAmong(fault, ids)).filter((fault) => fault.length > 0);
  return { ...plan, nodes, links, faults };
}

/** What is left of a fault when only these nodes exist: a death and its revival name the same node and go together, lists of nodes get shorter. */
function faultAmong(fault: PlanFault, ids: ReadonlySet<string>): PlanFault {
  return fault.map((entry) => entryAmong(entry, ids)).filter((entry) => entry !== undefined);
}

function entryAmong(entry: FaultEntry, ids: ReadonlySet<string>): FaultEntry | undefined {
  const parts = Object.entries(entry).map(([name, value]) => [name, valueAmong(value, ids)] as const);
  if (parts.some(([, value]) => value === undefined)) return undefined;
  return { ...Object.fromEntries(parts), atS: entry.atS };
}

/** Texts in a fault are names of nodes. */
function valueAmong(value: unknown, ids: ReadonlySet<string>): unknown {
  if (typeof value === 'string') return ids.has(value) ? value : undefined;
  if (Array.isArray(value)) {
    const left = value.filter((each: string) => ids.has(each));
    return left.length === 0 ? undefined : left;
  }
  if (typeof value !== 'object' || value === null) return value;
  const parts = Object.entries(value).map(([name, inner]) => [name, valueAmong(inner, ids)] as const);
  return parts.some(([, inner]) => inner === undefined) ? undefined : Object.fromEntries(parts);
}

function sooner(entry: FaultEntry, factor: number): FaultEntry {
  const scaled = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !('forS' in value)) return value;
    return { ...value, forS: (value.forS as number) * factor };
  };
  const parts = Object.entries(entry).map(([name, value]) => [name, scaled(value)]);
  return { ...Object.fromEntries(parts), atS: entry.atS * factor };
}
