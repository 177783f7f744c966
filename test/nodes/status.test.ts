import assert from 'node:assert/strict';
import type { NodeStatus } from '../../nodes/headend/messages.ts';
import { ChangeWatch } from '../../nodes/wattmesh-status/change-watch.ts';
import { badges, badgeText, errors, give, load, NET, plugIn, received, running, withNodeRed } from './support/bench.ts';
import type { ScriptedGateway } from './support/scripted-gateway.ts';

const TAB = { id: 'tab', type: 'tab', label: 'test' };
const DECODE = {
  id: 'decode',
  type: 'wattmesh-decode',
  z: 'tab',
  version: 1,
  network: 'net',
  mode: 'envelope',
  wires: [[], ['answers']],
};
const HELPERS = ['answers', 'out'].map((id) => ({ id, type: 'helper', z: 'tab' }));

/** A tap, and a network with one meter that has joined. */
async function begin(type: string, settings: object = {}): Promise<ScriptedGateway> {
  const tap = { id: 'tap', type, z: 'tab', version: 1, network: 'net', wires: [['out']], ...settings };
  await load([TAB, NET, DECODE, tap, ...HELPERS]);
  await running();
  const gateway = plugIn('gw', 'decode', 'answers');
  await gateway.begin();
  return gateway;
}

const node = (nodeId: string, status: NodeStatus['status']): NodeStatus => ({ nodeId, status }) as NodeStatus;

describe('wattmesh-status', () => {
  withNodeRed();

  it('sends the whole network when something changed', async () => {
    const { meter } = await begin('wattmesh-status');
    const { topic, payload } = await received('out').find(
      'the meter online',
      (message) => message.payload.online === 1,
    );
    assert.equal(topic, 'test-net/status');
    assert.deepEqual([payload.network, payload.offline, payload.nodes.length], ['test-net', 0, 1]);
    const { nodeId, status, role, hops, lastSeen } = payload.nodes[0];
    assert.deepEqual(
      { nodeId, status, role, hops },
      { nodeId: meter.nodeId, status: 'online', role: 'meter', hops: 1 },
    );
    assert.ok(Math.abs(Date.parse(lastSeen) - Date.now()) < 10_000);
    await badges('tap').find('the count', ({ fill, text }) => fill === 'green' && text === '1 of 1 online');
  });

  it('answers an input with the present status, in the same message', async () => {
    await begin('wattmesh-status');
    give('tap', { topic: 'mine', payload: 'now?', kept: 'yes', _msgid: 'the-same' });
    const answer = await received('out').find('the answer', ({ kept }) => kept === 'yes');
    assert.deepEqual([answer._msgid, answer.topic, answer.payload.nodes.length], ['the-same', 'test-net/status', 1]);
  });

  it('sends one message for each node that came or went', async () => {
    const { meter } = await begin('wattmesh-status', { mode: 'changes' });
    const out = received('out');
    const { topic, payload } = await out.find('the meter');
    assert.equal(topic, `test-net/status/${meter.nodeId}`);
    assert.deepEqual([payload.nodeId, payload.status], [meter.nodeId, 'online']);
    give('tap', { payload: 'now?', kept: 'yes' });
    const answer = await out.find('the answer', ({ kept }) => kept === 'yes');
    assert.deepEqual([answer.topic, answer.payload.status], [topic, 'online']);
    assert.equal(out.all.length, 2);
  });

  it('fails an input while the network does not run', async () => {
    const tap = { id: 'tap', type: 'wattmesh-status', z: 'tab', version: 1, network: 'net', wires: [['out']] };
    await load([TAB, NET, tap, ...HELPERS], {});
    assert.equal(badgeText('tap'), 'no network key');
    give('tap', { payload: 'now?' });
    assert.match((await errors('tap').find('the error')).message, /the network is not running/);
  });

  it('tells only news: who came, who went, but not who was never heard', () => {
    const watch = new ChangeWatch();
    const ids = (nodes: NodeStatus[]): string[] =>
      watch.changes(nodes).map(({ nodeId, status }) => `${nodeId} ${status}`);
    assert.deepEqual(ids([node('a', 'never'), node('b', 'online')]), ['b online']);
    assert.deepEqual(ids([node('a', 'never'), node('b', 'online')]), []);
    assert.deepEqual(ids([node('a', 'online'), node('b', 'offline')]), ['a online', 'b offline']);
  });
});

describe('wattmesh-topology', () => {
  withNodeRed();

  it('sends nodes and links when the mesh changed, and when asked', async () => {
    const gateway = await begin('wattmesh-topology');
    const out = received('out');
    const { topic, payload } = await out.find('the meter', (message) => message.payload.nodes.length === 1);
    assert.equal(topic, 'test-net/topology');
    assert.deepEqual(payload.nodes[0], {
      nodeId: gateway.meter.nodeId,
      name: `meter-${gateway.meter.nodeId.slice(-4)}`,
      role: 'meter',
      status: 'online',
      hops: 1,
      localHubId: null,
      suite: 'ecc',
    });
    assert.ok(Array.isArray(payload.links));
    give('tap', { payload: 'now?', kept: 'yes', _msgid: 'the-same' });
    const answer = await out.find('the answer', ({ kept }) => kept === 'yes');
    assert.deepEqual([answer._msgid, answer.topic, answer.payload.nodes.length], ['the-same', 'test-net/topology', 1]);
    await badges('tap').find('the count', ({ text }) => text === '1 nodes, 0 links');
  });
});
