import assert from 'node:assert/strict';
import { NODES_MAX } from '../../nodes/headend/admissions.ts';
import { Draft } from '../../nodes/headend/draft.ts';
import { decodePacket } from '../../nodes/headend/frame/packet.ts';
import { GATEWAY_LOCAL_HUB_ID_MIN, join } from '../../nodes/headend/joining.ts';
import { Registry } from '../../nodes/headend/registry.ts';
import { plainEngine } from '../../nodes/headend/security/suite-none.ts';
import { Bench, secured } from './support/bench.ts';
import { ScriptedNode } from './support/scripted-node.ts';

describe('head-end: joining', () => {
  it('answers an M1 once its session is durable', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    const number = bench.up(node.m1(), { route: [0] });
    assert.equal(bench.downs(node, 'm2').length, 0, 'nothing is committed yet');
    await bench.run(100);
    const m2 = node.takeM2(bench.lastM2(node));
    assert.ok(m2.shortId >= 1 && m2.shortId <= 0x7fff);
    assert.equal(m2.localHubId, 0);
    assert.equal(m2.acknowledged, 0);
    assert.deepEqual(m2.policy, { suiteNone: true, flooding: false });
    assert.ok(
      m2.networkKey.every((byte) => byte === 0),
      'suite 0x00 never carries the network key',
    );
    assert.deepEqual(bench.link.acknowledged(), [number]);
    const [session] = bench.store.groups.flatMap(({ sessions }) => sessions);
    assert.equal(session?.slot, 'pending');
    assert.equal(session?.sessionId, m2.session);
    assert.equal(bench.store.groups[0]?.nodes[0]?.handshake, 1);
  });

  it('gives hubs and gateways short ids and numbers of their own', async () => {
    const bench = await Bench.started();
    const nodes = [
      new ScriptedNode({ seed: 'h1', role: 'hub' }),
      new ScriptedNode({ seed: 'h2', role: 'hub', localHubId: 7 }),
      new ScriptedNode({ seed: 'h3', role: 'hub', localHubId: 7 }),
      new ScriptedNode({ seed: 'g1', role: 'gateway' }),
    ];
    const hubIds: number[] = [];
    const shortIds = new Set<number>();
    for (const node of nodes) {
      bench.up(node.m1(), { route: [0] });
      await bench.run(100);
      const m2 = node.takeM2(bench.lastM2(node));
      hubIds.push(m2.localHubId);
      shortIds.add(m2.shortId);
      assert.ok(m2.shortId >= 0x8000 && m2.shortId <= 0xfffe);
    }
    assert.deepEqual(hubIds, [1, 7, 2, GATEWAY_LOCAL_HUB_ID_MIN], 'a number that is taken is not given twice');
    assert.equal(shortIds.size, nodes.length);
  });

  it('lets a node keep its short id, also one that only the node remembers', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    node.shortId = 0x1234;
    await bench.join(node);
    assert.equal(node.shortId, 0x1234);
    node.shortId = 0;
    await bench.join(node);
    assert.equal(node.shortId, 0x1234);
    const other = new ScriptedNode({ seed: 'm2' });
    other.shortId = 0x1234;
    await bench.join(other);
    assert.notEqual(other.shortId, 0x1234);
  });

  it('sends the same M2 again for the same M1', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    const m1 = node.m1();
    bench.up(m1);
    await bench.run(5000);
    const number = bench.up(m1);
    assert.deepEqual(bench.downs(node, 'm2')[1], bench.downs(node, 'm2')[0]);
    assert.ok(bench.link.acknowledged().includes(number));
    assert.equal(bench.errors().staleHandshake, undefined);
  });

  it('drops a handshake number that is not above the stored one', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    node.handshake = 4;
    await bench.join(node);
    const equal = bench.up(node.m1({ handshake: 5, bootCount: 9 }));
    const lower = bench.up(node.m1({ handshake: 4 }));
    await bench.run(100);
    assert.equal(bench.errors().staleHandshake, 2);
    assert.equal(bench.downs(node, 'm2').length, 1);
    assert.deepEqual(bench.link.acknowledged().slice(-2), [equal, lower]);
  });

  it('does not repeat an M2 whose session has been replaced', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    const first = node.m1();
    bench.up(first);
    await bench.run(100);
    await bench.join(node);
    bench.up(first);
    await bench.run(100);
    assert.equal(bench.downs(node, 'm2').length, 2);
    assert.equal(bench.errors().staleHandshake, 1);
  });

  it('takes a new session only once it is used, and the old one until then', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    await bench.joinAndSpeak(node);
    const old = node.session;
    await bench.join(node);
    const young = node.session;
    assert.notEqual(old, young);
    node.session = old;
    bench.up(node.up([node.readings(1, 3)], 20), { route: [node.shortId] });
    await bench.run(400);
    assert.equal(node.open(bench.downs(node, 'down').at(-1) as Uint8Array).session, old);
    node.session = young;
    bench.up(node.up([node.readings(4, 4)], 0), { route: [node.shortId] });
    await bench.run(400);
    assert.equal(node.open(bench.downs(node, 'down').at(-1) as Uint8Array).session, young);
    node.session = old;
    bench.up(node.up([node.readings(5, 5)], 21), { route: [node.shortId] });
    await bench.run(400);
    assert.equal(bench.readings.length, 5, 'packets of the previous session still under way are taken');
  });

  it('refuses suite 0x00 where the policy does not allow it', async () => {
    const bench = await Bench.started(secured());
    const node = new ScriptedNode({ seed: 'm1' });
    const number = bench.up(node.m1());
    await bench.run(100);
    assert.equal(bench.errors().suiteRefused, 1);
    assert.deepEqual(bench.link.acknowledged(), [number]);
    assert.equal(bench.downs(node, 'm2').length, 0);
    assert.equal(bench.headEnd.state().nodesKnown, 0);
  });

  it('refuses a suite that it cannot speak', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    const m1 = node.m1();
    m1[1] = 0x01;
    bench.up(m1);
    assert.equal(bench.errors().suiteRefused, 1);
  });

  it('refuses a node id that is not that of the key', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    node.nodeId = '010203040506';
    bench.up(node.m1());
    await bench.run(100);
    assert.equal(bench.errors().badField, 1);
    assert.equal(bench.headEnd.state().nodesKnown, 0);
  });

  it('refuses a node id that another key holds', async () => {
    const node = new ScriptedNode({ seed: 'm1' });
    const first = await Bench.started();
    await first.join(node);
    await first.headEnd.stop();
    const record = first.store.groups[0]?.nodes[0];
    assert.ok(record);
    await first.store.open();
    const otherKey = 'ff'.repeat(32);
    await first.store.commit({
      rows: [],
      nodes: [{ ...record, key: otherKey }],
      sessions: [],
      clearedSessions: [],
      logs: [],
      outboxSent: 0,
    });
    await first.store.close();
    first.clock.advance(2000);
    const second = await Bench.started({ store: first.store, clock: first.clock });
    second.up(node.m1());
    await second.run(100);
    assert.equal(second.errors().idConflict, 1);
    assert.equal(second.downs(node, 'm2').length, 0);
  });

  it('gives names, and the operator may give others', async () => {
    const named = new ScriptedNode({ seed: 'named' });
    const meter = new ScriptedNode({ seed: 'm1' });
    const hub = new ScriptedNode({ seed: 'h1', role: 'hub' });
    const flat = new ScriptedNode({ seed: 'm2' });
    const names = new Map([[named.keyHex, 'Cellar']]);
    const defaultNames = new Map([
      [named.nodeId, 'Flat 1'],
      [flat.nodeId, 'Flat 2'],
    ]);
    const bench = await Bench.started({ names, defaultNames });
    for (const node of [named, meter, hub, flat]) await bench.join(node);
    const given = bench.headEnd.status().payload.nodes.map(({ name }) => name);
    assert.deepEqual(given, ['Cellar', `meter-${meter.nodeId.slice(-4)}`, `hub-${hub.nodeId.slice(-4)}`, 'Flat 2']);
  });

  it('has room for a named number of nodes', () => {
    const registry = new Registry();
    const record = {
      key: '',
      meter: '',
      role: 'meter',
      localHubId: 0,
      energy: 'mains',
      relay: false,
      suite: 0,
      handshake: 0,
      intervalS: 60,
      pollCycleS: 60,
    } as const;
    for (let index = 0; index < NODES_MAX; index++) {
      assert.equal(new Draft(registry).full, false);
      const own = { nodeId: `n${index}`, name: `n${index}`, shortId: index, firmware: '0.1.0', lastSeenMs: 0 };
      registry.adopt({ record: { ...record, ...own }, sessions: {}, logs: [] });
    }
    const draft = new Draft(registry);
    assert.equal(draft.full, true);
    const node = new ScriptedNode({ seed: 'one too many' });
    const handshake = plainEngine.openM1(decodePacket(node.m1()));
    const random = (length: number) => new Uint8Array(length);
    const policy = { allowSuiteNone: true };
    const admitting = { approval: 'everyone', keyed: false, gatewayRef: 'gw' } as const;
    const context = { ...admitting, epoch: 1, nowMs: 0, policy, names: new Map(), defaultNames: new Map(), random };
    assert.throws(() => join(draft, handshake, 'hash', context), { reason: 'queueFull' });
  });
});
