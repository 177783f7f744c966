import assert from 'node:assert/strict';
import { decodeGatewayEnvelope, encodeHostEnvelope } from '../../nodes/headend/frame/envelope.ts';
import { decodePacket, PACKET_BYTES_MAX, PACKET_BYTES_MIN } from '../../nodes/headend/frame/packet.ts';
import { FRAME_TYPES } from '../../nodes/headend/frame/radio.ts';
import { GATEWAY_HANDSHAKE_REFILL_MS, NODE_HANDSHAKE_REFILL_MS } from '../../nodes/headend/gate.ts';
import { HALF_MESSAGE_LIFE_MS } from '../../nodes/headend/security/half-messages.ts';
import { JOINED_S, LINE, meshInALine } from './mesh.ts';
import { everyDamage, everyFlip, everyLength } from './support/damage.ts';
import { intercept } from './support/intercept.ts';
import { Plant } from './support/plant.ts';

/** Attack 19: every single bit of what is said flipped, and every truncation. The numbers are those of SECURITY.md. */

/** Slow enough for the head-end to open every handshake: devices of a list have a bucket each, all unknown ones share one. */
const HANDSHAKE_MS = { noise: 2 * GATEWAY_HANDSHAKE_REFILL_MS, rsa: NODE_HANDSHAKE_REFILL_MS };
/** What the gateway's line of 115200 baud carries without a queue. */
const DOWN_MS = 25;
/** A damaged packet that is sent through the mesh has left it by then. */
const MESH_MS = 100;
const DAY_MS = 86_400_000;
/** Radio frames of one type that are damaged. */
const TRIES = 2;

/** All damage to a packet that an envelope can still carry. */
function everyDamagedPacket(packet: Uint8Array): Uint8Array[] {
  return everyDamage(packet).filter(({ length }) => length >= PACKET_BYTES_MIN && length <= PACKET_BYTES_MAX);
}

function count(errors: Record<string, number>): number {
  return Object.values(errors).reduce((sum, each) => sum + each, 0);
}

/** A plant in which all have joined and rows are stored. */
async function grown(): Promise<Plant> {
  const plant = await Plant.started();
  await plant.pass(JOINED_S);
  for (const id of LINE) assert.equal(plant.joined(id), true, `${id} has joined`);
  return plant;
}

async function assertWhole(plant: Plant): Promise<void> {
  const { measured, stored, violations } = await plant.bench.judge();
  assert.deepEqual(violations, []);
  assert.ok(measured > 10 && stored >= measured - 6, `${stored} of ${measured} rows`);
}

describe('attack 19: every bit of a radio frame flipped, every truncation', () => {
  it('is dropped and counted by the firmware, which changes nothing and takes the true frame after it', () => {
    const mesh = meshInALine();
    const { world } = mesh;
    world.run(JOINED_S * 1e6);
    const device = world.device('m1');
    const tried = new Map<number, number>();
    const stop = intercept(device, (frame, from, to, rssiDbm, receive) => {
      const type = (frame[0] ?? 0) & 0x0f;
      const known = tried.get(type) ?? 0;
      if (known === TRIES) return;
      tried.set(type, known + 1);
      const { counters: _, ...before } = device.state() ?? assert.fail('the device is off');
      const { operations } = device.flash;
      mesh.drops.get('m1')?.clear();
      const damaged = everyDamage(frame);
      for (const each of damaged) receive(each, from, to, rssiDbm);
      for (const other of everyFlip(from)) receive(frame, other, to, rssiDbm);
      for (const other of everyFlip(to)) receive(frame, from, other, rssiDbm);
      const { counters: __, ...after } = device.state() ?? assert.fail('the device is off');
      assert.deepEqual(after, before, `a frame of type ${type} has changed something`);
      assert.equal(device.flash.operations, operations);
      const dropped = [...(mesh.drops.get('m1')?.values() ?? [])].reduce((sum, each) => sum + each, 0);
      assert.equal(dropped, damaged.length + 8 * (from.length + to.length), `frames of type ${type}`);
    });
    for (const id of ['m2', 'h1']) {
      world.apply({ kind: 'powerCut', node: id, atS: 0 });
      mesh.pass(120);
    }
    stop();
    const { beacon, data, routed, challenge } = FRAME_TYPES;
    for (const type of [beacon, data, routed, challenge])
      assert.equal(tried.get(type), TRIES, `frames of type ${type}`);
    for (const id of LINE) assert.equal(world.device(id).state()?.joined, true, id);
    assert.deepEqual([mesh.parentOf('m1'), mesh.parentOf('m2')], ['h1', 'm1']);
    const before = mesh.rowsTold('m2');
    mesh.pass(120);
    assert.ok(mesh.rowsTold('m2') >= before + 5, 'the true frames were taken');
    assert.deepEqual(mesh.head.failures, []);
  }).timeout(20_000);
});

