import assert from 'node:assert/strict';
import type { Beacon } from '../../nodes/headend/frame/beacon.ts';
import { decodeHostEnvelope } from '../../nodes/headend/frame/envelope.ts';
import { FRAME_TYPES } from '../../nodes/headend/frame/radio.ts';
import type { EventMessage, ReadingMessage } from '../../nodes/headend/messages.ts';
import { Attacker } from './attacker.ts';
import { BetrayedMesh, CYCLE_S } from './support/betrayed-mesh.ts';
import type { Treason } from './support/insider.ts';
import { NETWORK } from './support/sealed-mesh.ts';

/** Attacks by somebody who holds the network key: a stolen node, at its place in the mesh. The numbers are those of SECURITY.md. */

/** From the theft on: up to five cycles in vain, and what it takes to find the next parent and to send again. */
const RECOVERY_CYCLES = 8;
/** Where what was announced must be forgotten first. */
const FORGETTING_CYCLES = 22;
/** No row waits longer afterwards, though the thief is still there and is tried again now and then. */
const WAIT_CYCLES_MAX = 6;
const CYCLES = 45;
/** Two nodes next to each other try each other once, and then keep to what they have. */
const CHANGES_MAX = 15;
const QUEUE_MAX = 32;

const cheapest = (beacon: Beacon): Beacon => ({ ...beacon, hops: 1, cost: 1, grounded: true, pull: false });
const inANewerTree = (beacon: Beacon): Beacon => ({ ...cheapest(beacon), tree: (beacon.tree + 200) & 0xffff });
const anotherGateway = (beacon: Beacon): Beacon => ({ ...cheapest(beacon), hops: 0, cost: 0, gateway: beacon.shortId });

/** In one of these meshes somebody falls for it: whether a neighbour does hangs on who hears whom. */
const SEEDS = [11, 19, 22, 25, 27];

const thefts: [what: string, role: 'hub' | 'meter', treason: Treason, cycles: number][] = [
  ['a router that claims a cost of nothing', 'meter', { claims: cheapest, swallows: true }, RECOVERY_CYCLES],
  ['a router that keeps to its true cost', 'meter', { swallows: true }, RECOVERY_CYCLES],
  ['a router that claims to be a gateway', 'meter', { claims: anotherGateway, swallows: true }, RECOVERY_CYCLES],
  ['a hub that takes custody of what it drops', 'hub', { claims: cheapest, swallows: true }, RECOVERY_CYCLES],
  ['a router that claims a newer tree', 'meter', { claims: inANewerTree, swallows: true }, FORGETTING_CYCLES],
];

/** One cycle more; a thief that claims something claims it again. */
async function pass(betrayed: BetrayedMesh, treason: Treason): Promise<void> {
  if (treason.claims) betrayed.shout();
  await betrayed.mesh.pass(CYCLE_S);
}

/** A mesh some cycles after the theft, and how many hung on the thief meanwhile: the first one in which anybody did, or the last. */
async function betrayedBy(
  role: 'hub' | 'meter',
  treason: Treason,
  cycles: number,
): Promise<{ betrayed: BetrayedMesh; victims: number }> {
  for (const seed of SEEDS) {
    const betrayed = await BetrayedMesh.joined(seed, role);
    betrayed.turn(treason);
    let victims = 0;
    for (let cycle = 0; cycle < cycles; cycle++) {
      await pass(betrayed, treason);
      victims = Math.max(victims, betrayed.behindX().length);
    }
    if (victims > 0 || seed === SEEDS.at(-1)) return { betrayed, victims };
  }
  throw new Error('there are no seeds');
}

