import assert from 'node:assert/strict';
import { BOOT_AND_SEND_MILLICOULOMB, SUPPLY_VOLT, yearsOnBatteries } from '../../firmware/simulator/energy-figures.ts';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import type { SimulationResult } from '../../firmware/simulator/result.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';
import { World } from '../../firmware/simulator/world.ts';
import { SUITE_ECC } from '../../nodes/headend/frame/packet.ts';
import { networkNumber } from '../../nodes/headend/security/keys.ts';
import { keyPairOf } from '../../nodes/headend/security/noise.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { eccEngine } from '../../nodes/headend/security/suite-ecc.ts';
import { HandshakePeer } from './handshake-peer.ts';

const QUARTER_S = 900;
const HOUR_S = 3600;
const NETWORK = 'leaves';
const PREPARE = 16;
const COMMIT = 17;
const ON = 1;

/** Links in both directions, `a b prr`. */
function links(...pairs: string[]) {
  return pairs.flatMap((pair) => {
    const [from, to, prr] = pair.split(' ');
    return [
      { from, to, prr: Number(prr) },
      { from: to, to: from, prr: Number(prr) },
    ];
  });
}

const NODES = [
  { id: 'gw', role: 'gateway' },
  { id: 'h1', role: 'hub' },
  { id: 'r1', role: 'meter' },
  { id: 'near', role: 'meter', power: 'battery', relay: true },
  { id: 'far', role: 'meter', power: 'battery', relay: true },
];
/** One leaf beside the hub, one behind a meter that hands on. */
const LINKS = links('gw h1 0.95', 'h1 near 0.95', 'h1 r1 0.95', 'r1 far 0.95');
const CLOCKS = { crystalPpm: 20, rcPercent: 5, callbackJitterMs: 2 };

function scenario(changes: object) {
  return parseScenario({
    ...{ durationS: 4 * HOUR_S, warmupS: HOUR_S, nodes: NODES, links: LINKS, clock: CLOCKS },
    ...{ mesh: { suite: 'noise', pollCycleS: QUARTER_S }, reading: { intervalS: QUARTER_S } },
    ...changes,
  });
}

async function run(changes: object, seed = 1): Promise<SimulationResult> {
  return simulate({ scenario: scenario(changes), firmware: loadFirmware(), seed });
}

function promisesKept({ readings, violations, pdr }: SimulationResult): void {
  assert.deepEqual(violations, []);
  const { lost, duplicates, pending } = readings;
  assert.deepEqual({ lost, duplicates, pending, pdr }, { lost: 0, duplicates: 0, pending: 0, pdr: 1 });
}

/** A world with a head-end that does the least, run for so many seconds. */
function worldAfter(seconds: number, seed = 1): { world: World; head: HandshakePeer } {
  const staticKey = keyPairOf(nodeProvider, new Uint8Array(32).fill(0x5e));
  const networkKey = new Uint8Array(16).fill(0x3c);
  const world = new World({
    ...{ scenario: scenario({ durationS: 24 * HOUR_S }), firmware: loadFirmware(), seed },
    ...{ network: NETWORK, networkKey },
    security: () => ({ suite: SUITE_ECC, headEndKey: staticKey.publicKey }),
  });
  const engine = eccEngine({ provider: nodeProvider, staticKey, networkNumber: networkNumber(NETWORK) });
  const head = new HandshakePeer(world, engine, networkKey);
  world.run(seconds * 1e6);
  return { world, head };
}

