import assert from 'node:assert/strict';
import { errorCodes } from '../../nodes/headend/errors.ts';
import {
  encodeM1Payload,
  encodeM2Payload,
  type M1Payload,
  type M2Payload,
} from '../../nodes/headend/frame/handshake.ts';
import { decodePacket } from '../../nodes/headend/frame/packet.ts';
import { M2_CACHE_MAX } from '../../nodes/headend/m2-cache.ts';
import { networkNumber, nodeIdOf } from '../../nodes/headend/security/keys.ts';
import { keyPairOf } from '../../nodes/headend/security/noise.ts';
import { isAllZero } from '../../nodes/headend/security/provider.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import type { ReadingRow } from '../../nodes/headend/store/store.ts';
import { NETWORK as BENCH_NETWORK, Bench, ecc, headEndKey, secured } from '../headend/support/bench.ts';
import { ScriptedNode } from '../headend/support/scripted-node.ts';
import { bytes, foreignVectors, providers } from '../headend/support/security-vectors.ts';
import { meshInALine, NETWORK, NETWORK_KEY } from './mesh.ts';
import { begin, carelessM2, SMALL_ORDER } from './support/careless-noise.ts';
import { Field } from './support/field.ts';
import { imageOf, logPart, putImage } from './support/flash-image.ts';

/** Attacks on handshakes. The numbers are those of SECURITY.md. */

describe('attack 9: two meters with one cloned key', () => {
  const HOUR_S = 3600;
  /** A meter that is displaced hears nothing for 4 cycles (at least 30 s), and then asks again. */
  const HANDSHAKES_PER_HOUR_MAX = HOUR_S / 30;

  async function cloned(whole: boolean): Promise<{ field: Field; nodeId: string }> {
    const field = await Field.joined({ meters: ['m1', 'm2', 'm3'], off: ['m2'] });
    const image = imageOf(field.world.device('m1').flash);
    const to = whole ? image.length : logPart(image).at;
    putImage(field.world.device('m2').flash, image, 0, to);
    field.world.apply({ kind: 'revive', node: 'm2', atS: 0 });
    return { field, nodeId: field.nodeId('m1') };
  }

  /** Of each identity the content of one of the two, whole; of a third meter everything, in time. */
  async function judge(field: Field, nodeId: string): Promise<ReadingRow[]> {
    const stored = await field.stored(nodeId);
    const measured = new Set(
      ['m1', 'm2'].flatMap((id) => (field.measured.get(id) ?? []).map((row) => JSON.stringify(row))),
    );
    for (const { key: _, ...row } of stored) assert.ok(measured.has(JSON.stringify(row)), `${row.logId}:${row.seq}`);
    assert.equal(new Set(stored.map(({ logId, seq }) => `${logId}:${seq}`)).size, stored.length);
    const third = await field.stored(field.nodeId('m3'));
    const rows = (field.measured.get('m3') ?? []).slice(0, -4);
    for (const { logId, seq } of rows)
      assert.ok(
        third.some((row) => row.logId === logId && row.seq === seq),
        `${seq}`,
      );
    assert.deepEqual(field.nonces.violations, []);
    assert.deepEqual(field.problems, []);
    return stored;
  }

  it('keeps what differs aside and says so when the log was copied too', async function () {
    this.timeout(60_000);
    const { field, nodeId } = await cloned(true);
    await field.pass(HOUR_S);
    await judge(field, nodeId);
    const { errors, warnings } = field.headEnd.state();
    assert.ok((errors.readingConflict ?? 0) > 0);
    assert.ok(
      warnings.some((line) => line.includes('came again with other content')),
      warnings.join(),
    );
    assert.ok((await field.store.conflicts()).length > 0, 'what differs is kept');
  });

  it('stores two logs as two, and says so when only the key was copied', async function () {
    this.timeout(60_000);
    const { field, nodeId } = await cloned(false);
    await field.pass(HOUR_S);
    const stored = await judge(field, nodeId);
    assert.equal(new Set(stored.map(({ logId }) => logId)).size, 2);
    const { errors, warnings } = field.headEnd.state();
    assert.equal(errors.readingConflict, undefined, 'no identity has two contents');
    assert.ok(
      warnings.some((line) => line.includes('two devices have its key')),
      warnings.join(),
    );
  });

  it('takes no more handshakes than one at a time, each after silence', async function () {
    this.timeout(60_000);
    const { field, nodeId } = await cloned(true);
    let joins = 0;
    field.world.observe({ traced: (_, trace) => void (trace.kind === 'joined' && joins++) });
    await field.pass(HOUR_S);
    assert.ok(joins > 2 && joins <= HANDSHAKES_PER_HOUR_MAX, `${joins} handshakes in an hour`);
    await field.headEnd.stop();
    const { nodes, sessions } = await field.store.open();
    const node = nodes.find((each) => each.nodeId === nodeId);

    assert.ok(node && node.handshake < 2 * HANDSHAKES_PER_HOUR_MAX, `number ${node?.handshake}`);
    assert.ok(sessions.filter(({ key }) => key === node.key).length <= 3);
  });
});