for (const suite of ['noise', 'rsa'] as const) {
  /** A plant whose gateway alone is switched on. */
  async function gatewayAlone(): Promise<Plant> {
    const plant = await Plant.started({ suite });
    for (const id of LINE.slice(1)) plant.world.apply({ kind: 'kill', node: id, atS: 0 });
    return plant;
  }

  /** The others come, and everything works. */
  async function assertGrows(plant: Plant): Promise<void> {
    for (const id of LINE.slice(1)) plant.world.apply({ kind: 'revive', node: id, atS: 0 });
    await plant.pass(1200);
    await assertWhole(plant);
  }

  describe(`attack 19: every bit of a handshake flipped, every truncation: suite ${suite}`, () => {
    it('lets nobody in at the head-end, and the true M1 is taken after it', async () => {
      const plant = await gatewayAlone();
      const { middle, bench } = plant;
      const heard: { readonly packet: Uint8Array; readonly pass: (packet: Uint8Array) => void }[] = [];
      middle.up = (packet, go) => void heard.push({ packet, pass: go });
      await plant.pass(4);
      const m1 = heard.map(({ packet }) => packet);
      assert.equal(m1.length, suite === 'rsa' ? 2 : 1);
      const { pass } = heard[0] ?? assert.fail('no M1 came');
      let tries = 0;
      for (const part of m1) {
        // Under suite 0x10 the damaged part comes with the true other one: alone it would only wait for it.
        const others = m1.filter((other) => other !== part);
        const damaged = everyDamagedPacket(part);
        plant.oneByOne(damaged, HANDSHAKE_MS[suite], (packet) => [packet, ...others].forEach(pass));
        await plant.pass((damaged.length * HANDSHAKE_MS[suite] + HALF_MESSAGE_LIFE_MS) / 1000);
        tries += damaged.length;
      }
      const { nodesKnown, pendingDevices, errors } = bench.headEnd.state();
      assert.deepEqual([nodesKnown, pendingDevices, errors.rateLimited], [0, 0, undefined]);
      // A part of another node or number, or with other reserved bits, belongs to another message and waits for the rest of it in vain.
      const waiting = suite === 'rsa' ? m1.length * (48 + 32 + 2) : 0;
      assert.equal(count(errors), tries - waiting);
      assert.equal(plant.joined('gw'), false);
      middle.up = (packet, go) => go(packet);
      await assertGrows(plant);
    }).timeout(60_000);

    it('gives a device no session, and the true M2 is taken after it', async () => {
      const plant = await gatewayAlone();
      let tries = 0;
      plant.middle.down = (m2, pass) => {
        if (tries > 0) return;
        const damaged = everyDamagedPacket(m2);
        tries = damaged.length;
        plant.oneByOne([...damaged, m2], DOWN_MS, (packet) => {
          assert.equal(plant.joined('gw'), false);
          pass(packet);
        });
      };
      await plant.pass(35);
      assert.ok(tries > 700, `${tries} tries`);
      assert.equal(plant.joined('gw'), true);
      assert.equal(plant.dropped('gw'), tries);
      plant.middle.down = (packet, pass) => pass(packet);
      await assertGrows(plant);
    }).timeout(60_000);
  });
}

