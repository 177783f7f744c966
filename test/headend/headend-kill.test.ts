import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../../firmware/simulator/random.ts';
import { toHex } from '../../nodes/headend/bytes.ts';
import type { HostEnvelope } from '../../nodes/headend/frame/envelope.ts';
import { decodePacket } from '../../nodes/headend/frame/packet.ts';
import { SqliteStore } from '../../nodes/headend/store/sqlite.ts';
import type { DriverName } from '../../nodes/headend/store/sqlite-driver.ts';
import type { StoredState } from '../../nodes/headend/store/store.ts';
import { HeadEndProcess, type Told } from './headend-process.ts';
import { installedDrivers } from './store-drivers.ts';
import { scratchFolder } from './store-samples.ts';
import { ecc } from './support/bench.ts';
import { acksOf, rowOf, ScriptedNode } from './support/scripted-node.ts';

const SEED = 'killed head-ends';
const ROUNDS = 14;
const PACKETS_PER_ROUND_MAX = 40;
const ROWS_PER_PACKET_MAX = 6;
/** The kill comes this long, ms, after the last packet at most: in the middle of what it caused. */
const KILL_DELAY_MS_MAX = 25;
/** Clocks of later lives are ahead of earlier ones: their owner epochs too, so that sessions go on. */
const LIFE_MS = 60_000;

/** A meter that keeps measuring, and what it has been promised. */
class Meter {
  readonly node: ScriptedNode;
  last = 0;
  /** Highest row that an acknowledgement covers, with all below it. */
  acknowledged = 0;
  joined = false;
  /** Hash of the M1 whose M2 came. */
  session = '';
  readonly #answers = new Map<string, string>();

  constructor(seed: string) {
    this.node = new ScriptedNode({ seed, security: ecc });
  }

  m1(): Uint8Array {
    const m1 = this.node.m1();
    this.#answers.set(String(this.node.handshake), createHash('sha256').update(m1).digest('hex'));
    this.joined = false;
    return m1;
  }

  /** The next rows, and some that were sent before. */
  packet(random: Random): Uint8Array {
    const first = Math.max(1, this.last - random.int(ROWS_PER_PACKET_MAX));
    this.last += random.int(ROWS_PER_PACKET_MAX);
    return this.node.up([this.node.readings(first, this.last)]);
  }

  take(packet: Uint8Array): void {
    const { type, counter } = decodePacket(packet);
    if (type === 'm2' && counter === this.node.handshake && !this.joined) {
      this.node.takeM2(packet);
      this.joined = true;
      this.session = this.#answers.get(String(counter)) ?? '';
    } else if (type === 'down') {
      for (const { cumulative } of acksOf(this.node.open(packet).sections))
        this.acknowledged = Math.max(this.acknowledged, cumulative);
    }
  }
}

/** Two meters, their gateway, and one head-end after another on one store. */
class Story {
  readonly meters = ['one', 'two'].map((seed) => new Meter(seed));
  readonly told: Told[] = [];
  /** Packets by node, session, epoch and counter: never two under one. */
  readonly downs = new Map<string, string>();
  readonly #random = new Random(SEED);
  readonly #driver: DriverName;
  readonly #file: string;
  /** What the gateway keeps until it is confirmed. */
  readonly #waiting = new Map<number, Uint8Array>();
  #number = 1;
  #lives = 0;

  constructor(driver: DriverName, file: string) {
    this.#driver = driver;
    this.#file = file;
  }