describe('attack 10: a handshake that comes again and again', () => {
  const LOST = 100;

  it('is answered with the same M2, and nothing else happens', async () => {
    const bench = await Bench.started(secured());
    const node = new ScriptedNode({ seed: 'm1', security: ecc });
    const m1 = node.m1();
    bench.up(m1, { route: [0] });
    await bench.run(100);
    const groups = bench.store.groups.length;
    for (let time = 0; time < LOST; time++) {
      await bench.run(5000);
      bench.up(m1, { route: [0] });
    }
    await bench.run(5000);
    const answers = bench.downs(node, 'm2').map((packet) => Buffer.from(packet).toString('hex'));
    assert.equal(answers.length, LOST + 1);
    assert.equal(new Set(answers).size, 1);
    assert.equal(bench.store.groups.length, groups, 'nothing is stored');
    const stored = bench.store.groups.flatMap(({ sessions }) => sessions);
    assert.equal(stored.filter(({ key }) => key === node.keyHex).length, 1, 'one session, once');
    // The last answer is as good as the first.
    node.takeM2(bench.lastM2(node));
    bench.up(node.up([node.readings(1, 3)]), { route: [node.shortId] });
    await bench.run(500);
    assert.equal(bench.readings.length, 3);
    assert.deepEqual(bench.problems, []);
  });

  it('costs at most one answer in two seconds when it is replayed', async () => {
    const bench = await Bench.started(secured());
    const node = new ScriptedNode({ seed: 'm1', security: ecc });
    const m1 = node.m1();
    for (let time = 0; time < 1000; time++) {
      bench.up(m1, { route: [0] });
      await bench.run(20);
    }
    assert.ok(bench.downs(node, 'm2').length <= 11, `${bench.downs(node, 'm2').length} answers in 20 s`);
    assert.ok((bench.errors().replay ?? 0) > 900);
  });

  it('is dropped once its session is replaced, also when many others have been answered since', async () => {
    const bench = await Bench.started(secured());
    const node = new ScriptedNode({ seed: 'm1', security: ecc });
    const first = node.m1();
    bench.up(first, { route: [0] });
    await bench.run(100);
    for (let time = 0; time < 3; time++) await bench.joinAndSpeak(node);
    await bench.run(60_000);
    const answers = bench.downs(node, 'm2').length;
    for (let time = 0; time < 5; time++) {
      bench.up(first, { route: [0] });
      await bench.run(6000);
    }
    assert.equal(bench.downs(node, 'm2').length, answers);
    assert.equal(bench.errors().staleHandshake, 5);
    assert.ok(M2_CACHE_MAX <= 1024, 'and what is remembered is bounded');
  });
});

