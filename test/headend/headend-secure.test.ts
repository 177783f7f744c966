import assert from 'node:assert/strict';
import { toHex } from '../../nodes/headend/bytes.ts';
import { ManualClock } from '../../nodes/headend/clock.ts';
import { GATEWAY_HANDSHAKES_BURST, NODE_HANDSHAKE_REFILL_MS, NODE_HANDSHAKES_BURST } from '../../nodes/headend/gate.ts';
import { REKEY_AHEAD_MS, REKEY_AHEAD_PACKETS } from '../../nodes/headend/rekeying.ts';
import { networkNumber } from '../../nodes/headend/security/keys.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { SESSION_LIFE_MS, SESSION_PACKETS_MAX } from '../../nodes/headend/security/transport.ts';
import { Bench, ecc, headEndKey, NETWORK, networkKey, START_MS, secured } from './support/bench.ts';
import { FakeLink } from './support/fake-link.ts';
import { ScriptedNode } from './support/scripted-node.ts';
import { flipped } from './support/security-vectors.ts';

function meter(seed = 'meter'): ScriptedNode {
  return new ScriptedNode({ seed, security: ecc });
}

async function restarted(before: Bench, options = {}): Promise<Bench> {
  await before.headEnd.stop();
  before.clock.advance(2000);
  const { store, clock } = before;
  return await Bench.started({ ...secured(), store, clock, link: new FakeLink(), ...options });
}