describe('battery leaves', function () {
  this.timeout(60_000);

  it('need little more than waking and sending, and deliver everything', async () => {
    const result = await run({});
    promisesKept(result);
    const { leafMilliJoulePerReading, leafYears, nodes } = result.energy;
    const bound = BOOT_AND_SEND_MILLICOULOMB * SUPPLY_VOLT;
    assert.ok(leafMilliJoulePerReading <= 1.5 * bound, `${leafMilliJoulePerReading} mJ, bound ${bound}`);
    assert.ok(leafMilliJoulePerReading > bound, `${leafMilliJoulePerReading} mJ is less than waking takes`);
    assert.ok(leafYears > 5, `${leafYears} years`);
    for (const id of ['near', 'far']) {
      const energy = nodes[id];
      assert.ok(energy);
      assert.ok(energy.sleepS > 0.999 * 3 * HOUR_S, `${id} sleeps ${energy.sleepS} s`);
      const states = energy.txS + energy.rxS + energy.sleepS + energy.wakeS;
      assert.ok(Math.abs(states - 3 * HOUR_S) < 1, `${states} s in all`);
    }
  });

  it('report every minute too, over lossy links', async () => {
    const lossy = links('gw h1 0.8', 'h1 near 0.7', 'h1 r1 0.8', 'r1 far 0.7');
    const minute = { mesh: { suite: 'noise', pollCycleS: 60 }, reading: { intervalS: 60 } };
    promisesKept(await run({ ...minute, links: lossy, durationS: 1800, warmupS: 300 }));
  });

  it('find another parent when theirs is gone, and lose nothing', async () => {
    const ways = [...LINKS, ...links('h1 far 0.7', 'r1 near 0.7')];
    const faults = [
      { atS: 2 * HOUR_S, kill: 'r1' },
      { atS: 5 * HOUR_S, revive: 'r1' },
      { atS: 4 * HOUR_S, powerCut: 'near' },
    ];
    const result = await run({ durationS: 6 * HOUR_S, links: ways, faults });
    promisesKept(result);
  });

  it('lose their RAM in each sleep, and what outlasts it only with their power', () => {
    const { world } = worldAfter(0);
    const joined = new Map<string, number>();
    world.observe({
      traced: (node, trace) => {
        if (trace.kind === 'joined') joined.set(node, (joined.get(node) ?? 0) + 1);
      },
    });
    world.run(3 * HOUR_S * 1e6);
    assert.deepEqual([joined.get('near'), joined.get('far')], [1, 1]);
    world.apply({ kind: 'powerCut', atS: 3 * HOUR_S, node: 'near' });
    world.run(4 * HOUR_S * 1e6);
    assert.deepEqual([joined.get('near'), joined.get('far')], [2, 1]);
    assert.equal(world.device('near').state()?.joined, true);
  });

  it('search ever more rarely while nobody is there, and come back', async () => {
    const faults = [
      { atS: 1.2 * HOUR_S, partition: ['near', 'far'] },
      { atS: 3.2 * HOUR_S, heal: true },
    ];
    const result = await run({ durationS: 5 * HOUR_S, faults });
    promisesKept(result);
    for (const id of ['near', 'far']) {
      const { sleepS = 0 } = result.energy.nodes[id] ?? {};
      assert.ok(sleepS > 0.98 * 4 * HOUR_S, `${id} slept only ${sleepS} s`);
    }
  });

  it('measure on time between two answers, with clocks that are percents off', () => {
    for (const seed of [1, 2, 3]) {
      const { world } = worldAfter(0, seed);
      const errorsMs: number[] = [];
      world.observe({
        measured: (node, row) => {
          const isLeaf = node === 'near' || node === 'far';
          if (isLeaf && row.quality === 'good') errorsMs.push(Math.abs(world.utcMs() - row.measuredAtMs));
        },
      });
      world.run(4 * HOUR_S * 1e6);
      assert.ok(errorsMs.length >= 28, `${errorsMs.length} rows`);
      assert.ok(Math.max(...errorsMs) <= 50, `seed ${seed}: ${Math.max(...errorsMs)} ms`);
    }
  });

  for (const id of ['near', 'far']) {
    it(`get commands when they wake, and the second step soon after the first: ${id}`, () => {
      const { world, head } = worldAfter(HOUR_S);
      const nodeId = world.device(id).state()?.nodeId ?? '';
      const results = (command: number) =>
        (head.peers.get(nodeId)?.sections ?? []).flatMap((section) =>
          section.kind === 'result' && section.command === command ? [section] : [],
        );
      const pass = (seconds: number): void => world.run(world.schedule.nowUs + seconds * 1e6);
      head.command(nodeId, { kind: 'command', command: 1, operation: PREPARE, arguments: Uint8Array.of(ON) });
      for (let waited = 0; waited < 1.3 * QUARTER_S && results(1).length === 0; waited++) pass(1);
      const [prepared] = results(1);
      assert.equal(prepared?.outcome, 'prepared');
      assert.ok(prepared);
      head.command(nodeId, { kind: 'command', command: 2, operation: COMMIT, arguments: prepared.data });
      pass(5);
      assert.deepEqual([results(2).at(0)?.outcome, world.device(id).relayOn], ['done', true]);
    });
  }

  it('last as long as two cells at their mean current', () => {
    assert.ok(Math.abs(yearsOnBatteries(0.05) - 2080 / (0.05 * 8766 + 78)) < 1e-9);
  });
});

describe('power', function () {
  this.timeout(60_000);

  it('of a backup is spared where mains leads on too', async () => {
    const nodes = [
      { id: 'gw', role: 'gateway' },
      { id: 'backup', role: 'meter', power: 'backup' },
      { id: 'mains', role: 'meter' },
      { id: 'm1', role: 'meter' },
    ];
    const hour = { durationS: HOUR_S, warmupS: 600, mesh: { pollCycleS: 60 }, reading: { intervalS: 60 } };
    const both = links('gw backup 0.99', 'gw mains 0.9', 'm1 backup 0.99', 'm1 mains 0.8');
    const spared = await run({ ...hour, nodes, links: both });
    promisesKept(spared);
    const one = await run({ ...hour, nodes, links: links('gw backup 0.99', 'gw mains 0.9', 'm1 backup 0.99') });
    promisesKept(one);
    const sentS = (result: SimulationResult): number => result.energy.nodes.backup?.txS ?? 0;
    assert.ok(
      sentS(spared) < 0.7 * sentS(one),
      `${sentS(spared)} s of sending, ${sentS(one)} s without a way over mains`,
    );
  });
});
