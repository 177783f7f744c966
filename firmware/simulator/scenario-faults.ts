import { Fields, fault, type Path, shown } from './scenario-fields.ts';
import { knownNode, readPair } from './scenario-radio.ts';

/** Something that goes wrong at a time, or is put right again. */
export type Fault = { readonly atS: number } & FaultAction;
export type FaultAction =
  | { readonly kind: 'kill' | 'revive' | 'powerCut' | 'powerCutInWrite'; readonly node: string }
  | { readonly kind: 'partition'; readonly nodes: readonly string[] }
  | { readonly kind: 'heal' }
  /** This share of the MAC acknowledgements from a node, to a node or both is lost; 0: none any more. */
  | { readonly kind: 'ackLoss'; readonly from?: string; readonly to?: string; readonly loss: number }
  /** A directed link gets another ratio; undefined: the one that it had at the start. */
  | { readonly kind: 'link'; readonly from: string; readonly to: string; readonly prr: number | undefined }
  | { readonly kind: 'channel'; readonly nodes: readonly string[]; readonly channel: number }
  /** Nothing passes between these gateways and the host. */
  | { readonly kind: 'hostOutage'; readonly gateways: readonly string[]; readonly on: boolean };

/** Actions of the file. */
const ACTIONS = [
  'kill',
  'revive',
  'powerCut',
  'powerCutInWrite',
  'partition',
  'heal',
  'ackLoss',
  'link',
  'channel',
  'gatewayOutage',
  'hostOutage',
] as const;
type Action = (typeof ACTIONS)[number];

/** Channels of the 2.4 GHz band. */
const CHANNELS = { min: 1, max: 14, whole: true };

/** What faults may name, and until when they may last. */
export interface FaultLimits {
  readonly ids: ReadonlySet<string>;
  readonly gateways: readonly string[];
  readonly durationS: number;
}

/** Where a fault stands in the file. */
interface Placed {
  readonly fault: Fault;
  readonly path: Path;
}

/**
 * The list `faults` in order of time. Faults that end by themselves become two, and an outage of the gateway becomes its death and revival.
 */
export function readFaults(fields: Fields, limits: FaultLimits): Fault[] {
  const placed = fields.list('faults').flatMap(({ value, path }) => readFault(value, path, limits));
  const sorted = placed.sort((a, b) => a.fault.atS - b.fault.atS);
  const dead = new Set<string>();
  const cutOff = new Set<string>();
  for (const { fault: each, path } of sorted) {
    if (each.kind === 'hostOutage') {
      const isOut = each.on && each.gateways.some((gateway) => cutOff.has(gateway));
      if (isOut) throw fault(path, 'the host is away at that time', 'let outages follow each other');
      for (const gateway of each.gateways) {
        if (each.on) cutOff.add(gateway);
        else cutOff.delete(gateway);
      }
    } else if (each.kind === 'revive') {
      if (!dead.delete(each.node)) throw fault(path, `${each.node} is alive at that time`, 'kill it before');
    } else if (each.kind === 'kill' || each.kind === 'powerCut' || each.kind === 'powerCutInWrite') {
      if (dead.has(each.node)) throw fault(path, `${each.node} is dead at that time`, 'revive it before');
      if (each.kind === 'kill') dead.add(each.node);
    }
  }
  return sorted.map((each) => each.fault);
}

function readFault(value: unknown, path: Path, limits: FaultLimits): Placed[] {
  const fields = new Fields(value, path, ['atS', ...ACTIONS], 'remove it: a fault has atS and one action');
  const actions = ACTIONS.filter((action) => fields.has(action));
  const [action] = actions;
  if (action === undefined || actions.length > 1) {
    throw fault(path, `it has ${actions.length} actions`, `give exactly one of ${ACTIONS.join(', ')}`);
  }
  const atS = fields.number('atS', { min: 0, max: limits.durationS });
  const at = fields.at(action);
  return readAction(fields, action, limits, limits.durationS - atS).map(([afterS, what]) => {
    return { fault: { atS: atS + afterS, ...what }, path: at };
  });
}

