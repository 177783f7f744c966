import assert from 'node:assert/strict';
import { EPOCH_ACK_TRIES_MAX } from '../../nodes/headend/acknowledger.ts';
import { sampleGroup } from './store-samples.ts';
import { Bench, settle, TestStore } from './support/bench.ts';
import { FakeLink } from './support/fake-link.ts';
import { ScriptedNode } from './support/scripted-node.ts';

/** Another head-end on the same store, as after a crash (the old one is left standing) or a stop. */
async function restarted(
  before: Bench,
  options: { crash?: boolean; afterMs?: number; listening?: boolean } = {},
): Promise<Bench> {
  const { crash = false, afterMs = 2000, listening = true } = options;
  if (crash) await before.store.close();
  else await before.headEnd.stop();
  before.clock.advance(afterMs);
  return await Bench.started({ store: before.store, clock: before.clock, link: new FakeLink(), listening });
}

async function withRows(last: number): Promise<{ bench: Bench; node: ScriptedNode }> {
  const bench = await Bench.started();
  const node = new ScriptedNode({ seed: 'meter' });
  await bench.joinAndSpeak(node);
  bench.up(node.up([node.readings(1, last)]), { route: [node.shortId] });
  await bench.run(1000);
  return { bench, node };
}

describe('head-end: restart', () => {
  it('sends nothing again after a clean stop', async () => {
    const { bench } = await withRows(3);
    const next = await restarted(bench);
    await next.run(3000);
    assert.equal(next.readings.length, 0);
  });

  it('sends again, marked, what may not have gone out before a crash', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'meter' });
    await bench.joinAndSpeak(node);
    bench.up(node.up([node.readings(1, 2)]));
    await bench.run(1000);
    bench.up(node.up([node.readings(3, 4)]));
    await bench.run(60);
    assert.equal(bench.readings.length, 4);
    const next = await restarted(bench, { crash: true });
    assert.deepEqual(
      next.readings.map(({ wattmesh }) => [wattmesh.seq, wattmesh.redelivered]),
      [
        [3, true],
        [4, true],
      ],
    );
    assert.deepEqual({ ...next.readings[1]?.wattmesh, redelivered: false }, bench.readings[3]?.wattmesh);
    await next.run(500);
    assert.equal(next.store.groups.at(-1)?.outboxSent, 4);
  });

  it('goes on with sessions, windows and marks', async () => {
    const { bench, node } = await withRows(3);
    const next = await restarted(bench);
    const replay = node.up([node.readings(1, 3)], node.counter - 1);
    next.up(replay);
    next.up(node.up([node.readings(4, 4)]), { route: [node.shortId] });
    await next.run(400);
    assert.equal(next.errors().replay, 1);
    assert.deepEqual(
      next.readings.map(({ wattmesh }) => wattmesh.seq),
      [4],
    );
    assert.equal(next.acks(node).at(-1)?.cumulative, 4);
  });

  it('computes the acknowledged seq of an M2 from what is committed', async () => {
    const { bench, node } = await withRows(3);
    const next = await restarted(bench);
    next.up(node.m1());
    await next.run(100);
    assert.equal(node.takeM2(next.lastM2(node)).acknowledged, 3);
    node.logId = 'b1b1b1b1';
    next.up(node.m1());
    await next.run(100);
    assert.equal(node.takeM2(next.lastM2(node)).acknowledged, 0, 'another log, other marks');
  });

  it('never repeats an epoch and counter', async () => {
    const { bench, node } = await withRows(3);
    const next = await restarted(bench);
    next.up(node.up([node.readings(4, 4)]), { route: [node.shortId] });
    await next.run(400);
    const used = [...bench.downs(node, 'down'), ...next.downs(node, 'down')].map((packet) => {
      const { epoch, counter } = node.open(packet);
      return `${epoch}:${counter}`;
    });
    assert.equal(new Set(used).size, used.length);
    assert.ok(used.length >= 2);
  });

  it('tells each known session of the new epoch until it is echoed', async () => {
    const { bench, node } = await withRows(3);
    const next = await restarted(bench);
    next.hello();
    await next.run(1500);
    assert.deepEqual(
      next.acks(node).map(({ cumulative }) => cumulative),
      [3],
      'without being asked',
    );
    await next.run(58_000);
    assert.equal(next.acks(node).length, 1, 'at most once per poll cycle');
    await next.run(3_000);
    assert.equal(next.acks(node).length, 2);
    next.up(node.up([node.telemetry()]), { route: [node.shortId] });
    await next.run(400);
    assert.equal(next.acks(node).length, 3, 'and when the node is heard');
    const { epoch, counter } = node.open(next.downs(node, 'down').at(-1) as Uint8Array);
    next.up(node.up([{ kind: 'echo', epoch: epoch - 1, counter: 9 }]), { route: [node.shortId] });
    await next.run(400);
    assert.equal(next.acks(node).length, 4, 'an older epoch is no answer');
    next.up(node.up([{ kind: 'echo', epoch, counter }]), { route: [node.shortId] });
    next.up(node.up([node.telemetry()]), { route: [node.shortId] });
    await next.run(200_000);
    assert.equal(next.acks(node).length, 4);
  });

  it('gives up on a node that is never heard, until it is', async () => {
    const { bench, node } = await withRows(3);
    const next = await restarted(bench);
    for (let cycle = 0; cycle < EPOCH_ACK_TRIES_MAX + 4; cycle++) {
      next.hello();
      await next.run(61_000);
    }
    assert.equal(next.acks(node).length, EPOCH_ACK_TRIES_MAX);
    next.up(node.up([node.telemetry()]), { route: [node.shortId] });
    await next.run(400);
    assert.equal(next.acks(node).length, EPOCH_ACK_TRIES_MAX + 1);
  });

  it('names all logs of a node while it does not know which one the node is writing', async () => {
    const { bench, node } = await withRows(3);
    node.logId = 'b1b1b1b1';
    bench.up(node.up([node.readings(1, 2)]), { route: [node.shortId] });
    await bench.run(1000);
    assert.equal(bench.acks(node).at(-1)?.logId, 'b1b1b1b1');
    const knowing = await restarted(bench);
    knowing.hello();
    await knowing.run(1500);
    assert.deepEqual(
      knowing.acks(node).map(({ logId }) => logId),
      ['b1b1b1b1'],
      'the log of a session is stored with it',
    );
    await knowing.headEnd.stop();
    const { sessions } = await bench.store.open();
    await bench.store.commit(sampleGroup([], { sessions: sessions.map((session) => ({ ...session, logId: '' })) }));
    await bench.store.close();
    const next = await restarted(knowing);
    next.hello();
    await next.run(1500);
    const marks = next.acks(node).map(({ logId, cumulative }) => [logId, cumulative]);
    assert.deepEqual(marks.sort(), [
      ['a0a0a0a0', 3],
      ['b1b1b1b1', 2],
    ]);
  });

  it('discards all sessions when UTC has not moved on since the last epoch', async () => {
    const { bench, node } = await withRows(3);
    await bench.headEnd.stop();
    await bench.store.open();
    await bench.store.takeEpoch(Math.floor(bench.clock.nowMs() / 1000) + 100);
    await bench.store.close();
    const next = await Bench.started({ store: bench.store, clock: bench.clock, link: new FakeLink() });
    next.hello();
    next.up(node.up([node.readings(4, 4)]));
    await next.run(2000);
    assert.equal(next.errors().notJoined, 1);
    assert.equal(next.downs(node, 'down').length, 0);
    next.up(node.m1());
    await next.run(100);
    assert.equal(node.takeM2(next.lastM2(node)).acknowledged, 3);
    await next.headEnd.stop();
    next.clock.advance(200_000);
    const state = await next.store.open();
    assert.deepEqual(
      state.sessions.map(({ slot }) => slot),
      ['pending'],
      'durably',
    );
  });

  it('closes the store again when the link cannot open', async () => {
    const link = new FakeLink();
    link.open = async () => {
      throw new Error('no such port');
    };
    const bench = new Bench({ link });
    await assert.rejects(bench.headEnd.start(), /no such port/);
    await bench.store.open();
    await bench.headEnd.stop();
    bench.clock.advance(60_000);
    await settle();
    assert.equal(bench.link.sent.length, 0);
  });

  it('passes on why the store cannot open', async () => {
    const store = new TestStore();
    await store.open();
    const bench = new Bench({ store });
    await assert.rejects(bench.headEnd.start(), { reason: 'storeLocked' });
  });
});
