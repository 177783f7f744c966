import assert from 'node:assert/strict';
import { ROTATION_GRACE_MS } from '../../nodes/headend/security/network-keys.ts';
import { Bench, ecc, networkKey, secured } from './support/bench.ts';
import { FakeLink } from './support/fake-link.ts';
import { ScriptedNode } from './support/scripted-node.ts';

function meter(seed: string): ScriptedNode {
  return new ScriptedNode({ seed, security: ecc });
}

async function withNodes(count: number): Promise<{ bench: Bench; nodes: ScriptedNode[] }> {
  const bench = await Bench.started(secured());
  bench.hello();
  const nodes = Array.from({ length: count }, (_, index) => meter(`node ${index}`));
  for (const node of nodes) await bench.joinAndSpeak(node);
  return { bench, nodes };
}

async function revoked(bench: Bench, node: ScriptedNode): Promise<void> {
  const revoking = bench.headEnd.devices.revoke({ nodeId: node.nodeId });
  await bench.run(100);
  await revoking;
}

/** The keys that a node has been sent, oldest first, with the counters of their packets. */
function keysFor(bench: Bench, node: ScriptedNode) {
  return bench.downs(node, 'down').flatMap((packet) => {
    const { sections, counter, epoch } = node.open(packet);
    return sections.flatMap((section) => (section.kind === 'netkey' ? [{ ...section, counter, epoch }] : []));
  });
}

/** The node has everything that it was sent so far. */
function echo(bench: Bench, node: ScriptedNode): void {
  const last = bench.downs(node, 'down').at(-1);
  assert.ok(last);
  const { epoch, counter } = node.open(last);
  bench.up(node.up([{ kind: 'echo', epoch, counter }]), { route: [node.shortId] });
}

/** Time passes, and the gateway is heard. */
async function runHeard(bench: Bench, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 60_000) {
    bench.hello();
    await bench.run(Math.min(60_000, left));
  }
}

describe('head-end: a revoked node', () => {
  it('is out: no session, no handshake, no acknowledgement', async () => {
    const { bench, nodes } = await withNodes(2);
    const [node] = nodes as [ScriptedNode];
    await revoked(bench, node);
    bench.up(node.up([node.readings(1, 1)]), { route: [node.shortId] });
    bench.up(node.m1());
    await bench.run(1000);
    assert.deepEqual([bench.errors().notJoined, bench.errors().revoked], [1, 1]);
    assert.equal(bench.downs(node, 'm2').length, 1);
    assert.equal(bench.readings.length, 0);
    const status = bench.headEnd.status().payload.nodes.find(({ nodeId }) => nodeId === node.nodeId);
    assert.deepEqual([status?.revoked, status?.status], [true, 'offline']);
    assert.equal(bench.headEnd.state().nodesOnline, 1);
    await assert.rejects(revoked(bench, node), { reason: 'badField' });
  });

  it('is still out after a restart, also where everybody may join', async () => {
    const { bench, nodes } = await withNodes(1);
    const [node] = nodes as [ScriptedNode];
    await revoked(bench, node);
    await bench.headEnd.stop();
    bench.clock.advance(2000);
    const { store, clock } = bench;
    const next = await Bench.started({ ...secured(), store, clock, link: new FakeLink() });
    next.up(node.m1());
    await next.run(100);
    assert.equal(next.errors().revoked, 1);
  });
});