describe('head-end: suite 0x01', () => {
  it('lets a node in, brings it K_net, takes its rows and acknowledges them', async () => {
    const bench = await Bench.started(secured());
    const node = meter();
    bench.up(node.m1(), { route: [0] });
    await bench.run(100);
    const m2 = node.takeM2(bench.lastM2(node));
    assert.deepEqual([m2.keyId, m2.networkKey], [networkKey.keyId, networkKey.key]);
    assert.deepEqual(m2.policy, { suiteNone: false, flooding: false });
    bench.up(node.up([node.readings(1, 3)]), { route: [node.shortId] });
    await bench.run(1000);
    assert.deepEqual(
      bench.readings.map(({ wattmesh }) => [wattmesh.seq, wattmesh.suite]),
      [1, 2, 3].map((seq) => [seq, 'ecc']),
    );
    assert.equal(bench.acks(node).at(-1)?.cumulative, 3);
    assert.equal(bench.headEnd.status().payload.nodes[0]?.suite, 'ecc');
    assert.equal(bench.headEnd.topology().payload.nodes[0]?.suite, 'ecc');
  });

  it('drops whatever was altered, and counts it', async () => {
    const bench = await Bench.started(secured());
    const node = meter();
    await bench.joinAndSpeak(node);
    const packet = node.up([node.readings(1, 1)]);
    for (let bit = 13 * 8; bit < packet.length * 8; bit++) bench.up(flipped(packet, bit), { route: [node.shortId] });
    await bench.run(1000);
    assert.equal(bench.errors().badTag, (packet.length - 13) * 8);
    assert.equal(bench.readings.length, 0);
    bench.up(packet, { route: [node.shortId] });
    await bench.run(1000);
    assert.equal(bench.readings.length, 1, 'the true one is still taken');
  });

  it('keeps sessions over a restart, sealed in the store', async () => {
    const bench = await Bench.started(secured());
    const node = meter();
    await bench.joinAndSpeak(node);
    const keys = node.keys;
    assert.ok(keys);
    const stored = JSON.stringify(bench.store.groups, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
    for (const secret of [keys.up, keys.down, networkKey.key]) assert.ok(!stored.includes(toHex(secret)));
    const next = await restarted(bench);
    next.up(node.up([node.readings(1, 2)]), { route: [node.shortId] });
    await next.run(1000);
    assert.equal(next.readings.length, 2);
    assert.equal(next.acks(node).at(-1)?.cumulative, 2);
  });

  it('refuses a store that belongs to other credentials, and leaves it as it is', async () => {
    const bench = await Bench.started(secured());
    await bench.join(meter());
    const other = new Uint8Array(32).fill(1);
    await assert.rejects(restarted(bench, { storeKey: other }), {
      reason: 'badTag',
      message: /recovery file/,
    });
    const { identity: _identity, storeKey: _storeKey, ...nothing } = secured({ allowSuiteNone: true });
    const { store, clock } = bench;
    const without = new Bench({ ...nothing, store, clock, link: new FakeLink() });
    await assert.rejects(without.headEnd.start(), { reason: 'noKey', message: /recovery file/ });
    const next = await Bench.started({ ...secured(), store, clock, link: new FakeLink() });
    assert.equal(next.headEnd.state().nodesKnown, 1);
  });

  it('does not start without an identity where suite 0x00 is not allowed, nor with half of its credentials', async () => {
    const nothing = new Bench({ policy: { allowSuiteNone: false } });
    await assert.rejects(nothing.headEnd.start(), { reason: 'badConfig', message: /recovery file/ });
    const { storeKey: _storeKey, ...half } = secured();
    await assert.rejects(new Bench(half).headEnd.start(), { reason: 'badConfig', message: /store key is missing/ });
    const stuck = new Bench({ ...secured(), random: (length) => new Uint8Array(length) });
    await assert.rejects(stuck.headEnd.start(), { reason: 'randomStuck', message: /stuck/ });
    await assert.rejects(new Bench(secured({ allowSuiteRsa: true })).headEnd.start(), { message: /RSA key/ });
  });

  it('draws K_net where none is given, and keeps it', async () => {
    const { networkKey: _given, ...options } = secured();
    const bench = await Bench.started(options);
    const node = meter();
    bench.up(node.m1());
    await bench.run(100);
    const { keyId, networkKey: drawn } = node.takeM2(bench.lastM2(node));
    assert.equal(keyId, 1);
    const next = await restarted(bench, { networkKey: undefined });
    next.up(node.m1());
    await next.run(100);
    assert.deepEqual(node.takeM2(next.lastM2(node)).networkKey, drawn);
    const given = await restarted(next);
    given.up(node.m1());
    await given.run(100);
    assert.deepEqual(node.takeM2(given.lastM2(node)).networkKey, networkKey.key, 'another one that is given counts');
  });

  it('refuses suite 0x00 of a node that is known with keys', async () => {
    const bench = await Bench.started(secured({ allowSuiteNone: true }));
    const node = meter();
    await bench.joinAndSpeak(node);
    const plain = new ScriptedNode({ seed: 'meter' });
    plain.handshake = 100;
    bench.up(plain.m1());
    const up = plain.up([plain.readings(1, 1)], 7);
    up[12 - 4] = node.session;
    bench.up(up);
    await bench.run(100);
    assert.equal(bench.errors().suiteRefused, 2);
    assert.equal(bench.downs(node, 'm2').length, 1);
    bench.up(new ScriptedNode({ seed: 'lab' }).m1());
    await bench.run(100);
    assert.equal(bench.headEnd.state().nodesKnown, 2, 'another node may be in the lab');
    assert.ok(bench.headEnd.state().warnings.some((line) => /suite 0x00 is allowed/.test(line)));
  });

  it('speaks suite 0x10 where it is allowed, with the PSK of the list', async () => {
    const rsa = await nodeProvider.rsa?.generateRsaKeyPair();
    assert.ok(rsa);
    const psk = new Uint8Array(32).fill(5);
    const security = {
      suite: 'rsa',
      psk,
      publicKeyPem: rsa.publicKeyPem,
      networkNumber: networkNumber(NETWORK),
    } as const;
    const node = new ScriptedNode({ seed: 'rsa', security });
    const options = {
      ...secured({ approval: 'operator', allowSuiteRsa: true }),
      identity: { staticKey: headEndKey, rsa },
      preloaded: `${node.keyHex},,,${toHex(psk)}`,
    };
    const bench = await Bench.started(options);
    await bench.joinAndSpeak(node);
    bench.up(node.up([node.readings(1, 1)]), { route: [node.shortId] });
    await bench.run(1000);
    assert.equal(bench.readings[0]?.wattmesh.suite, 'rsa');
    assert.equal(bench.acks(node).at(-1)?.cumulative, 1);
    const stranger = new ScriptedNode({ seed: 'stranger', security });
    for (const part of stranger.m1Parts()) bench.up(part);
    await bench.run(100);
    assert.deepEqual([bench.errors().badTag, bench.headEnd.devices.pending().length], [1, 0]);
    const next = await restarted(bench, { ...options, preloaded: undefined });
    next.up(node.up([node.readings(2, 2)]), { route: [node.shortId] });
    await next.join(node);
    assert.equal(next.readings.length, 1, 'session and PSK are in the store');
  });
});

describe('head-end: floods of handshakes', () => {
  it('has a bucket for each known node', async () => {
    const bench = await Bench.started(secured());
    const [node, other] = [meter('one'), meter('other')];
    for (const each of [node, other]) await bench.join(each);
    const attempts = 3 * NODE_HANDSHAKES_BURST;
    for (let attempt = 0; attempt < attempts; attempt++) bench.up(node.m1());
    assert.equal(bench.errors().rateLimited, attempts - NODE_HANDSHAKES_BURST);
    await bench.join(other);
    await bench.run(NODE_HANDSHAKE_REFILL_MS);
    await bench.join(node);
  });

  it('has one bucket for everybody unknown behind a gateway', async () => {
    const bench = await Bench.started(secured());
    const known = meter('known');
    await bench.join(known, { gateway: 'one' });
    for (let index = 0; index < 1000; index++) bench.up(meter(`stranger ${index}`).m1(), { gateway: 'one' });
    assert.ok((bench.errors().rateLimited ?? 0) >= 1000 - GATEWAY_HANDSHAKES_BURST);
    await bench.join(known, { gateway: 'one' });
    await bench.join(meter('elsewhere'), { gateway: 'two' });
  }).timeout(20_000);

  it('answers a handshake that is replayed with one M2 in two seconds', async () => {
    const bench = await Bench.started(secured());
    const node = meter();
    const m1 = node.m1();
    for (let attempt = 0; attempt < 100; attempt++) {
      bench.up(m1);
      await bench.run(100);
    }
    const answers = bench.downs(node, 'm2');
    assert.equal(answers.length, 5);
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.equal(bench.errors().replay, 95);
    node.takeM2(answers[4] as Uint8Array);
  });
});

describe('head-end: the end of a session', () => {
  it('takes no packet of a session that is too old', async () => {
    const bench = await Bench.started(secured());
    const node = meter();
    await bench.joinAndSpeak(node);
    bench.clock.advance(SESSION_LIFE_MS);
    bench.up(node.up([node.readings(1, 1)]), { route: [node.shortId] });
    await bench.run(1000);
    assert.equal(bench.errors().notJoined, 1);
    assert.equal(bench.acks(node).length, 0);
    await bench.joinAndSpeak(node);
    bench.up(node.up([node.readings(1, 1)]), { route: [node.shortId] });
    await bench.run(1000);
    assert.equal(bench.acks(node).at(-1)?.cumulative, 1);
  });

  it('takes no counter that a session must not use', async () => {
    const bench = await Bench.started(secured());
    const node = meter();
    await bench.joinAndSpeak(node);
    bench.up(node.up([node.telemetry()], SESSION_PACKETS_MAX));
    assert.equal(bench.errors().notJoined, 1);
    bench.up(node.up([node.readings(1, 1)], SESSION_PACKETS_MAX - 1));
    await bench.run(500);
    assert.equal(bench.readings.length, 1);
  });

  for (const [why, ahead] of [
    ['age', (bench: Bench) => bench.clock.advance(SESSION_LIFE_MS - REKEY_AHEAD_MS)],
    ['packets', () => undefined],
  ] as const) {
    it(`is asked for in good time: ${why}`, async () => {
      const bench = await Bench.started(secured());
      bench.hello();
      const node = meter();
      await bench.joinAndSpeak(node);
      ahead(bench);
      const counter = why === 'packets' ? SESSION_PACKETS_MAX - REKEY_AHEAD_PACKETS : node.counter;
      bench.hello();
      bench.up(node.up([node.telemetry()], counter), { route: [node.shortId] });
      await bench.run(61_000);
      const commands = bench
        .downs(node, 'down')
        .flatMap((packet) => node.open(packet).sections)
        .flatMap((section) => (section.kind === 'command' ? [section.operation] : []));
      assert.deepEqual([...new Set(commands)], [5]);
    });
  }

  for (const years of [-10, 10]) {
    it(`heals when the clock of the machine jumps by ${years} years`, async () => {
      const bench = await Bench.started(secured());
      const node = meter();
      await bench.joinAndSpeak(node);
      await bench.headEnd.stop();
      const clock = new ManualClock(START_MS + years * 365 * 86_400_000);
      const next = await Bench.started({ ...secured(), store: bench.store, clock, link: new FakeLink() });
      next.up(node.up([node.readings(1, 1)]), { route: [node.shortId] });
      await next.run(100);
      assert.equal(next.errors().notJoined, 1, 'its session is over');
      await next.joinAndSpeak(node);
      next.up(node.up([node.readings(1, 1)]), { route: [node.shortId] });
      await next.run(1000);
      assert.equal(next.acks(node).at(-1)?.cumulative, 1);
    });
  }
});
