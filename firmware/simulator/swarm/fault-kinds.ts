import type { Link } from '../radio/links.ts';
import type { Random } from '../random.ts';
import type { FaultEntry, PlanFault, PlanNode } from './plan.ts';

/** What a drawn fault may touch and when. */
export interface FaultFrame {
  readonly random: Random;
  readonly nodes: readonly PlanNode[];
  readonly links: readonly Link[];
  readonly fromS: number;
  /** Everything is over by then. */
  readonly untilS: number;
  /** Reserves something for a time, ends included; false: another fault has it. */
  claim(resource: string, span: Span): boolean;
}

interface Span {
  readonly atS: number;
  readonly endS: number;
}

/** Draws one fault; undefined when what it would touch is taken. */
type FaultKind = (frame: FaultFrame) => PlanFault | undefined;

/** A power cut lasts 2 s (world.ts); what is cut again meanwhile would only last longer. */
const POWER_CUT_S = 3;
const CHANNELS = 13;

/** Every kind of fault that a swarm draws, all alike likely. What is at risk in two faults at once is a kind of its own: it would be rare. */
export const FAULT_KINDS: Readonly<Record<string, FaultKind>> = {
  death: (frame) => {
    const node = anyOf(frame, (each) => each.role !== 'gateway');
    const span = drawSpan(frame);
    if (!node || !frame.claim(node, span)) return undefined;
    return [
      { atS: span.atS, kill: node },
      { atS: span.endS, revive: node },
    ];
  },
  powerCut: (frame) => {
    const node = anyOf(frame, () => true);
    return node ? cutAt(frame, node, drawAtS(frame, POWER_CUT_S)) : undefined;
  },
  powerCutInWrite: (frame) => {
    // Meters write with every row. A hub may write after the heal only, when nothing may fail any more.
    const node = anyOf(frame, (each) => each.role === 'meter');
    const atS = drawAtS(frame, POWER_CUT_S);
    if (!node || !frame.claim(node, { atS, endS: atS + POWER_CUT_S })) return undefined;
    return [{ atS, powerCutInWrite: node }];
  },
  partition: (frame) => {
    const share = 0.1 + 0.5 * frame.random.float();
    const nodes = frame.nodes.map(({ id }) => id).filter(() => frame.random.float() < share);
    const span = drawSpan(frame);
    if (nodes.length === 0) return undefined;
    return [
      { atS: span.atS, partition: nodes },
      { atS: span.endS, heal: true },
    ];
  },
  gatewayOutage: (frame) => {
    const gateway = anyOf(frame, (each) => each.role === 'gateway');
    const span = drawSpan(frame);
    if (!gateway || !frame.claim(gateway, span)) return undefined;
    return [{ atS: span.atS, gatewayOutage: { forS: lengthOf(span), gateway } }];
  },
  hostOutage: (frame) => {
    const span = drawSpan(frame);
    if (!frame.claim('the host', span)) return undefined;
    return [{ atS: span.atS, hostOutage: { forS: lengthOf(span) } }];
  },
  blackout: (frame) => {
    const atS = drawAtS(frame, POWER_CUT_S);
    const share = frame.random.float();
    const nodes = frame.nodes.map(({ id }) => id).filter(() => frame.random.float() < share);
    return nodes.flatMap((node) => cutAt(frame, node, atS));
  },
  cutWhileHostIsAway: (frame) => {
    // What hubs and relays took over and could not pass on dies with their memory.
    const span = drawSpan(frame);
    if (!frame.claim('the host', span)) return undefined;
    const routers = frame.nodes.filter(({ power }) => power !== 'battery').map(({ id }) => id);
    // One alone more often than many, half the time the first: the gateway.
    const one = routers[frame.random.int(2) === 0 ? 0 : frame.random.int(routers.length)];
    const cut = frame.random.int(3) === 0 ? routers.filter(() => frame.random.int(2) === 0) : [one];
    const atS = Math.min(tenths(span.endS - frame.random.float() * (lengthOf(span) / 2)), frame.untilS - POWER_CUT_S);
    const cuts = cut.flatMap((id) => (id === undefined ? [] : cutAt(frame, id, atS)));
    return [{ atS: span.atS, hostOutage: { forS: lengthOf(span) } }, ...cuts];
  },
  ackLoss: (frame) => {
    const link = anyLink(frame);
    const span = drawSpan(frame);
    if (!link || !frame.claim(`acks ${link.from}`, span)) return undefined;
    const loss = frame.random.int(2) === 0 ? 1 : 0.5;
    return [{ atS: span.atS, ackLoss: { from: link.from, loss, forS: lengthOf(span) } }];
  },
  link: (frame) => {
    const link = anyLink(frame);
    const span = drawSpan(frame);
    if (!link || !frame.claim(`link ${link.from} ${link.to}`, span)) return undefined;
    const prr = [0, 0.1, 0.3][frame.random.int(3)];
    return [{ atS: span.atS, link: { from: link.from, to: link.to, prr, forS: lengthOf(span) } }];
  },
  channel: (frame) => {
    const node = anyOf(frame, () => true);
    const span = drawSpan(frame);
    if (!node || !frame.claim(`channel ${node}`, span)) return undefined;
    return [
      { atS: span.atS, channel: { nodes: [node], number: 2 + frame.random.int(CHANNELS - 1) } },
      { atS: span.endS, channel: { nodes: [node], number: 1 } },
    ];
  },
};

/** Up to `count` faults that do not contradict each other. */
export function drawFaults(count: number, frame: Omit<FaultFrame, 'claim'>): PlanFault[] {
  const taken = new Map<string, Span[]>();
  const claim = (resource: string, span: Span): boolean => {
    const spans = taken.get(resource) ?? [];
    if (spans.some((other) => span.atS <= other.endS && other.atS <= span.endS)) return false;
    taken.set(resource, [...spans, span]);
    return true;
  };
  const kinds = Object.values(FAULT_KINDS);
  return Array.from({ length: count }, () => {
    const draw = kinds[frame.random.int(kinds.length)] as FaultKind;
    return draw({ ...frame, claim });
  }).filter((fault) => fault !== undefined && fault.length > 0) as PlanFault[];
}

/** A power cut, or nothing when the node is in another fault then. */
function cutAt({ claim }: FaultFrame, node: string, atS: number): FaultEntry[] {
  return claim(node, { atS, endS: atS + POWER_CUT_S }) ? [{ atS, powerCut: node }] : [];
}

function anyOf({ random, nodes }: FaultFrame, wanted: (node: PlanNode) => boolean): string | undefined {
  const possible = nodes.filter(wanted);
  return possible.length === 0 ? undefined : possible[random.int(possible.length)]?.id;
}

function anyLink({ random, links }: FaultFrame): Link | undefined {
  return links.length === 0 ? undefined : links[random.int(links.length)];
}

/** Whole tenths of a second, `beforeS` before the end at the latest. */
function drawAtS({ random, fromS, untilS }: FaultFrame, beforeS: number): number {
  return tenths(fromS + random.float() * (untilS - beforeS - fromS));
}

/** Short as often as long: lengths are spread evenly over their orders of magnitude. */
function drawSpan(frame: FaultFrame): Span {
  const { random, fromS, untilS } = frame;
  const lengthS = tenths(Math.max(1, (untilS - fromS) ** random.float()));
  const atS = drawAtS(frame, lengthS);
  return { atS, endS: tenths(Math.min(untilS, atS + lengthS)) };
}

function lengthOf({ atS, endS }: Span): number {
  return tenths(endS - atS);
}

function tenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