describe('attack 3: an insider who draws routes to itself and drops packets', function () {
  this.timeout(120_000);

  for (const [what, role, treason, cycles] of thefts) {
    it(`${what}: it is left, no row is lost, none waits for long`, async () => {
      const { betrayed, victims } = await betrayedBy(role, treason, cycles);
      const { mesh } = betrayed;
      assert.ok(victims > 0, 'nobody fell for it: this is no attack');
      for (let cycle = cycles; cycle < CYCLES; cycle++) {
        const wait = await betrayed.longestWait();
        assert.ok(wait <= WAIT_CYCLES_MAX, `${cycle} cycles after the theft a row has waited for ${wait} cycles`);
        await pass(betrayed, treason);
      }
      const { violations } = await mesh.judge();
      assert.deepEqual(violations, []);
    });
  }

  it('shows the operator by which way the meters go instead', async () => {
    const betrayed = await BetrayedMesh.joined(11, 'meter');
    const treason: Treason = { claims: cheapest, swallows: true };
    const { mesh, honest } = betrayed;
    const x = mesh.headEnd.status().payload.nodes.find(({ nodeId }) => nodeId === mesh.nodeId('x'))?.name ?? '';
    const meters = honest.map((id) => mesh.nodeId(id));
    const ways = (since: number): string[][] =>
      mesh.messages.slice(since).flatMap(({ wattmesh: { nodeId, path } }) => (meters.includes(nodeId) ? [path] : []));
    betrayed.turn({ claims: cheapest });
    for (let cycle = 0; cycle < 2; cycle++) await pass(betrayed, { claims: cheapest });
    assert.ok(
      ways(0).some((path) => path.includes(x)),
      'nobody went by way of it',
    );
    betrayed.turn(treason);
    for (let cycle = 0; cycle < RECOVERY_CYCLES; cycle++) await pass(betrayed, treason);
    const since = mesh.messages.length;
    for (let cycle = 0; cycle < RECOVERY_CYCLES; cycle++) await pass(betrayed, treason);
    assert.ok(ways(since).length >= meters.length);
    assert.ok(!ways(since).some((path) => path.includes(x)));
  });

  it('keeps its tree when nothing comes back by any way, and delivers what waited', async () => {
    const betrayed = await BetrayedMesh.joined(11, 'meter');
    const { mesh } = betrayed;
    const changes = new Map<string, number>();
    mesh.world.observe({
      traced: (node, { kind }) => {
        if (kind === 'parentChanged') changes.set(node, (changes.get(node) ?? 0) + 1);
      },
    });
    mesh.wire.down = (envelope, deliver) => {
      if (decodeHostEnvelope(envelope).type !== 'down') deliver(envelope);
    };
    await mesh.pass(CYCLES * CYCLE_S);
    for (const [id, times] of changes) assert.ok(times <= CHANGES_MAX, `${id} changed its parent ${times} times`);
    mesh.wire.letGo();
    await mesh.pass(600);
    assert.ok((await betrayed.longestWait()) <= WAIT_CYCLES_MAX);
    const { violations } = await mesh.judge();
    assert.deepEqual(violations, []);
  });
});

