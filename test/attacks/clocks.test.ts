import assert from 'node:assert/strict';
import { type ErrorName, errorCodes } from '../../nodes/headend/errors.ts';
import { decodeFrame } from '../../nodes/headend/frame/radio.ts';
import type { HeadEnd } from '../../nodes/headend/headend.ts';
import { SESSION_PACKETS_MAX } from '../../nodes/headend/security/transport.ts';
import { Bench, ecc, networkKey, START_MS, secured, settle } from '../headend/support/bench.ts';
import { ScriptedNode } from '../headend/support/scripted-node.ts';
import { CountingClock } from './support/counting-clock.ts';
import { Field } from './support/field.ts';
import { imageOf, logHeader, logHeaderOf, putImage, RECORDS, recordSlot, recordSlots } from './support/flash-image.ts';

/** Counters near their ends, clocks that jump, and a stop in the middle. The number is that of SECURITY.md. */

const U32_MAX = 0xffff_ffff;
const SEQ_MAX = U32_MAX - 1;
const LINK_BLOCK = 4096;
/** No block of link counters begins from here on (PROTOCOL.md, section 2). */
const LINK_COUNTER_END = U32_MAX - 2 * LINK_BLOCK;
const REJOIN_S = 200;
/** An idle node asks for a sign of life every hour, and starts over four cycles later. */
const PROBE_S = 3900;
const YEARS_MS = 10 * 365.25 * 86_400_000;
const KEY_BYTES = 32;

function says(field: Field, id: string, error: ErrorName): boolean {
  return field.drops.get(id)?.has(errorCodes[error]) ?? false;
}

function u32(number: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return new Uint8Array(bytes);
}

/** Puts a number in the place of the newest one of its kind. */
function setNumber(field: Field, id: string, key: number, number: number): void {
  const { flash } = field.world.device(id);
  field.whileOff(id, () => {
    const image = imageOf(flash);
    const slots = recordSlots(image, key);
    for (const { at } of slots) image.set(recordSlot(key, u32(number)), at);
    putImage(flash, image);
  });
}

/** All rows but the last few, which may be under way, are stored as they were measured. */
async function rowsArrived(field: Field, id: string, besides = 4): Promise<void> {
  const stored = new Map((await field.stored(field.nodeId(id))).map((row) => [`${row.logId}:${row.seq}`, row]));
  const rows = field.measured.get(id) ?? [];
  for (const row of rows.slice(0, rows.length - besides)) {
    const held = stored.get(`${row.logId}:${row.seq}`);
    assert.ok(held, `row ${row.seq} of ${id}`);
    const { key: _, ...content } = held;
    assert.deepEqual(content, row);
  }
}

function noHarm(field: Field): void {
  assert.deepEqual(field.nonces.violations, []);
  assert.deepEqual(field.problems, []);
  assert.equal(field.headEnd.state().errors.readingConflict, undefined);
}