  /** A life of the head-end until it is killed; `fresh`: meters make new sessions in it. */
  async round(fresh: boolean): Promise<void> {
    const headEnd = await this.#start();
    for (const meter of this.meters) if (fresh || !meter.joined) this.#up(headEnd, meter.m1());
    if (this.#random.int(3) > 0) await headEnd.until(() => this.meters.every(({ joined }) => joined), 'M2');
    for (let count = 1 + this.#random.int(PACKETS_PER_ROUND_MAX); count > 0; count--) {
      const meter = this.meters[this.#random.int(this.meters.length)] as Meter;
      if (meter.joined) this.#up(headEnd, meter.packet(this.#random));
      if (this.#random.int(4) === 0) await delay(this.#random.int(4));
    }
    await delay(this.#random.int(KILL_DELAY_MS_MAX));
    await headEnd.kill();
    this.told.push(...headEnd.told);
    assert.deepEqual(headEnd.problems, []);
    await this.#inspect();
  }

  /** A last life, in which everything comes to an end; it stops by itself. */
  async end(): Promise<void> {
    const headEnd = await this.#start();
    for (const meter of this.meters) this.#up(headEnd, meter.m1());
    await headEnd.until(() => this.meters.every(({ joined }) => joined), 'M2');
    for (const { node, last } of this.meters)
      for (let first = 1; first <= last; first += 16)
        this.#up(headEnd, node.up([node.readings(first, Math.min(last, first + 15))]));
    await headEnd.until(() => this.meters.every(({ acknowledged, last }) => acknowledged === last), 'acknowledgements');
    await headEnd.until(() => this.#waiting.size === 0, 'UP_ACK');
    await headEnd.stop();
    this.told.push(...headEnd.told);
    const { outbox } = await this.#inspect();
    assert.deepEqual(outbox, []);
  }

  async #start(): Promise<HeadEndProcess> {
    const headEnd = await HeadEndProcess.started(this.#driver, this.#file, LIFE_MS * this.#lives++);
    for (const [number, packet] of this.#waiting) headEnd.up(number, packet, [0]);
    for (const down of headEnd.downs) this.#down(down);
    headEnd.onDown = (envelope) => this.#down(envelope);
    return headEnd;
  }

  #up(headEnd: HeadEndProcess, packet: Uint8Array): void {
    this.#waiting.set(this.#number, packet);
    headEnd.up(this.#number++, packet, [0]);
  }

  #down(envelope: HostEnvelope): void {
    if (envelope.type === 'upAck') for (const number of envelope.numbers) this.#waiting.delete(number);
    if (envelope.type !== 'down') return;
    const { packet } = envelope;
    const { type, nodeId, session, epoch, counter } = decodePacket(packet);
    if (type === 'down') {
      const nonce = `${nodeId} ${session} ${epoch} ${counter}`;
      assert.equal(this.downs.get(nonce) ?? toHex(packet), toHex(packet), `${nonce} came with two contents`);
      this.downs.set(nonce, toHex(packet));
    }
    const meter = this.meters.find(({ node }) => node.nodeId === nodeId);
    assert.ok(meter);
    meter.take(packet);
  }

  /** What the store holds is what was promised, and what was measured. */
  async #inspect(): Promise<StoredState> {
    const store = new SqliteStore({ file: this.#file, driver: this.#driver });
    const state = await store.open();
    const stored = new Set<string>();
    for (const { node, last, acknowledged, session } of this.meters) {
      const rows = await store.readings({ key: node.keyHex });
      const seqs = new Set(rows.map(({ seq }) => seq));
      assert.equal(seqs.size, rows.length, 'each row once');
      for (const { seq, importDwh } of rows) {
        stored.add(`${node.keyHex}:${node.logId}:${seq}`);
        assert.equal(importDwh, rowOf(seq).importDwh);
        assert.ok(seq <= last, `row ${seq} was never measured`);
      }
      for (let seq = 1; seq <= acknowledged; seq++)
        assert.ok(seqs.has(seq), `row ${seq} is acknowledged and not stored`);
      const hashes = state.sessions.filter(({ key }) => key === node.keyHex).map(({ handshakeHash }) => handshakeHash);
      assert.ok(session === '' || hashes.includes(session), 'the session of an M2 is in the store');
    }
    for (const { id } of this.told) assert.ok(stored.has(id), `${id} was told and is not stored`);
    assert.deepEqual(await store.conflicts(), []);
    await store.close();
    return state;
  }
}

for (const driver of await installedDrivers()) {
  describe(`head-end killed with SIGKILL under suite 0x01: ${driver}`, () => {
    it('stores, tells and acknowledges each row once, at whatever moment it dies', async () => {
      const folder = scratchFolder();
      try {
        const story = new Story(driver, folder.file('net.sqlite'));
        for (let round = 0; round < ROUNDS; round++) await story.round(round % 4 === 0);
        await story.end();
        const first = story.told.filter(({ redelivered }) => !redelivered).map(({ id }) => id);
        assert.equal(new Set(first).size, first.length, 'a message that went out again says so');
        const measured = story.meters.reduce((sum, { last }) => sum + last, 0);
        assert.equal(new Set(story.told.map(({ id }) => id)).size, measured, 'every row was told');
        assert.ok(measured > 100, `${measured} rows`);
      } finally {
        folder.remove();
      }
    }).timeout(120_000);
  });
}