describe('attack 4: a path is doubled', function () {
  this.timeout(120_000);

  it('by an insider who hands everything on by two ways: each row counts once, and no queue grows', async () => {
    const betrayed = await BetrayedMesh.joined(12, 'meter');
    const { mesh } = betrayed;
    const { world } = mesh;
    const parent = world.device('x').state()?.parentShort;
    const other = world.device(world.device('a1').state()?.shortId === parent ? 'a2' : 'a1');
    let doubled = 0;
    const deliver = (frame: Uint8Array): void => {
      doubled++;
      world.schedule.at(world.schedule.nowUs + 5000, () =>
        other.received(frame, world.device('x').mac, other.mac, -60),
      );
    };
    betrayed.turn({ claims: cheapest, doubles: { to: other.mac, deliver } });
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      betrayed.shout();
      await mesh.pass(CYCLE_S);
      const queues = world.devices.map((device) => device.state()?.queue ?? 0);
      assert.ok(Math.max(...queues) < QUEUE_MAX, `${queues}`);
      assert.ok((await betrayed.longestWait()) <= 3);
    }
    assert.ok(doubled > CYCLES, `${doubled} frames were doubled`);
    const { violations } = await mesh.judge();
    assert.deepEqual(violations, []);
    assert.equal(new Set(mesh.messages.map(({ wattmesh }) => wattmesh.id)).size, mesh.messages.length);
  });

  it('by an outsider who repeats everything to its receiver and to another: all of it is dropped', async () => {
    const betrayed = await BetrayedMesh.joined(13, 'meter');
    const { mesh } = betrayed;
    const { world } = mesh;
    const attacker = new Attacker(world, NETWORK);
    let at = 0;
    const dropped = (): number => sum(world.devices.map((device) => Number(device.state()?.counters.replays)));
    const before = dropped();
    let repeated = 0;
    attacker.every(50_000, CYCLES * CYCLE_S * 1e6, () => {
      for (; at < attacker.recorded.length; at++) {
        const { from, to, type, frame } = attacker.recorded[at] ?? {
          from: '',
          to: '',
          type: 0,
          frame: new Uint8Array(),
        };
        if (type !== FRAME_TYPES.data) continue;
        repeated++;
        attacker.replay(to, { from, to, type, frame });
        const other = world.device(to === 'a1' ? 'a2' : 'a1');
        other.received(frame, world.device(from).mac, other.mac, -60);
      }
    });
    await mesh.pass(CYCLES * CYCLE_S);
    assert.ok(repeated > CYCLES, `${repeated} frames were repeated`);
    // What the radio has lost and an attacker brings is no repeat.
    assert.ok(dropped() - before >= 0.9 * repeated, `${dropped() - before} of ${repeated} counted as repeats`);
    const { violations } = await mesh.judge();
    assert.deepEqual(violations, []);
    assert.ok((await betrayed.longestWait()) <= 3);
    assert.equal(new Set(mesh.messages.map(({ wattmesh }) => wattmesh.id)).size, mesh.messages.length);
  });
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

describe('attack 28: an insider forges the time', function () {
  this.timeout(120_000);

  for (const [what, byMs] of [
    ['ahead', 7_200_000],
    ['behind', -7_200_000],
  ] as const) {
    it(`hours ${what}: rows say that their clock is wrong, and the operator hears of it`, async () => {
      const betrayed = await BetrayedMesh.joined(11, 'meter');
      const { mesh, honest } = betrayed;
      const alarms: EventMessage['payload'][] = [];
      mesh.headEnd.events.listen(({ payload }) => alarms.push(payload));
      // It draws routes, and hands on what it is given: only the time is wrong.
      const treason: Treason = {
        claims: (beacon) => ({ ...cheapest(beacon), timeValid: true, timeMs: beacon.timeMs + byMs }),
      };
      betrayed.turn(treason);
      for (let cycle = 0; cycle < 2; cycle++) await pass(betrayed, treason);
      const since = mesh.messages.length;
      for (let cycle = 0; cycle < CYCLES; cycle++) await pass(betrayed, treason);
      const meters = honest.map((id) => mesh.nodeId(id));
      const isFalse = ({ measuredAt, receivedAt }: ReadingMessage['payload']): boolean =>
        Math.abs(Date.parse(measuredAt) - Date.parse(receivedAt) - byMs) < 600_000;
      const forged = mesh.messages.slice(since).filter(({ payload, wattmesh }) => {
        return meters.includes(wattmesh.nodeId) && isFalse(payload);
      });
      assert.ok(forged.length > 0, 'nobody believed it: this is no attack');
      // The row that shows it is the last good one: a clock is judged by what the head-end has acknowledged.
      const good = forged.filter(({ payload }) => payload.quality === 'good').length;
      assert.ok(
        good <= 4 * meters.length && good < forged.length / 2,
        `${good} of ${forged.length} forged rows are good`,
      );
      const victims = new Set(forged.map(({ payload }) => payload.meter));
      const alarmed = alarms.filter(
        ({ event, ahead_s = 0 }) => event === 'clockWrong' && Math.sign(ahead_s) === Math.sign(byMs),
      );
      assert.ok(
        alarmed.some(({ meter }) => victims.has(meter)),
        JSON.stringify(alarms),
      );
      const { violations } = await mesh.judge();
      assert.deepEqual(violations, []);
    });
  }
});