describe('attack 27: counters of a device near their end', () => {
  it('the link counter: the device works to the last, then is silent and says why', async function () {
    this.timeout(60_000);
    const field = await Field.joined();
    const counters: number[] = [];
    field.world.radio.observe(({ kind, attempt, from, bytes }) => {
      if (from === 'm2' && kind === 'data' && attempt === 1 && bytes) counters.push(decodeFrame(bytes).counter);
    });
    setNumber(field, 'm2', RECORDS.linkCounter, LINK_COUNTER_END - LINK_BLOCK - 50);
    assert.ok(await field.pass(REJOIN_S, () => field.isJoined('m2')));
    await field.pass(60);
    assert.ok(counters.length > 10, `${counters.length} frames`);
    assert.equal(says(field, 'm2', 'counterSpent'), false);
    await rowsArrived(field, 'm2');
    field.whileOff('m2', () => undefined);
    const sent = counters.length;
    await field.pass(120);
    assert.equal(counters.length, sent, 'not one frame');
    assert.ok(says(field, 'm2', 'counterSpent'));
    for (let index = 1; index < counters.length; index++) {
      assert.ok((counters[index] as number) > (counters[index - 1] as number));
    }
    assert.ok(Math.max(...counters) < U32_MAX);
    await rowsArrived(field, 'm1');
    noHarm(field);
  });

  it('the handshake number: the last one serves, and none comes after it', async function () {
    this.timeout(60_000);
    const field = await Field.joined();
    setNumber(field, 'm2', RECORDS.handshake, U32_MAX - 2);
    for (let boot = 0; boot < 2; boot++) {
      assert.ok(await field.pass(REJOIN_S, () => field.isJoined('m2')), `boot ${boot}`);
      await field.pass(20);
      assert.equal(says(field, 'm2', 'counterSpent'), false);
      field.whileOff('m2', () => undefined);
    }
    await field.pass(300);
    assert.equal(field.isJoined('m2'), false);
    assert.ok(says(field, 'm2', 'counterSpent'));
    await field.headEnd.stop();
    const { nodes } = await field.store.open();
    assert.equal(Math.max(...nodes.map(({ handshake }) => handshake)), U32_MAX);
    assert.deepEqual(field.nonces.violations, []);
  });

  it('the packet counter: a new session begins before 2^24', async function () {
    this.timeout(60_000);
    const field = await Field.joined();
    let [key, last] = [new Uint8Array(0), 0];
    const counters: number[] = [];
    const isTransport = (nonceKey: Uint8Array): boolean => Buffer.from(nonceKey).equals(key);
    field.world.observe({
      sealed: (node, sealingKey, nonce) => {
        if (node !== 'm2') return;
        const counter = Buffer.from(nonce).readUInt32LE(4);
        if (key.length === 0 && counter > 2) [key, last] = [sealingKey.slice(), counter];
        else if (isTransport(sealingKey)) {
          last = counter;
          counters.push(counter);
        }
      },
    });
    assert.ok(await field.pass(REJOIN_S, () => key.length > 0));
    const before = field.world.device('m2').state()?.session;
    const memory = field.firmware.memory(field.world.device('m2').mac);
    const keyAt = Buffer.from(memory.buffer).indexOf(key);
    // Both keys of the session, then the counter at the next multiple of 4.
    const counterAt = Math.ceil((keyAt + 2 * KEY_BYTES) / 4) * 4;
    assert.equal(memory.getUint32(counterAt, true), last + 1, 'there stands the counter');
    memory.setUint32(counterAt, SESSION_PACKETS_MAX - 3, true);
    await field.pass(REJOIN_S);
    assert.deepEqual(
      counters.slice(-3),
      [-3, -2, -1].map((back) => SESSION_PACKETS_MAX + back),
    );
    assert.notEqual(field.world.device('m2').state()?.session, before);
    assert.ok(field.isJoined('m2'));
    await rowsArrived(field, 'm2');
    noHarm(field);
  });

  it('the seq of a row: the last one is stored, and the device says that there is none left', async function () {
    this.timeout(60_000);
    const field = new Field({ off: ['m2'], intervalS: 1 });
    await field.startHeadEnd();
    const { flash } = field.world.device('m2');
    const rows = 20;
    flash.write(logHeader(0).at, logHeaderOf(Uint8Array.of(1, 2, 3, 4), 1, SEQ_MAX - rows + 1));
    field.world.apply({ kind: 'revive', node: 'm2', atS: 0 });
    await field.pass(120);
    assert.ok(says(field, 'm2', 'counterSpent'));
    const stored = await field.stored(field.nodeId('m2'));
    assert.deepEqual(
      stored.map(({ seq }) => seq),
      Array.from({ length: rows }, (_, index) => SEQ_MAX - rows + 1 + index),
    );
    assert.ok(field.isJoined('m2'), 'it stays a member of the mesh');
    await rowsArrived(field, 'm1', 20);
    noHarm(field);
  });
});

describe('attack 27: counters of the head-end near their end', () => {
  it('packets of a session: nothing is taken at or above 2^24, and a new one is asked for before', async () => {
    const bench = await Bench.started(secured());
    const node = new ScriptedNode({ seed: 'm1', security: ecc });
    await bench.joinAndSpeak(node);
    // What a node would have counted to in half a year of packets each second.
    bench.up(node.up([node.readings(1, 1)], SESSION_PACKETS_MAX - 2), { route: [node.shortId] });
    await bench.run(500);
    bench.up(node.up([node.readings(2, 2)], SESSION_PACKETS_MAX - 1), { route: [node.shortId] });
    await bench.run(500);
    for (const counter of [SESSION_PACKETS_MAX, U32_MAX]) {
      bench.up(node.up([node.readings(3, 3)], counter), { route: [node.shortId] });
    }
    await bench.run(61_000);
    assert.equal(bench.readings.length, 2);
    assert.equal(bench.errors().notJoined, 2);
    const sections = bench.downs(node, 'down').flatMap((packet) => node.open(packet).sections);
    assert.ok(
      sections.some((section) => section.kind === 'command' && section.operation === 5),
      'rekey',
    );
    await bench.joinAndSpeak(node);
    bench.up(node.up([node.readings(3, 3)]), { route: [node.shortId] });
    await bench.run(500);
    assert.equal(bench.readings.length, 3);
  });

  it('the owner epoch: the last one serves, after it nothing starts and nothing is changed', async () => {
    const first = await Bench.started(secured());
    const node = new ScriptedNode({ seed: 'm1', security: ecc });
    await first.joinAndSpeak(node);
    await first.headEnd.stop();
    const { store } = first;
    await store.open();
    await store.takeEpoch(U32_MAX - 1);
    await store.close();
    const last = await Bench.started({ ...secured(), store });
    await last.joinAndSpeak(node);
    last.up(node.up([node.readings(1, 2)]), { route: [node.shortId] });
    await last.run(500);
    assert.equal(node.open(last.downs(node, 'down').at(-1) as Uint8Array).epoch, U32_MAX);
    await last.headEnd.stop();
    const groups = store.groups.length;
    const beyond = new Bench({ ...secured(), store });
    await assert.rejects(beyond.headEnd.start(), { reason: 'badField', message: /owner epoch .* correct the clock/ });
    assert.equal(beyond.link.sent.length, 0);
    assert.equal(store.groups.length, groups);
    await store.open();
    assert.equal(await store.count(), 2);
  });
});

