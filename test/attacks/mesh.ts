import type { DeviceSecurity } from '../../firmware/simulator/device-config.ts';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { parseScenario, type Scenario } from '../../firmware/simulator/scenario.ts';
import { World } from '../../firmware/simulator/world.ts';
import type { Beacon } from '../../nodes/headend/frame/beacon.ts';
import { SUITE_ECC } from '../../nodes/headend/frame/packet.ts';
import type { UpSection } from '../../nodes/headend/frame/sections.ts';
import { networkNumber } from '../../nodes/headend/security/keys.ts';
import { keyPairOf } from '../../nodes/headend/security/noise.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { eccEngine } from '../../nodes/headend/security/suite-ecc.ts';
import { HandshakePeer } from '../simulator/handshake-peer.ts';
import { Attacker } from './attacker.ts';

export const NETWORK = 'attacked';
export const NETWORK_KEY = new Uint8Array(16).fill(0x3c);
/** In this order, each in reach of the one before only. */
export const LINE = ['gw', 'h1', 'm1', 'm2'] as const;
/** By then all have joined, whatever the radio lost. */
export const JOINED_S = 60;

type Result = Extract<UpSection, { kind: 'result' }>;

export interface Mesh {
  readonly world: World;
  readonly head: HandshakePeer;
  readonly attacker: Attacker;
  readonly headEndKey: Uint8Array;
  /** Numbers of the errors for which a device dropped frames, as often as it did. */
  readonly drops: Map<string, Map<number, number>>;
  /** Runs on for so many seconds. */
  pass(seconds: number): void;
  /** Parent of a device by its id; undefined: none, or nobody of the mesh. */
  parentOf(id: string): string | undefined;
  /** Sends a command to a device that has joined. */
  command(id: string, command: number, operation: number, ...argumentBytes: number[]): void;
  /** Results of a command since the device joined last. */
  results(id: string, command: number): Result[];
  /** Rows of a meter that the head-end has heard. */
  rowsTold(id: string): number;
}

/**
 * A gateway, a hub and two meters with switches in a line under suite 0x01, the second meter behind the first; devices start without a
 * network key.
 */
export function meshInALine(seed = 3): Mesh {
  const scenario = lineScenario();
  const staticKey = keyPairOf(nodeProvider, new Uint8Array(32).fill(0x5e));
  const headEndKey = staticKey.publicKey;
  const security = (): DeviceSecurity => ({ suite: SUITE_ECC, headEndKey });
  const world = new World({
    scenario,
    firmware: loadFirmware(),
    seed,
    network: NETWORK,
    networkKey: NETWORK_KEY,
    security,
  });
  const engine = eccEngine({ provider: nodeProvider, staticKey, networkNumber: networkNumber(NETWORK) });
  const head = new HandshakePeer(world, engine, NETWORK_KEY);
  const nodeIdOf = (id: string): string => world.device(id).state()?.nodeId ?? '';
  const drops = new Map<string, Map<number, number>>(LINE.map((id) => [id, new Map()]));
  world.observe({
    traced: (node, trace) => {
      const counts = drops.get(node);
      if (trace.kind === 'dropped') counts?.set(trace.error, (counts.get(trace.error) ?? 0) + 1);
    },
  });
  return {
    world,
    head,
    attacker: new Attacker(world, NETWORK),
    headEndKey,
    drops,
    pass: (seconds) => world.run(world.schedule.nowUs + seconds * 1e6),
    parentOf: (id) => {
      const parent = world.device(id).state()?.parentShort;
      return parent === 0 ? undefined : LINE.find((other) => world.device(other).state()?.shortId === parent);
    },
    command: (id, command, operation, ...argumentBytes) => {
      const section = { kind: 'command', command, operation, arguments: Uint8Array.from(argumentBytes) } as const;
      head.command(nodeIdOf(id), section);
    },
    results: (id, command) => {
      const sections = head.peers.get(nodeIdOf(id))?.sections ?? [];
      return sections.filter((section) => section.kind === 'result').filter((result) => result.command === command);
    },
    rowsTold: (id) => rowsTold(head, nodeIdOf(id)),
  };
}

/** The line as a scenario. */
export function lineScenario(suite: Scenario['suite'] = 'none'): Scenario {
  const pairs = LINE.slice(1).map((to, index) => [LINE[index] as string, to] as const);
  return parseScenario({
    durationS: 86_400,
    nodes: LINE.map((id) => {
      const role = id === 'gw' ? 'gateway' : id === 'h1' ? 'hub' : 'meter';
      return { id, role, relay: role === 'meter', x: 0, y: 0 };
    }),
    links: pairs.flatMap(([from, to]) => [
      { from, to, prr: 0.9 },
      { from: to, to: from, prr: 0.9 },
    ]),
    mesh: { suite, pollCycleS: 20 },
    reading: { intervalS: 20 },
  });
}

function rowsTold(head: HandshakePeer, nodeId: string): number {
  const sections = head.peers.get(nodeId)?.sections ?? [];
  const told = sections.flatMap((section) =>
    section.kind === 'readings' ? section.rows.map((_, index) => `${section.logId}:${section.first + index}`) : [],
  );
  return new Set(told).size;
}

/** The beacon that every node would like best: of a gateway that is right here, in a tree newer than any. */
export function tempting(shortId: number): { readonly type: 'beacon' } & Beacon {
  return {
    type: 'beacon',
    shortId,
    epoch: 0x7000,
    tree: 0x7000,
    gateway: shortId,
    nearestHub: shortId,
    localHubId: 1,
    hops: 0,
    cost: 0,
    grounded: true,
    pull: false,
    congested: false,
    timeValid: true,
    energyClass: 'mains',
    hub: true,
    joined: true,
    queue: 0,
    number: 1,
    timeMs: Date.UTC(2040, 0),
    subMillisecondUs: 0,
  };
}
