import assert from 'node:assert/strict';
import { GROUP_ROWS_MAX } from '../../nodes/headend/group-commit.ts';
import { Bench, settle, TestStore } from './support/bench.ts';
import { BASE_S, ScriptedNode } from './support/scripted-node.ts';

async function joined(
  options: Parameters<typeof Bench.started>[0] = {},
): Promise<{ bench: Bench; node: ScriptedNode }> {
  const bench = await Bench.started(options);
  const node = new ScriptedNode({ seed: 'meter' });
  await bench.joinAndSpeak(node);
  return { bench, node };
}

describe('head-end: readings', () => {
  it('stores, acknowledges and tells each row once, oldest first', async () => {
    const { bench, node } = await joined();
    const number = bench.up(node.up([node.readings(1, 3)]), { route: [node.shortId] });
    assert.equal(bench.link.acknowledged().includes(number), false, 'custody is confirmed after the commit only');
    await bench.run(400);
    assert.ok(bench.link.acknowledged().includes(number));
    assert.deepEqual(
      bench.readings.map(({ wattmesh }) => wattmesh.id),
      [1, 2, 3].map((seq) => `${node.keyHex}:${node.logId}:${seq}`),
    );
    const [message] = bench.readings;
    assert.equal(message?.topic, `test-net/${node.nodeId}`);
    assert.equal(message?.payload.measuredAt, new Date((BASE_S + 60) * 1000).toISOString());
    assert.equal(message?.payload.energy_import_kwh, 100.005);
    assert.equal(message?.payload.power_w, 300.1);
    assert.equal(message?.wattmesh.redelivered, false);
    assert.equal(message?.wattmesh.suite, 'none');
    const [ack] = bench.acks(node);
    assert.equal(bench.acks(node).length, 1);
    assert.deepEqual({ ...ack, utcMs: 0 }, { kind: 'ack', logId: node.logId, cumulative: 3, utcMs: 0, ranges: [] });
    assert.equal(bench.link.all('down').at(-1)?.hold, true);
  });

  it('answers several packets of one poll with one acknowledgement', async () => {
    const { bench, node } = await joined();
    for (const first of [1, 3, 5]) {
      bench.up(node.up([node.readings(first, first + 1)]), { route: [node.shortId] });
      await bench.run(20);
    }
    await bench.run(400);
    assert.deepEqual(
      bench.acks(node).map(({ cumulative }) => cumulative),
      [6],
    );
  });

  it('counts rows that come again as duplicates, without a message', async () => {
    const { bench, node } = await joined();
    bench.up(node.up([node.readings(1, 3)]));
    await bench.run(400);
    bench.up(node.up([node.readings(2, 4)]));
    await bench.run(400);
    assert.equal(bench.readings.length, 4);
    assert.equal(bench.headEnd.state().stored, 4);
    assert.deepEqual(
      bench.acks(node).map(({ cumulative }) => cumulative),
      [3, 4],
    );
  });

  it('keeps the first content of an identity and warns of another', async () => {
    const { bench, node } = await joined();
    bench.up(node.up([node.readings(1, 1)]));
    await bench.run(100);
    const other = node.readings(1, 1);
    bench.up(node.up([{ ...other, rows: [{ importDwh: 1, powerDw: 1 }] }]));
    await bench.run(100);
    assert.equal(bench.readings.length, 1);
    assert.equal(bench.errors().readingConflict, 1);
    assert.match(bench.headEnd.state().warnings.join(), /other content/);
  });

  it('records a gap below the oldest row held, and takes its rows late', async () => {
    const { bench, node } = await joined();
    bench.up(node.up([node.readings(1, 2)]));
    bench.up(node.up([node.readings(8, 9)]));
    await bench.run(400);
    assert.deepEqual(bench.acks(node).at(-1)?.ranges, [[8, 9]]);
    assert.equal(bench.acks(node).at(-1)?.cumulative, 2);
    bench.up(node.up([node.readings(10, 10, 6)]));
    await bench.run(400);
    assert.equal(bench.acks(node).at(-1)?.cumulative, 5);
    assert.deepEqual(bench.store.groups.at(-2)?.logs[0]?.gaps, [[3, 5]]);
    bench.up(node.up([node.readings(4, 7, 6)]));
    await bench.run(400);
    assert.equal(bench.acks(node).at(-1)?.cumulative, 10);
    const late = bench.readings.filter(({ wattmesh }) => wattmesh.seq === 4);
    assert.equal(late.length, 1);
    assert.equal(late[0]?.wattmesh.late, true);
    const lastGaps = bench.store.groups.flatMap(({ logs }) => logs).at(-1)?.gaps;
    assert.deepEqual(lastGaps, [[3, 3]]);
  });

  it('moves the mark over everything when the log is empty', async () => {
    const { bench, node } = await joined();
    bench.up(node.up([node.readings(5, 4, 5)]));
    await bench.run(400);
    assert.equal(bench.acks(node).at(-1)?.cumulative, 4);
  });

  it('emits nothing for a replay, but sends the acknowledgement again', async () => {
    const { bench, node } = await joined();
    const packet = node.up([node.readings(1, 2)]);
    bench.up(packet);
    await bench.run(400);
    const groups = bench.store.groups.length;
    const number = bench.up(packet);
    await bench.run(400);
    assert.equal(bench.readings.length, 2);
    assert.equal(bench.acks(node).length, 2);
    assert.equal(bench.errors().replay, 1);
    assert.ok(bench.link.acknowledged().includes(number));
    assert.equal(bench.store.groups.length, groups, 'a replay costs no commit');
  });

  it('knows a replay 63 packets later, and stores readings from below the window by identity', async () => {
    const { bench, node } = await joined();
    const early = node.up([node.readings(1, 1)], 100);
    const missing = node.up([node.readings(2, 2), node.telemetry({ bootCount: 77 })], 101);
    bench.up(early);
    bench.up(node.up([node.readings(3, 3)], 163));
    await bench.run(100);
    bench.up(early);
    await bench.run(100);
    assert.equal(bench.errors().replay, 1);
    bench.up(node.up([node.readings(4, 4)], 165));
    await bench.run(100);
    bench.up(early);
    bench.up(missing);
    await bench.run(400);
    assert.equal(bench.errors().replay, 1, 'readings below the window are judged by identity');
    assert.deepEqual(
      bench.readings.map(({ wattmesh }) => wattmesh.seq),
      [1, 3, 4, 2],
    );
    assert.equal(bench.acks(node).at(-1)?.cumulative, 4);
    assert.equal(bench.headEnd.status().payload.nodes[0]?.bootCount, 1, 'nothing else from below the window counts');
  });

  it('drops packets without readings from below the window', async () => {
    const { bench, node } = await joined();
    bench.up(node.up([node.telemetry()], 200));
    await bench.run(100);
    bench.up(node.up([node.telemetry({ bootCount: 3 })], 1));
    await bench.run(100);
    assert.equal(bench.errors().replay, 1);
  });

  it('never moves the window for a packet that does not verify', async () => {
    const { bench, node } = await joined();
    const forged = node.up([node.readings(1, 1)], 5000);
    forged[20] = (forged[20] as number) ^ 1;
    const number = bench.up(forged);
    assert.equal(bench.errors().badCrc, 1);
    assert.ok(bench.link.acknowledged().includes(number));
    bench.up(node.up([node.readings(1, 1)]));
    await bench.run(100);
    assert.equal(bench.readings.length, 1);
  });

  it('refuses packets of unknown nodes and sessions, and disposes of them at once', async () => {
    const { bench, node } = await joined();
    const stranger = new ScriptedNode({ seed: 'stranger' });
    stranger.session = 3;
    const first = bench.up(stranger.up([stranger.readings(1, 1)]));
    node.session = (node.session % 255) + 1;
    const second = bench.up(node.up([node.readings(1, 1)]));
    assert.equal(bench.errors().unknownNode, 1);
    assert.equal(bench.errors().notJoined, 1);
    assert.deepEqual(bench.link.acknowledged().slice(-2), [first, second]);
  });

  it('refuses a packet with a malformed section as a whole', async () => {
    const { bench, node } = await joined();
    bench.up(node.up([node.readings(1, 1), { kind: 'unknown', code: 0x03, body: new Uint8Array(3) }]));
    await bench.run(100);
    assert.equal(bench.errors().badLength, 1);
    assert.equal(bench.readings.length, 0);
    bench.up(node.up([node.readings(1, 1), { kind: 'unknown', code: 0x7f, body: new Uint8Array(3) }]));
    await bench.run(100);
    assert.equal(bench.errors().unknownType, 1, 'unknown kinds are counted and skipped');
    assert.equal(bench.readings.length, 1);
  });

  it('acknowledges nothing when a commit fails, and takes the repeats', async () => {
    const { bench, node } = await joined();
    bench.store.fail = new Error('disk full');
    const packet = node.up([node.readings(1, 2)]);
    const number = bench.up(packet);
    await bench.run(400);
    assert.deepEqual(
      bench.problems.map(({ message }) => message),
      ['disk full'],
    );
    assert.equal(bench.link.acknowledged().includes(number), false);
    assert.equal(bench.acks(node).length, 0);
    assert.equal(bench.readings.length, 0);
    assert.match(bench.headEnd.state().warnings.join(), /disk full/);
    bench.store.fail = undefined;
    bench.up(packet, { number });
    await bench.run(400);
    assert.equal(bench.errors().replay, undefined, 'the window did not run ahead of the store');
    assert.ok(bench.link.acknowledged().includes(number));
    assert.equal(bench.readings.length, 2);
    assert.equal(bench.acks(node).at(-1)?.cumulative, 2);
    assert.doesNotMatch(bench.headEnd.state().warnings.join(), /disk full/);
  });

  it('does not let a failed M1 through', async () => {
    const bench = await Bench.started();
    const node = new ScriptedNode({ seed: 'm1' });
    bench.store.fail = new Error('disk full');
    const m1 = node.m1();
    bench.up(m1);
    await bench.run(100);
    assert.equal(bench.downs(node, 'm2').length, 0);
    assert.equal(bench.headEnd.state().nodesKnown, 0);
    bench.store.fail = undefined;
    bench.up(m1);
    await bench.run(100);
    assert.equal(bench.downs(node, 'm2').length, 1);
  });

  it('acknowledges committed rows only while the next commit is running', async () => {
    const { bench, node } = await joined();
    bench.up(node.up([node.readings(1, 1)]));
    await bench.run(100);
    let release = (): void => {};
    bench.store.hold = new Promise((resolve) => {
      release = resolve;
    });
    const held = bench.up(node.up([node.readings(2, 2)]));
    await bench.run(100);
    const behind = bench.up(node.up([node.readings(3, 3)]));
    await bench.run(1000);
    assert.deepEqual(
      bench.acks(node).map(({ cumulative }) => cumulative),
      [1],
    );
    assert.equal(bench.link.acknowledged().includes(held), false);
    bench.store.hold = undefined;
    release();
    await bench.run(400);
    assert.ok([held, behind].every((number) => bench.link.acknowledged().includes(number)));
    assert.equal(bench.acks(node).at(-1)?.cumulative, 3);
  });

  it('takes an envelope that the gateway repeats during a slow commit only once', async () => {
    const { bench, node } = await joined();
    let release = (): void => {};
    bench.store.hold = new Promise((resolve) => {
      release = resolve;
    });
    const packet = node.up([node.readings(1, 1)]);
    const number = bench.up(packet);
    await bench.run(5000);
    bench.up(packet, { number });
    bench.store.hold = undefined;
    release();
    await bench.run(400);
    assert.equal(bench.errors().replay, undefined);
    assert.equal(bench.link.acknowledged().filter((each) => each === number).length, 1);
  });

  it('leaves packets with the gateway when a group is full', async () => {
    const { bench, node } = await joined();
    let release = (): void => {};
    bench.store.hold = new Promise((resolve) => {
      release = resolve;
    });
    bench.up(node.up([node.readings(1, 1)]));
    await bench.run(100);
    const numbers: number[] = [];
    for (let rows = 0; rows <= GROUP_ROWS_MAX; rows += 32) {
      numbers.push(bench.up(node.up([node.readings(2, 33)])));
    }
    assert.equal(bench.errors().queueFull, 1);
    bench.store.hold = undefined;
    release();
    await bench.run(200);
    const refused = numbers.filter((number) => !bench.link.acknowledged().includes(number));
    assert.deepEqual(refused, [numbers.at(-1)]);
    bench.up(node.up([node.readings(2, 33)]), { number: refused[0] as number });
    await bench.run(200);
    assert.ok(bench.link.acknowledged().includes(refused[0] as number));
  });

  it('acknowledges a full group in batches of at most 32', async () => {
    const { bench, node } = await joined();
    const numbers = Array.from({ length: 70 }, () => bench.up(node.up([node.telemetry()])));
    await bench.run(100);
    const batches = bench.link.all('upAck').slice(-3);
    assert.deepEqual(
      batches.map((batch) => batch.numbers.length),
      [32, 32, 6],
    );
    assert.deepEqual(
      batches.flatMap((batch) => batch.numbers),
      numbers,
    );
  });

  it('answers an empty item at once', async () => {
    const { bench } = await joined();
    const item = { more: false, urgent: false, poll: 3, route: [1], packet: new Uint8Array(0) };
    bench.link.deliver('gw', { type: 'up', number: 5, rssiDbm: -50, utcMs: 0, item });
    assert.ok(bench.link.acknowledged().includes(5));
  });

  it('keeps the outbox cursor in the store', async () => {
    const { bench, node } = await joined();
    bench.up(node.up([node.readings(1, 3)]));
    await bench.run(60);
    assert.equal(bench.store.groups.at(-1)?.outboxSent, 0);
    await bench.run(200);
    assert.equal(bench.store.groups.at(-1)?.outboxSent, 3, 'by itself when nothing else is committed');
    const groups = bench.store.groups.length;
    await bench.run(5000);
    assert.equal(bench.store.groups.length, groups, 'and once');
  });

  it('waits two seconds for somebody to listen', async () => {
    const { bench, node } = await joined({ listening: false });
    bench.up(node.up([node.readings(1, 1)]));
    await bench.run(300);
    assert.equal(bench.store.groups.at(-1)?.outboxSent, 0);
    const heard: number[] = [];
    bench.headEnd.onReading(({ wattmesh }) => heard.push(wattmesh.seq));
    assert.deepEqual(heard, [1]);
    const silent = await joined({ listening: false });
    silent.bench.up(silent.node.up([silent.node.readings(1, 1)]));
    await silent.bench.run(2500);
    assert.equal(silent.bench.store.groups.at(-1)?.outboxSent, 1);
  });

  it('survives listeners that throw', async () => {
    const { bench, node } = await joined();
    bench.headEnd.onReading(() => {
      throw new Error('broken listener');
    });
    const after: number[] = [];
    bench.headEnd.onReading(({ wattmesh }) => after.push(wattmesh.seq));
    bench.up(node.up([node.readings(1, 2)]));
    await bench.run(100);
    assert.deepEqual(after, [1, 2]);
    assert.equal(bench.problems.length, 2);
    assert.equal(bench.errors().internal, 2);
  });

  it('commits what is pending when it stops, and stops once', async () => {
    const store = new TestStore();
    const { bench, node } = await joined({ store });
    const number = bench.up(node.up([node.readings(1, 2)]));
    await Promise.all([bench.headEnd.stop(), bench.headEnd.stop()]);
    assert.ok(bench.link.acknowledged().includes(number));
    assert.equal(bench.readings.length, 2);
    assert.equal(store.groups.at(-1)?.outboxSent, 2);
    assert.ok(bench.link.closed);
    const sent = bench.link.sent.length;
    bench.up(node.up([node.readings(3, 3)]));
    bench.clock.advance(60_000);
    await settle();
    assert.equal(bench.link.sent.length, sent, 'nothing runs on');
  });
});