describe('attack 19: every bit of a packet flipped, every truncation', () => {
  it('stores and tells nothing that a meter did not say, and the true packet is taken after it', async () => {
    const plant = await grown();
    const { middle, bench } = plant;
    let tries = 0;
    let kinds = 0;
    middle.up = (packet, pass) => {
      if (kinds++ < 20) {
        const [before, rows] = [count(plant.errors()), bench.headEnd.state().stored];
        const damaged = everyDamagedPacket(packet);
        damaged.forEach(pass);
        assert.equal(count(plant.errors()), before + damaged.length);
        assert.equal(bench.headEnd.state().stored, rows);
        tries += damaged.length;
      }
      pass(packet);
    };
    await plant.pass(300);
    assert.ok(tries > 10_000, `${tries} tries`);
    const { badTag = 0, replay } = plant.errors();
    assert.ok(badTag > tries * 0.8, `${badTag} of ${tries}`);
    assert.equal(replay, undefined);
    await assertWhole(plant);
  }).timeout(30_000);

  it('has no device do anything, and the true packet is obeyed after it', async () => {
    const plant = await grown();
    const { middle, bench, world } = plant;
    const identified: string[] = [];
    world.observe({ identified: (id) => identified.push(id) });
    for (const [id, periodMs] of [
      ['gw', DOWN_MS],
      ['m2', MESH_MS],
    ] as const) {
      plant.drops.get(id)?.clear();
      let damaged: Uint8Array[] = [];
      middle.down = (packet, pass) => {
        if (decodePacket(packet).nodeId !== plant.nodeId(id)) return pass(packet);
        if (damaged.length > 0) return;
        damaged = everyDamagedPacket(packet);
        plant.oneByOne([...damaged, packet], periodMs, (each) => {
          assert.deepEqual(identified, []);
          if (each === packet) middle.down = (later, go) => go(later);
          pass(each);
        });
      };
      const order = { nodeId: plant.nodeId(id), operation: 'identify', args: { seconds: 9 }, timeoutS: 300 } as const;
      const outcome = bench.headEnd.command(order);
      await plant.pass(150);
      assert.equal((await outcome).payload.outcome, 'done');
      assert.deepEqual(identified.splice(0), [id]);
      assert.ok(damaged.length > 300, `${damaged.length} tries`);
      // What the gateway cannot read as a packet for somebody goes no further.
      const readable = damaged.filter((packet) => isFor(packet, plant.nodeId(id))).length;
      const dropped = plant.dropped(id);
      assert.ok(dropped >= readable * 0.95, `${id} dropped ${dropped} of ${readable}`);
    }
    await assertWhole(plant);
  }).timeout(30_000);

  it('of whole envelopes is dropped on both sides', async () => {
    const plant = await grown();
    const { world, bench } = plant;
    const envelopes: Uint8Array[] = [];
    const end = world.gateway.onHostBytes((bytes) => void (envelopes.length < 5 && envelopes.push(bytes)));
    await plant.pass(60);
    end();
    const before = count(plant.errors());
    const cuts = envelopes.flatMap((bytes) => everyLength(bytes));
    for (const cut of cuts) plant.middle.inject('gw', cut);
    assert.equal(count(plant.errors()), before + cuts.length);
    const stats: number[] = [];
    world.gateway.onHostBytes((bytes) => {
      const envelope = decodeGatewayEnvelope(bytes);
      if (envelope.type === 'stats') stats.push(envelope.malformed);
    });
    const late = everyLength(encodeHostEnvelope({ type: 'time', utcMs: world.utcMs() + DAY_MS, synchronised: true }));
    await plant.pass(61);
    for (const cut of late) world.gateway.hostBytes(cut);
    await plant.pass(121);
    assert.deepEqual([stats[0], stats.at(-1)], [0, late.length], 'what the gateway could not read');
    assert.equal(bench.headEnd.state().gateways, 1);
    await assertWhole(plant);
  });
});

/** True for a packet that a gateway hands on to this node. */
function isFor(packet: Uint8Array, nodeId: string): boolean {
  try {
    const decoded = decodePacket(packet);
    return decoded.nodeId === nodeId && decoded.type === 'down';
  } catch {
    return false;
  }
}