describe('attack 12: keys of small order', () => {
  const SECRET = new Uint8Array(32).fill(0x77);
  const honest = (seed: number) => {
    const { secret, publicKey } = keyPairOf(nodeProvider, new Uint8Array(32).fill(seed));
    return [secret, publicKey] as const;
  };

  it('are all of them: X25519 gives zeros', () => {
    const file = foreignVectors<{ testGroups: { tests: { public: string; shared: string }[] }[] }>(
      'wycheproof/x25519_test.json',
    );
    const known = (file?.testGroups ?? []).flatMap(({ tests }) =>
      tests.filter(({ shared }) => isAllZero(bytes(shared))).map((test) => bytes(test.public)),
    );
    if (file) assert.ok(known.length > 20);
    const ours = new Set(SMALL_ORDER.map((point) => Buffer.from(point).toString('hex')));
    assert.equal(ours.size, 14);
    for (const point of known)
      assert.ok(ours.has(Buffer.from(point).toString('hex')), Buffer.from(point).toString('hex'));
    for (const provider of providers) {
      for (const point of SMALL_ORDER) assert.ok(isAllZero(provider.x25519(SECRET, point)));
    }
  });

  it('in M1 are refused, as ephemeral key and as the key of a device', async () => {
    const node = new ScriptedNode({ seed: 'm1', security: ecc });
    const payload = (handshake: number): M1Payload => ({
      handshake,
      logId: 'a0a0a0a0',
      firmware: '0.1.0',
      role: 'meter',
      bootCount: 1,
      capabilities: { routes: true, relay: false, battery: false, simulated: true },
      localHubId: 0,
      shortId: 0,
      intervalS: 60,
      pollCycleS: 60,
      energyClass: 'mains',
      resetCause: 'powerOn',
      registerMask: 5,
    });
    const build = (
      ephemeral: readonly [Uint8Array, Uint8Array],
      identity: readonly [Uint8Array, Uint8Array],
      number: number,
    ) =>
      begin({
        headEndKey: headEndKey.publicKey,
        networkNumber: networkNumber(BENCH_NETWORK),
        nodeId: nodeIdOf(identity[1]),
        handshake: number,
        payload: encodeM1Payload(payload(number)),
        ephemeral,
        identity,
      }).m1;
    const bench = await Bench.started(secured());
    let number = 0;
    for (const point of SMALL_ORDER) {
      const small = [SECRET, point] as const;
      for (const m1 of [
        build(small, honest(3), ++number),
        build(honest(2), small, ++number),
        build(small, small, ++number),
      ]) {
        bench.up(m1, { route: [0] });
        await bench.run(1000);
      }
    }
    assert.equal(bench.errors().badTag, 3 * SMALL_ORDER.length);
    assert.equal(bench.headEnd.state().nodesKnown, 0);
    assert.equal(bench.headEnd.devices.list().length, 0);
    // The same words with true keys are taken: it is the keys that are refused.
    bench.up(build(honest(2), honest(3), ++number), { route: [0] });
    await bench.join(node);
    assert.equal(bench.headEnd.state().nodesKnown, 2);
    assert.deepEqual(bench.problems, []);
  });

  it('in M2 are refused by the firmware, which takes the true answer after them', () => {
    const mesh = meshInALine();
    const { world, head } = mesh;
    const staticKey = keyPairOf(nodeProvider, new Uint8Array(32).fill(0x5e));
    const refused = new Map<string, number>();
    head.tamper = (m2) => {
      const { nodeId, header } = decodePacket(m2);
      const count = refused.get(nodeId) ?? 0;
      const point = SMALL_ORDER[count];
      if (!point) return m2;
      refused.set(nodeId, count + 1);
      const m1 = head.m1.get(nodeId)?.at(-1);
      assert.ok(m1);
      const payload: M2Payload = {
        session: 9,
        shortId: 0x4242,
        keyId: 1,
        networkKey: NETWORK_KEY,
        localHubId: 0,
        utcMs: world.utcMs(),
        acknowledged: 0,
        policy: { suiteNone: false, flooding: false },
      };
      return carelessM2({
        m1: new Uint8Array(Buffer.from(m1, 'hex')),
        headEnd: [staticKey.secret, staticKey.publicKey],
        networkNumber: networkNumber(NETWORK),
        header,
        payload: encodeM2Payload(payload),
        point,
      });
    };
    const gateway = world.device('gw');
    for (let minute = 0; minute < 90 && !gateway.state()?.joined; minute++) {
      mesh.pass(60);
      assert.notEqual(gateway.state()?.shortId, 0x4242);
    }
    assert.equal(gateway.state()?.joined, true);
    const nodeId = gateway.state()?.nodeId ?? '';
    assert.equal(refused.get(nodeId), SMALL_ORDER.length);
    assert.ok((mesh.drops.get('gw')?.get(errorCodes.badTag) ?? 0) >= SMALL_ORDER.length);
  });

  it('in M2 would be taken by a device that does not look: the attack is sound', () => {
    for (const point of SMALL_ORDER) {
      const { m1, readM2 } = begin({
        headEndKey: headEndKey.publicKey,
        networkNumber: 7,
        nodeId: nodeIdOf(honest(3)[1]),
        handshake: 1,
        payload: new Uint8Array(28).fill(1),
        ephemeral: honest(2),
        identity: honest(3),
      });
      const payload = new Uint8Array(40).fill(2);
      const headEnd = [headEndKey.secret, headEndKey.publicKey] as const;
      const m2 = carelessM2({ m1, headEnd, networkNumber: 7, header: new Uint8Array(17), payload, point });
      assert.deepEqual(new Uint8Array(readM2(m2)), payload);
    }
  });
});
