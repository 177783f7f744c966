import assert from 'node:assert/strict';
import { allowedSilenceMs, SILENCE_MS_MIN, StatusTable } from '../../nodes/headend/mesh/status.ts';
import type { NodeStatus, StatusMessage } from '../../nodes/headend/messages.ts';
import { Bench } from './support/bench.ts';
import { FakeLink } from './support/fake-link.ts';
import { ScriptedNode } from './support/scripted-node.ts';

const sighting = { atMs: 1000, hops: 2, hubId: 'hub', rssiDbm: -60 };

describe('status table', () => {
  it('allows a silence of so many of the longer cycles, at least 15 s', () => {
    assert.equal(allowedSilenceMs({ pollCycleS: 60, intervalS: 900 }, 3), 2_700_000);
    assert.equal(allowedSilenceMs({ pollCycleS: 60, intervalS: 30 }, 3), 180_000);
    assert.equal(allowedSilenceMs({ pollCycleS: 0, intervalS: 1 }, 3), SILENCE_MS_MIN);
  });

  it('never calls a node online that it has not heard', () => {
    const table = new StatusTable();
    table.expect('old', 1000, 0, 5);
    table.expect('new', 1000, 0, 0);
    assert.equal(table.condition('old').status, 'never');
    assert.equal(table.sweep(1000), false);
    assert.equal(table.sweep(1001), true);
    assert.equal(table.condition('old').status, 'offline', 'it was there once, and has missed its cycles');
    assert.equal(table.condition('new').status, 'never');
    assert.equal(table.online, 0);
  });

  it('goes online when heard, offline after its silence, and back', () => {
    const table = new StatusTable();
    table.expect('n', 1000, 0, 0);
    table.heard('n', sighting);
    assert.deepEqual([table.condition('n').status, table.online], ['online', 1]);
    assert.equal(table.sweep(2000), false);
    assert.equal(table.sweep(2001), true);
    assert.equal(table.sweep(2002), false, 'told once');
    assert.deepEqual([table.condition('n').status, table.online], ['offline', 0]);
    assert.equal(table.condition('n').lastSeenMs, 1000);
    table.heard('n', { ...sighting, atMs: 3000 });
    assert.deepEqual([table.condition('n').status, table.online], ['online', 1]);
  });

  it('takes a new allowance for a known node', () => {
    const table = new StatusTable();
    table.expect('n', 1000, 0, 0);
    table.heard('n', sighting);
    table.expect('n', 5000, 0, 0);
    assert.equal(table.sweep(6000), false);
  });

  it('ignores nodes that nobody made known', () => {
    const table = new StatusTable();
    table.heard('stranger', sighting);
    table.report('stranger', { etx: 1 });
    assert.equal(table.online, 0);
    assert.equal(table.condition('stranger').status, 'never');
  });
});

describe('head-end: status', () => {
  function of(bench: Bench, node: ScriptedNode): NodeStatus {
    const found = bench.headEnd.status().payload.nodes.find(({ nodeId }) => nodeId === node.nodeId);
    assert.ok(found);
    return found;
  }

  it('shows what is known of a node', async () => {
    const bench = await Bench.started();
    const hub = new ScriptedNode({ seed: 'h1', role: 'hub', localHubId: 4 });
    const node = new ScriptedNode({ seed: 'm1' });
    await bench.joinAndSpeak(hub);
    await bench.joinAndSpeak(node, { route: [0, hub.shortId] });
    const telemetry = node.telemetry({ bootCount: 12, etx: 192, batteryMv: 3300 });
    bench.up(node.up([telemetry]), { route: [node.shortId, hub.shortId], rssiDbm: -81 });
    await bench.run(100);
    assert.deepEqual(of(bench, node), {
      nodeId: node.nodeId,
      key: node.keyHex,
      meter: node.nodeId,
      name: `meter-${node.nodeId.slice(-4)}`,
      role: 'meter',
      status: 'online',
      lastSeen: new Date(bench.clock.nowMs() - 100).toISOString(),
      hub: `hub-${hub.nodeId.slice(-4)}`,
      localHubId: 4,
      hops: 2,
      rssi_dbm: -81,
      etx: 1.5,
      bootCount: 12,
      batteryV: 3.3,
      suite: 'none',
      energy: 'mains',
      relay: false,
      revoked: false,
    });
    assert.deepEqual([of(bench, hub).hub, of(bench, hub).localHubId, of(bench, hub).hops], [null, 4, 1]);
  });

  it('lets a silent node go offline after three cycles, and tells it', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1', intervalS: 10, pollCycleS: 20 });
    await bench.joinAndSpeak(node);
    const told: StatusMessage[] = [];
    bench.headEnd.onStatus((message) => told.push(message));
    await bench.run(58_000);
    assert.equal(of(bench, node).status, 'online');
    told.length = 0;
    await bench.run(4_000);
    assert.equal(of(bench, node).status, 'offline');
    assert.deepEqual(
      told.map(({ topic, payload }) => [topic, payload.online, payload.offline]),
      [['test-net/status', 0, 1]],
    );
    bench.up(node.up([node.telemetry()]), { route: [node.shortId] });
    await bench.run(100);
    assert.equal(of(bench, node).status, 'online');
    assert.equal(told.length, 2);
  });

  it('takes the number of cycles from its options', async () => {
    const bench = await Bench.started({ offlineAfterCycles: 10 });
    const node = new ScriptedNode({ seed: 'm1', intervalS: 10, pollCycleS: 10 });
    await bench.joinAndSpeak(node);
    await bench.run(95_000);
    assert.equal(of(bench, node).status, 'online');
    await bench.run(10_000);
    assert.equal(of(bench, node).status, 'offline');
  });

  it('is told at most once a second', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    await bench.joinAndSpeak(node);
    await bench.run(2000);
    let told = 0;
    bench.headEnd.onStatus(() => told++);
    for (let index = 0; index < 30; index++) {
      bench.up(node.up([node.telemetry()]), { route: [node.shortId] });
      await bench.run(100);
    }
    assert.ok(told >= 3 && told <= 4, `${told} messages in 3 s`);
  });

  it('is never "online" from memory after a restart', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    await bench.joinAndSpeak(node);
    await bench.headEnd.stop();
    bench.clock.advance(2000);
    const next = await Bench.started({ store: bench.store, clock: bench.clock, link: new FakeLink() });
    assert.equal(of(next, node).status, 'never');
    assert.notEqual(of(next, node).lastSeen, null);
    await next.run(190_000);
    assert.equal(of(next, node).status, 'offline');
    next.up(node.up([node.telemetry()]), { route: [node.shortId] });
    await next.run(100);
    assert.equal(of(next, node).status, 'online');
  });

  it('is not moved by a replay', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1', intervalS: 5, pollCycleS: 5 });
    await bench.joinAndSpeak(node);
    const packet = node.up([node.telemetry()]);
    bench.up(packet, { route: [node.shortId] });
    await bench.run(20_000);
    bench.up(packet, { route: [node.shortId] });
    await bench.run(100);
    assert.equal(of(bench, node).status, 'offline');
  });
});
