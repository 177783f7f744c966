import assert from 'node:assert/strict';
import { LINK_AGE_MS_MAX, Topology } from '../../nodes/headend/mesh/topology.ts';
import type { TopologyMessage } from '../../nodes/headend/messages.ts';
import { Bench } from './support/bench.ts';
import { ScriptedNode } from './support/scripted-node.ts';

describe('topology', () => {
  it('takes every hop of a route as a link', () => {
    const topology = new Topology();
    assert.equal(topology.route(['m', 'r', 'h'], 'g', -70, 0), true);
    assert.deepEqual(topology.links(), [
      { from: 'm', to: 'r', rssiDbm: null, etx: null },
      { from: 'r', to: 'h', rssiDbm: null, etx: null },
      { from: 'h', to: 'g', rssiDbm: -70, etx: null },
    ]);
    assert.equal(topology.route(['m', 'r', 'h'], 'g', -72, 1), false, 'nothing has moved');
  });

  it('leaves out hops that it cannot name', () => {
    const topology = new Topology();
    topology.route(['m', undefined, 'h'], undefined, -70, 0);
    assert.deepEqual(topology.links(), []);
    topology.route(['m', 'm'], 'm', -70, 0);
    assert.deepEqual(topology.links(), [], 'nobody is its own parent');
  });

  it('gives each child one parent, the last one', () => {
    const topology = new Topology();
    topology.report('m', 'h1', -60, 1.25, 0);
    assert.equal(topology.route(['m', 'h2'], 'g', -70, 1), true);
    assert.deepEqual(topology.links()[0], { from: 'm', to: 'h2', rssiDbm: null, etx: null });
  });

  it('prefers what the child reports of its link', () => {
    const topology = new Topology();
    topology.route(['h'], 'g', -70, 0);
    assert.equal(topology.report('h', 'g', -60, 1.25, 1), true);
    assert.equal(topology.report('h', 'g', -60, 1.25, 2), false);
    topology.route(['h'], 'g', -75, 3);
    assert.deepEqual(topology.links(), [{ from: 'h', to: 'g', rssiDbm: -60, etx: 1.25 }]);
    assert.equal(topology.report('h', undefined, 0, 0, 4), false);
  });

  it('forgets links that nobody has used for long', () => {
    const topology = new Topology();
    topology.route(['m'], 'g', -70, 0);
    assert.equal(topology.sweep(LINK_AGE_MS_MAX), false);
    assert.equal(topology.sweep(LINK_AGE_MS_MAX + 1), true);
    assert.deepEqual(topology.links(), []);
  });
});

describe('head-end: topology', () => {
  it('shows nodes, hops and links, and tells changes', async () => {
    const bench = await Bench.started();
    const told: TopologyMessage[] = [];
    bench.headEnd.onTopology((message) => told.push(message));
    const gateway = new ScriptedNode({ seed: 'g', role: 'gateway' });
    const hub = new ScriptedNode({ seed: 'h', role: 'hub' });
    const meter = new ScriptedNode({ seed: 'm' });
    bench.hello('gw', gateway.nodeId);
    await bench.join(gateway, { route: [] });
    await bench.joinAndSpeak(hub);
    await bench.joinAndSpeak(meter, { route: [0, hub.shortId] });
    const route = [meter.shortId, hub.shortId];
    bench.up(meter.up([meter.telemetry({ parent: hub.shortId, parentRssiDbm: -55, etx: 256 })]), { route });
    await bench.run(2000);
    const { topic, payload } = bench.headEnd.topology();
    assert.equal(topic, 'test-net/topology');
    assert.deepEqual(
      payload.nodes.map(({ role, hops, status }) => [role, hops, status]),
      [
        ['gateway', 0, 'online'],
        ['hub', 1, 'online'],
        ['meter', 2, 'online'],
      ],
    );
    assert.deepEqual(payload.links, [
      { from: hub.nodeId, to: gateway.nodeId, rssi_dbm: -70, etx: null },
      { from: meter.nodeId, to: hub.nodeId, rssi_dbm: -55, etx: 2 },
    ]);
    assert.deepEqual(told.at(-1)?.payload.links, payload.links);
    told.length = 0;
    bench.up(meter.up([meter.readings(1, 1)]), { route });
    await bench.run(2000);
    assert.equal(told.length, 0, 'nothing has moved');
    bench.up(meter.up([meter.readings(2, 2)]), { route: [meter.shortId] });
    await bench.run(2000);
    assert.equal(told.length, 1);
    assert.deepEqual(told[0]?.payload.links.at(-1), {
      from: meter.nodeId,
      to: gateway.nodeId,
      rssi_dbm: -70,
      etx: null,
    });
  });

  it('names hub, path and hops in readings', async () => {
    const bench = await Bench.started();
    const gateway = new ScriptedNode({ seed: 'g', role: 'gateway' });
    const near = new ScriptedNode({ seed: 'near', role: 'hub', localHubId: 1 });
    const far = new ScriptedNode({ seed: 'far', role: 'hub', localHubId: 2 });
    const relay = new ScriptedNode({ seed: 'relay' });
    const meter = new ScriptedNode({ seed: 'm' });
    bench.hello('gw', gateway.nodeId);
    await bench.join(gateway, { route: [] });
    for (const node of [near, far, relay, meter]) await bench.joinAndSpeak(node);
    const names = new Map(bench.headEnd.status().payload.nodes.map(({ nodeId, name }) => [nodeId, name]));
    const route = [meter, relay, far, near].map(({ shortId }) => shortId);
    bench.up(meter.up([meter.readings(1, 1)]), { route });
    bench.up(meter.up([meter.readings(2, 2)]), { route: [meter.shortId], rssiDbm: -33 });
    bench.up(gateway.up([gateway.readings(1, 1)]), { route: [], rssiDbm: 0 });
    bench.up(meter.up([meter.readings(3, 3)]), { route: [meter.shortId, 0x9999] });
    await bench.run(200);
    const ways = bench.readings.map(({ wattmesh: { hub, localHubId, hops, path, gateway: via, rssi_dbm } }) => {
      return { hub, localHubId, hops, path, via, rssi_dbm };
    });
    const via = names.get(gateway.nodeId);
    const path = [relay, far, near, gateway].map(({ nodeId }) => names.get(nodeId));
    assert.deepEqual(ways, [
      { hub: names.get(far.nodeId), localHubId: 2, hops: 4, path, via, rssi_dbm: -70 },
      { hub: null, localHubId: null, hops: 1, path: [via], via, rssi_dbm: -33 },
      { hub: null, localHubId: null, hops: 0, path: [via], via, rssi_dbm: null },
      { hub: null, localHubId: null, hops: 2, path: ['0x9999', via], via, rssi_dbm: -70 },
    ]);
  });
});
