import { Random } from '../random.ts';
import { drawFaults } from './fault-kinds.ts';
import { healedAtS, type Plan, type PlanNode } from './plan.ts';
import { drawLinks } from './topology.ts';

/** How large a drawn scenario may be. */
export interface DrawLimits {
  readonly nodesMax: number;
  readonly durationSMax: number;
}

export const NODES_MIN = 3;
export const DURATION_S_MIN = 600;
export const DEFAULT_LIMITS: DrawLimits = { nodesMax: 40, durationSMax: 2400 };

const HUBS_MAX = 4;
const FAULTS_MAX = 10;
/** Of the meshes with hubs every so manyth has a second gateway. */
const SECOND_GATEWAY_EACH = 4;
/** Faults begin when the first devices have power. */
const FAULTS_FROM_S = 1;

/** A scenario with everything random that a seed fixes: connected, with faults that end at 60 % of its time. */
export function drawPlan(seed: number, limits: DrawLimits = DEFAULT_LIMITS): Plan {
  const random = new Random(seed).fork('swarm');
  const nodes = withGateways(drawNodes(random.fork('nodes'), limits), random.fork('gateways'));
  const links = drawLinks(nodes, random.fork('links'));
  const timing = random.fork('timing');
  const durationS = between(timing, DURATION_S_MIN, limits.durationSMax);
  const radio = random.fork('radio');
  const bursty = radio.int(3) === 0;
  const meanBadS = tenths(0.2 + 2 * radio.float());
  const clock = random.fork('clock');
  const faults = random.fork('faults');
  return {
    seed,
    durationS,
    powerUpS: oneOf(timing, [0, 2, 2, 60]),
    nodes,
    links,
    radio: {
      captureDb: oneOf(radio, [6, 6, null]),
      burst: bursty
        ? { meanBadS, meanGoodS: tenths(meanBadS * (5 + 20 * radio.float())) }
        : { meanBadS: 0, meanGoodS: 0 },
    },
    mesh: {
      suite: oneOf(random.fork('suite'), [
        'noise',
        'noise',
        'noise',
        'noise',
        'noise',
        'noise',
        'none',
        'rsa',
      ] as const),
      pollCycleS: between(timing, 10, 120),
    },
    intervalS: between(timing, 5, 60),
    clock:
      clock.int(2) === 0
        ? { crystalPpm: 0, rcPercent: 0, callbackJitterMs: 0 }
        : { crystalPpm: clock.int(41), rcPercent: clock.int(6), callbackJitterMs: clock.int(3) },
    counters: oneOf(random.fork('counters'), ['new', 'new', 'new', 'old'] as const),
    faults: drawFaults(faults.int(FAULTS_MAX + 1), {
      random: faults,
      nodes,
      links,
      fromS: FAULTS_FROM_S,
      untilS: healedAtS({ durationS }),
    }),
  };
}

/** The gateway, hubs, meters that forward, then those that do not. Small meshes are the more frequent ones: they are fast and show as much. */
function drawNodes(random: Random, { nodesMax }: DrawLimits): PlanNode[] {
  const count = NODES_MIN + Math.floor((nodesMax - NODES_MIN + 1) * random.float() ** 2);
  const hubs = random.int(Math.min(HUBS_MAX, count - 2) + 1);
  const meters = count - 1 - hubs;
  const leaves = random.int(2) === 0 ? 0 : random.int(Math.floor(meters / 2) + 1);
  const hasBackup = random.int(4) === 0;
  return [
    { id: 'gw', role: 'gateway', power: 'mains' },
    ...Array.from({ length: hubs }, (_, index): PlanNode => {
      return { id: `h${index + 1}`, role: 'hub', power: 'mains', localHubId: index + 1 };
    }),
    ...Array.from({ length: meters }, (_, index): PlanNode => {
      const power = index >= meters - leaves ? 'battery' : hasBackup && random.int(3) === 0 ? 'backup' : 'mains';
      return { id: `m${index + 1}`, role: 'meter', power };
    }),
  ];
}

/** Some meshes have a second gateway in the place of a hub. */
function withGateways(nodes: readonly PlanNode[], random: Random): PlanNode[] {
  const place = nodes.findIndex(({ role }) => role === 'hub');
  if (place < 0 || random.int(SECOND_GATEWAY_EACH) > 0) return [...nodes];
  return nodes.with(place, { id: 'gw2', role: 'gateway', power: 'mains' });
}

/** A whole number from `min` to `max`, both possible. */
function between(random: Random, min: number, max: number): number {
  return min + random.int(max - min + 1);
}

function oneOf<T>(random: Random, values: readonly T[]): T {
  return values[random.int(values.length)] as T;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