describe('attack 27: the clock of the host jumps by ten years', () => {
  /** Restarts the head-end; the owner epoch of the new life. */
  async function epochOf(field: Field): Promise<number> {
    await field.headEnd.stop();
    let epoch = 0;
    const { takeEpoch } = field.store;
    field.store.takeEpoch = async (utcS) => {
      epoch = await takeEpoch.call(field.store, utcS);
      return epoch;
    };
    await field.startHeadEnd();
    field.store.takeEpoch = takeEpoch;
    return epoch;
  }

  it('there and back, with restarts in each time: no row is lost, no epoch comes twice', async function () {
    this.timeout(60_000);
    const field = await Field.joined({ pollCycleS: 20 });
    const epochs: number[] = [];
    for (const jumpMs of [YEARS_MS, -YEARS_MS, -YEARS_MS, YEARS_MS]) {
      field.clock.jump(jumpMs);
      const rows = field.measured.get('m2')?.length ?? 0;
      await field.pass(300);
      const measured = (field.measured.get('m2')?.length ?? 0) - rows;
      assert.ok(measured >= 26, `${measured} rows of 30 measured after ${jumpMs / YEARS_MS} jumps`);
      const online = field.headEnd.status().payload.nodes.filter(({ status }) => status === 'online');
      assert.equal(online.filter(({ role }) => role === 'meter').length, 2);
      // A gateway has no rows that wait: it finds out with the probe that it sends every hour.
      const isWhole = (): boolean => field.headEnd.state().nodesOnline === 3;
      assert.ok(await field.pass(PROBE_S, isWhole), JSON.stringify(field.headEnd.state()));
      epochs.push(await epochOf(field));
      await field.pass(200);
    }
    for (let index = 1; index < epochs.length; index++) {
      assert.ok((epochs[index] as number) > (epochs[index - 1] as number), epochs.join());
    }
    await rowsArrived(field, 'm1', 6);
    await rowsArrived(field, 'm2', 6);
    noHarm(field);
  });

  it('back: what waits for its time does not wait for ten years', async function () {
    this.timeout(60_000);
    const field = await Field.joined();
    const nodeId = field.nodeId('m2');
    field.world.apply({ kind: 'kill', node: 'm2', atS: 0 });
    const command = field.headEnd.command({ nodeId, operation: 'pollNow', timeoutS: 60 });
    let error: unknown;
    command.catch((reason: unknown) => {
      error = reason;
    });
    await field.pass(5);
    field.clock.jump(-YEARS_MS / 20);
    await field.pass(56);
    assert.equal((error as { reason?: string }).reason, 'commandTimeout');
    await field.pass(120);
    assert.equal(field.headEnd.state().nodesOnline, 2, 'who is silent goes offline');
    field.world.apply({ kind: 'revive', node: 'm2', atS: 0 });
    assert.ok(await field.pass(REJOIN_S, () => field.isJoined('m2')), 'handshakes are let through');
    await field.pass(60);
    assert.equal(field.headEnd.state().nodesOnline, 3);
    await rowsArrived(field, 'm2');
    noHarm(field);
  });

  it('to before it can have been set: meters go on by their own time, and say after a day that they do', async function () {
    this.timeout(60_000);
    const field = await Field.joined({ intervalS: 900, pollCycleS: 300, meters: ['m1'] });
    const fromMs = field.world.utcMs();
    field.clock.jump(-YEARS_MS);
    assert.ok(field.headEnd.state().warnings.some((line) => line.includes('the clock of this machine is not set')));
    await field.pass(26 * 3600);
    const rows = field.measured.get('m1') ?? [];
    assert.ok(rows.length >= 4 * 26 - 2, `${rows.length} rows`);
    for (const [index, { measuredAtMs, quality }] of rows.entries()) {
      const hours = (measuredAtMs - fromMs) / 3_600_000;
      assert.ok(hours > -1 && hours < 27, 'no row is of another year');
      if (hours < 23.5) assert.equal(quality, 'good', `row ${index}, after ${hours} h`);
      if (hours > 24.5) assert.equal(quality, 'clock', `row ${index}, after ${hours} h`);
    }
    field.clock.jump(YEARS_MS);
    await field.pass(3600);
    assert.equal(field.measured.get('m1')?.at(-1)?.quality, 'good');
    await rowsArrived(field, 'm1', 1);
    noHarm(field);
  });
});

