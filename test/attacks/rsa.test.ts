import assert from 'node:assert/strict';
import { credentialsOf } from '../../firmware/simulator/credentials.ts';
import { Random } from '../../firmware/simulator/random.ts';
import { toHex } from '../../nodes/headend/bytes.ts';
import { NODE_HANDSHAKE_REFILL_MS } from '../../nodes/headend/gate.ts';
import { HALF_MESSAGE_LIFE_MS, HALF_MESSAGES_MAX } from '../../nodes/headend/security/half-messages.ts';
import { networkNumber } from '../../nodes/headend/security/keys.ts';
import { Bench, NETWORK, secured } from '../headend/support/bench.ts';
import { ScriptedNode } from '../headend/support/scripted-node.ts';
import { JOINED_S, LINE } from './mesh.ts';
import { flipped } from './support/damage.ts';
import type { Way } from './support/middle.ts';
import { Plant } from './support/plant.ts';

/** Attack 22: fragments of handshakes under suite 0x10 missing, doubled, overlapping and mixed. The numbers are those of SECURITY.md. */

const HEADER_BYTES = 13;
/** Fragments that are tampered with: two rounds of one device. */
const ATTACKED = 12;
const { identity } = credentialsOf('attack 22', true);
const publicKeyPem = identity.rsa?.publicKeyPem ?? '';

/** A meter of the list with its own PSK, or one with a PSK that the head-end does not know. */
function meter(seed: string, listed = true): ScriptedNode {
  const security = {
    suite: 'rsa',
    publicKeyPem,
    psk: pskOf(seed, listed),
    networkNumber: networkNumber(NETWORK),
  } as const;
  return new ScriptedNode({ seed, security });
}

function pskOf(seed: string, listed = true): Uint8Array {
  return new Random(`${seed} ${listed}`).bytes(32);
}

async function started(...seeds: string[]): Promise<Bench> {
  const preloaded = seeds.map((seed) => `${meter(seed).keyHex},,,${toHex(pskOf(seed))}`).join('\n');
  return await Bench.started({ ...secured({ approval: 'operator', allowSuiteRsa: true }), identity, preloaded });
}

function parts(node: ScriptedNode): readonly [Uint8Array, Uint8Array] {
  const [first, second] = node.m1Parts();
  assert.ok(first && second);
  return [first, second];
}

/** It joins as if nothing had happened. */
async function assertJoins(bench: Bench, node: ScriptedNode): Promise<void> {
  await bench.run(HALF_MESSAGE_LIFE_MS + NODE_HANDSHAKE_REFILL_MS);
  await bench.joinAndSpeak(node);
  assert.equal(bench.headEnd.status().payload.nodes.find(({ nodeId }) => nodeId === node.nodeId)?.suite, 'rsa');
}