describe('head-end: rotation of K_net', () => {
  it('brings a new key to all others until they have it, and then uses it', async () => {
    const { bench, nodes } = await withNodes(4);
    const [out, ...rest] = nodes as [ScriptedNode, ScriptedNode, ScriptedNode, ScriptedNode];
    await revoked(bench, out);
    await bench.run(2000);
    assert.equal(keysFor(bench, out).length, 0);
    for (const node of rest) {
      const [key] = keysFor(bench, node);
      assert.equal(key?.keyId, networkKey.keyId + 1);
      assert.ok(key && key.untilUseS <= ROTATION_GRACE_MS / 1000 && key.untilUseS > ROTATION_GRACE_MS / 1000 - 10);
      assert.notDeepEqual(key.networkKey, networkKey.key);
    }
    assert.deepEqual(bench.headEnd.state().rotation, {
      keyId: networkKey.keyId + 1,
      useAt: new Date(bench.clock.nowMs() - 2050 + ROTATION_GRACE_MS).toISOString(),
      confirmed: 0,
      total: 3,
    });
    for (const node of rest.slice(0, 2)) echo(bench, node);
    await bench.run(100);
    assert.equal(bench.headEnd.state().rotation?.confirmed, 2);
    await runHeard(bench, 120_000);
    const [confirmed, , missing] = rest as [ScriptedNode, ScriptedNode, ScriptedNode];
    assert.equal(keysFor(bench, confirmed).length, 1, 'who has it is left alone');
    assert.ok(keysFor(bench, missing).length >= 2, 'who has not is reminded');
    await runHeard(bench, ROTATION_GRACE_MS);
    assert.equal(keysFor(bench, missing).at(-1)?.untilUseS, 0);
    assert.equal(bench.headEnd.state().rotation?.confirmed, 2);
    echo(bench, missing);
    await bench.run(1500);
    assert.equal(bench.headEnd.state().rotation, null);
  });

  it('gives the key in use to who joins, and the next one afterwards', async () => {
    const { bench, nodes } = await withNodes(2);
    await revoked(bench, nodes[0] as ScriptedNode);
    const [young, late] = [meter('young'), meter('late')];
    bench.up(young.m1());
    await bench.run(100);
    assert.equal(young.takeM2(bench.lastM2(young)).keyId, networkKey.keyId);
    bench.up(young.up([young.telemetry()]), { route: [young.shortId] });
    await runHeard(bench, 20_000);
    assert.equal(keysFor(bench, young)[0]?.keyId, networkKey.keyId + 1);
    await runHeard(bench, ROTATION_GRACE_MS);
    bench.up(late.m1());
    await bench.run(100);
    const m2 = late.takeM2(bench.lastM2(late));
    assert.deepEqual(m2.networkKey, keysFor(bench, young)[0]?.networkKey);
    bench.up(late.up([late.telemetry()]), { route: [late.shortId] });
    await runHeard(bench, 60_000);
    assert.equal(keysFor(bench, late).length, 0);
  });

  it('is not confirmed by an echo of what was sent before, nor of another epoch', async () => {
    const { bench, nodes } = await withNodes(2);
    const [out, node] = nodes as [ScriptedNode, ScriptedNode];
    bench.up(node.up([node.readings(1, 1)]), { route: [node.shortId] });
    await bench.run(500);
    const before = node.open(bench.downs(node, 'down').at(-1) as Uint8Array);
    await revoked(bench, out);
    await bench.run(2000);
    const [key] = keysFor(bench, node);
    assert.ok(key);
    const echoes = [
      { epoch: before.epoch, counter: before.counter },
      { epoch: before.epoch - 1, counter: key.counter },
    ];
    for (const each of echoes) bench.up(node.up([{ kind: 'echo', ...each }]), { route: [node.shortId] });
    await bench.run(100);
    assert.equal(bench.headEnd.state().rotation?.confirmed, 0);
  });

  it('goes on after a restart', async () => {
    const { bench, nodes } = await withNodes(3);
    const [out, one, two] = nodes as [ScriptedNode, ScriptedNode, ScriptedNode];
    await revoked(bench, out);
    await bench.run(2000);
    const [sent] = keysFor(bench, one);
    echo(bench, one);
    await bench.run(100);
    await bench.headEnd.stop();
    bench.clock.advance(2000);
    const { store, clock } = bench;
    const next = await Bench.started({ ...secured(), store, clock, link: new FakeLink() });
    next.hello();
    await next.run(3000);
    assert.deepEqual(keysFor(next, two)[0]?.networkKey, sent?.networkKey);
    for (const node of [one, two]) echo(next, node);
    await runHeard(next, ROTATION_GRACE_MS);
    assert.equal(next.headEnd.state().rotation, null);
  });

  it('starts anew when another node is revoked before it is over', async () => {
    const { bench, nodes } = await withNodes(4);
    const [first, second, one] = nodes as [ScriptedNode, ScriptedNode, ScriptedNode];
    await revoked(bench, first);
    await bench.run(2000);
    const stolen = keysFor(bench, second)[0];
    await revoked(bench, second);
    await bench.run(20_000);
    const last = keysFor(bench, one).at(-1);
    assert.equal(last?.keyId, networkKey.keyId + 2);
    assert.notDeepEqual(last?.networkKey, stolen?.networkKey);
    assert.deepEqual(bench.headEnd.state().rotation?.total, 2);
  });
});