describe('attack 27: the head-end stops in the middle of a handshake', () => {
  interface Scene {
    readonly bench: Bench;
    readonly clock: CountingClock;
    readonly node: ScriptedNode;
  }

  async function scene(): Promise<Scene> {
    const clock = new CountingClock(START_MS);
    const bench = await Bench.started({ ...secured(), clock });
    bench.headEnd.onStatus(() => undefined);
    bench.headEnd.onTopology(() => undefined);
    bench.headEnd.onState(() => undefined);
    bench.headEnd.onDevices(() => undefined);
    return { bench, clock, node: new ScriptedNode({ seed: 'm1', security: ecc }) };
  }

  const MOMENTS: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
    'before its commit': async ({ bench, node }) => void bench.up(node.m1(), { route: [0] }),
    'during its commit': async ({ bench, node, clock }) => {
      bench.store.hold = new Promise((resolve) => clock.after(40, resolve));
      bench.up(node.m1(), { route: [0] });
      await bench.run(60);
    },
    'once M2 is sent': async ({ bench, node }) => bench.join(node),
    'with an acknowledgement due': async ({ bench, node }) => {
      await bench.joinAndSpeak(node);
      bench.up(node.up([node.readings(1, 3)]), { route: [node.shortId] });
      await bench.run(80);
    },
    'with commands under way': async ({ bench, node }) => {
      await bench.joinAndSpeak(node);
      for (const operation of ['pollNow', 'rekey'] as const) {
        bench.headEnd.command({ nodeId: node.nodeId, operation }).catch(() => undefined);
      }
      await bench.run(80);
      await bench.join(node);
    },
    'while a key is rotated': async ({ bench, node }) => {
      const other = new ScriptedNode({ seed: 'm2', security: ecc });
      await bench.joinAndSpeak(node);
      await bench.joinAndSpeak(other);
      const revoked = bench.headEnd.devices.revoke({ nodeId: other.nodeId });
      await bench.run(100);
      await revoked;
      bench.up(node.m1(), { route: [0] });
      assert.notEqual(bench.headEnd.state().rotation?.keyId, networkKey.keyId);
    },
  };

  for (const [moment, play] of Object.entries(MOMENTS)) {
    it(`${moment}: no timer is left, and the link and the store are closed`, async () => {
      const { bench, clock, node } = await scene();
      await play({ bench, clock, node });
      await stopped(bench.headEnd, bench);
      // The store's own pause of this test is no timer of the head-end.
      assert.equal(clock.waiting, 0);
      assert.ok(bench.link.closed);
      await assert.rejects(bench.store.count());
      const sent = bench.link.sent.length;
      await bench.run(600_000);
      assert.equal(bench.link.sent.length, sent, 'nothing is sent any more');
      assert.deepEqual(bench.problems, []);
      const next = await Bench.started({ ...secured(), store: bench.store, clock });
      await next.joinAndSpeak(node);
      assert.equal(next.headEnd.state().nodesOnline, 1);
    });
  }

  it('while it starts: no timer is left either', async () => {
    const clock = new CountingClock(START_MS);
    const bench = new Bench({ ...secured(), clock });
    const starting = bench.headEnd.start();
    await bench.headEnd.stop();
    await starting;
    assert.equal(clock.waiting, 0);
    assert.ok(bench.link.closed);
  });

  async function stopped(headEnd: HeadEnd, bench: Bench): Promise<void> {
    let isDone = false;
    const stopping = headEnd.stop().then(() => {
      isDone = true;
    });
    // A commit that is under way comes to its end first.
    for (let turn = 0; turn < 10 && !isDone; turn++) {
      await settle();
      if (!isDone) await bench.run(10);
    }
    await stopping;
  }
});