/** The steps of an action with the seconds after which each happens; `leftS`: until the end of the run. */
function readAction(fields: Fields, action: Action, limits: FaultLimits, leftS: number): [number, FaultAction][] {
  const { ids, gateways } = limits;
  switch (action) {
    case 'kill':
    case 'revive':
    case 'powerCut':
    case 'powerCutInWrite':
      return [[0, { kind: action, node: knownNode(fields.text(action), fields.at(action), ids) }]];
    case 'partition':
      return [[0, { kind: action, nodes: readNodes(fields, action, ids) }]];
    case 'heal':
      if (!fields.flag('heal')) throw fault(fields.at('heal'), 'false is not possible', 'give true');
      return [[0, { kind: action }]];
    case 'ackLoss':
      return readAckLoss(fields.inner(action, ['from', 'to', 'loss', 'forS']), ids, leftS);
    case 'link':
      return readLinkChange(fields.inner(action, ['from', 'to', 'prr', 'forS']), ids, leftS);
    case 'channel': {
      const inner = fields.inner(action, ['nodes', 'number']);
      return [[0, { kind: action, nodes: readNodes(inner, 'nodes', ids), channel: inner.number('number', CHANNELS) }]];
    }
    case 'gatewayOutage': {
      const [forS, hit] = readOutage(fields.inner(action, ['forS', 'gateway']), gateways, leftS);
      return hit.flatMap((node): [number, FaultAction][] => [
        [0, { kind: 'kill', node }],
        [forS, { kind: 'revive', node }],
      ]);
    }
    case 'hostOutage': {
      const [forS, hit] = readOutage(fields.inner(action, ['forS', 'gateway']), gateways, leftS);
      return [
        [0, { kind: action, gateways: hit, on: true }],
        [forS, { kind: action, gateways: hit, on: false }],
      ];
    }
  }
}

function readAckLoss(fields: Fields, ids: ReadonlySet<string>, leftS: number): [number, FaultAction][] {
  const ends = ['from', 'to'] as const;
  const named = ends.filter((end) => fields.has(end));
  if (named.length === 0) throw fault(fields.path, 'it names no node', 'give from, to or both');
  const nodes = named.map((end) => [end, knownNode(fields.text(end), fields.at(end), ids)]);
  const pair: { from?: string; to?: string } = Object.fromEntries(nodes);
  const loss = fields.number('loss', { min: 0, max: 1, fallback: 1 });
  const forS = readForS(fields, leftS);
  return [
    [0, { kind: 'ackLoss', ...pair, loss }],
    [forS, { kind: 'ackLoss', ...pair, loss: 0 }],
  ];
}

function readLinkChange(fields: Fields, ids: ReadonlySet<string>, leftS: number): [number, FaultAction][] {
  const pair = readPair(fields, ids);
  const prr = fields.number('prr', { min: 0, max: 1 });
  const change: [number, FaultAction] = [0, { kind: 'link', ...pair, prr }];
  if (!fields.has('forS')) return [change];
  return [change, [readForS(fields, leftS), { kind: 'link', ...pair, prr: undefined }]];
}

/** How long, and of which gateways: of all unless one is named. */
function readOutage(fields: Fields, gateways: readonly string[], leftS: number): [number, readonly string[]] {
  const forS = readForS(fields, leftS);
  if (!fields.has('gateway')) return [forS, gateways];
  const gateway = fields.text('gateway');
  if (!gateways.includes(gateway))
    throw fault(fields.at('gateway'), `there is no gateway ${shown(gateway)}`, `name one of ${gateways.join(', ')}`);
  return [forS, [gateway]];
}

function readForS(fields: Fields, leftS: number): number {
  return fields.number('forS', { min: 0, max: leftS });
}

function readNodes(fields: Fields, name: string, ids: ReadonlySet<string>): string[] {
  const nodes = fields.list(name).map(({ value, path }) => {
    if (typeof value !== 'string') throw fault(path, `${shown(value)} is no node`, 'name one of nodes[].id');
    return knownNode(value, path, ids);
  });
  if (nodes.length === 0) throw fault(fields.at(name), 'it names no node', 'list one at least');
  return nodes;
}