describe('attack 22: fragments of a handshake', () => {
  it('say nothing while one is missing, however often the other comes', async () => {
    const bench = await started('one');
    const node = meter('one');
    for (const index of [0, 1] as const) {
      const part = parts(node)[index];
      for (let copy = 0; copy < 50; copy++) bench.up(part);
      await bench.run(HALF_MESSAGE_LIFE_MS);
      bench.up(parts(node)[1 - index] as Uint8Array);
    }
    await bench.run(100);
    assert.equal(bench.downs(node, 'm2').length, 0);
    assert.deepEqual(bench.errors(), {});
    await assertJoins(bench, node);
  });

  it('are put together in any order, and doubled ones count once', async () => {
    const bench = await started('one');
    const node = meter('one');
    const [first, second] = parts(node);
    for (const part of [second, second, first, first, second, second, first]) bench.up(part);
    await bench.run(100);
    assert.equal(bench.downs(node, 'm2').length, 1);
    assert.equal(bench.store.groups.flatMap(({ sessions }) => sessions).length, 1);
    node.takeM2(bench.lastM2(node));
  });

  it('are refused when they overlap, leave a hole, are too many or differ from what came before', async () => {
    const bench = await started('one');
    const node = meter('one');
    const [first, second] = parts(node);
    const numbered = (part: Uint8Array, byte: number) =>
      Uint8Array.from([...part.slice(0, 13), byte, ...part.slice(14)]);
    const wrong = [
      Uint8Array.from([...first, 7]),
      first.slice(0, -1),
      Uint8Array.from([...second, 7]),
      second.slice(0, -1),
      numbered(first, 0x12),
      numbered(second, 0x02),
      numbered(first, 0x01),
      numbered(first, 0x03),
      numbered(second, 0x22),
      numbered(second, 0xf2),
    ];
    for (const part of wrong) bench.up(part);
    assert.deepEqual(bench.errors(), { badTag: wrong.length });
    bench.up(first);
    bench.up(flipped(first, (HEADER_BYTES + 9) * 8));
    bench.up(second);
    await bench.run(100);
    assert.deepEqual(bench.errors(), { badTag: wrong.length + 1 });
    assert.equal(bench.downs(node, 'm2').length, 0);
    bench.up(first);
    await bench.run(100);
    assert.equal(bench.downs(node, 'm2').length, 1, 'a repetition of the true part heals it');
  });

  it('of two nodes, or of two handshakes of one, never make one message', async () => {
    const bench = await started('one', 'two');
    const [one, two] = [meter('one'), meter('two')];
    const [ofOne, ofTwo] = [parts(one), parts(two)];
    // Under the header of the other, as somebody on the way can write it.
    const asOther = (part: Uint8Array, other: Uint8Array) =>
      Uint8Array.from([...other.slice(0, HEADER_BYTES), ...part.slice(HEADER_BYTES)]);
    bench.up(ofOne[0]);
    bench.up(asOther(ofTwo[1], ofOne[0]));
    bench.up(asOther(ofOne[0], ofTwo[0]));
    bench.up(ofTwo[1]);
    const [later] = parts(one);
    bench.up(asOther(later, ofOne[0]));
    bench.up(ofOne[1]);
    await bench.run(100);
    assert.deepEqual(bench.errors(), { badTag: 3 });
    for (const node of [one, two]) assert.equal(bench.downs(node, 'm2').length, 0);
    for (const node of [one, two]) await assertJoins(bench, node);
  });

  it('take room for eight half messages and no more, and a flood of them keeps nobody out for longer than it lasts', async () => {
    const bench = await started('one');
    const node = meter('one');
    const flood = meter('nobody', false);
    const [first, second] = parts(node);
    const halves = Array.from({ length: 500 }, () => parts(flood)[0]);
    bench.up(first);
    for (const half of halves.slice(0, HALF_MESSAGES_MAX - 1)) bench.up(half);
    bench.up(second);
    await bench.run(100);
    assert.equal(bench.downs(node, 'm2').length, 1, 'there was room for it still');
    for (const half of halves) bench.up(half);
    assert.deepEqual(bench.errors(), {});
    await assertJoins(bench, node);
  });

  it('fail in one way only, whether device, PSK, key of the head-end or bytes are wrong', async () => {
    const bench = await started('one', 'two');
    const stranger = meter('stranger', false);
    const unlisted = meter('one', false);
    const impostor = credentialsOf('impostor', true).identity.rsa?.publicKeyPem ?? '';
    const misled = new ScriptedNode({
      seed: 'two',
      security: { suite: 'rsa', publicKeyPem: impostor, psk: pskOf('two'), networkNumber: networkNumber(NETWORK) },
    });
    for (const node of [stranger, unlisted, misled]) for (const part of node.m1Parts()) bench.up(part);
    const [first, second] = parts(meter('two'));
    for (const part of [flipped(first, (HEADER_BYTES + 1) * 8), second]) bench.up(part);
    await bench.run(100);
    assert.deepEqual(bench.errors(), { badTag: 4 });
    assert.deepEqual([bench.headEnd.state().nodesKnown, bench.headEnd.state().pendingDevices], [0, 0]);
  });

  it('are refused where the policy does not allow the suite', async () => {
    const bench = await Bench.started({ ...secured(), identity });
    for (const part of meter('one').m1Parts()) bench.up(part);
    assert.deepEqual(bench.errors(), { suiteRefused: 2 });
  });
});

describe('attack 22: fragments from the firmware', () => {
  const held: Uint8Array[] = [];
  const ways: [string, Way][] = [
    ['every other one lost', everySecond(() => undefined)],
    ['each doubled', (packet, pass) => [packet, packet.slice()].forEach(pass)],
    [
      'each held back until the next one is there',
      (packet, pass) => {
        held.push(packet);
        if (held.length > 1) pass(held.shift() as Uint8Array);
      },
    ],
    [
      'each followed by that of another handshake',
      (packet, pass) => {
        pass(packet);
        pass(flipped(packet, 150 * 8));
      },
    ],
  ];
  for (const [what, way] of ways) {
    it(`lead to sessions in the end: ${what}`, async () => {
      const plant = await Plant.started({ suite: 'rsa', policy: { approval: 'operator' } });
      let attacked = 0;
      plant.middle.up = (packet, pass) => {
        const isFragment = ((packet[1] ?? 0) & 0x20) !== 0;
        if (isFragment && attacked++ < ATTACKED) way(packet, pass);
        else pass(packet);
      };
      await plant.pass(1800);
      for (const id of LINE) assert.equal(plant.joined(id), true, id);
      assert.ok(attacked > 4, `${attacked} fragments`);
      await plant.pass(JOINED_S);
      const { violations, stored } = await plant.bench.judge();
      assert.deepEqual(violations, []);
      assert.ok(stored > 50, `${stored} rows`);
      assert.ok(plant.bench.messages.every(({ wattmesh }) => wattmesh.suite === 'rsa'));
    }).timeout(30_000);
  }
});

/** Does something with every other packet, and lets the others pass. */
function everySecond(act: Way): Way {
  let seen = 0;
  return (packet, pass) => (seen++ % 2 === 0 ? act(packet, pass) : pass(packet));
}
