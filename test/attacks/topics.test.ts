import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { systemClock } from '../../nodes/headend/clock.ts';
import { decodeHostEnvelope, type Envelope, encodeGatewayEnvelope } from '../../nodes/headend/frame/envelope.ts';
import { decodePacket } from '../../nodes/headend/frame/packet.ts';
import { GATEWAYS_MAX } from '../../nodes/headend/gateways.ts';
import { HeadEnd } from '../../nodes/headend/headend.ts';
import { MqttLink } from '../../nodes/headend/link/mqtt.ts';
import type { ReadingMessage } from '../../nodes/headend/messages.ts';
import { labelText } from '../../nodes/headend/security/label.ts';
import { MemoryStore } from '../../nodes/headend/store/memory.ts';
import { migrateNetwork, readSettings } from '../../nodes/wattmesh-network/settings.ts';
import { Bench, ecc, NETWORK, secured } from '../headend/support/bench.ts';
import { ScriptedNode } from '../headend/support/scripted-node.ts';
import { LinkRecorder } from '../support/link-recorder.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttPeer } from '../support/mqtt-peer.ts';
import { needTool } from '../support/tools.ts';
import { flipped } from './support/damage.ts';

/** Attack 23: topics and names with `+ # / NUL`, retained stale frames and payloads of a megabyte. The numbers are those of SECURITY.md. */

const UP = `wattmesh/${NETWORK}/gw1/up`;
const DOWN = `wattmesh/${NETWORK}/gw1/down`;
const MEGABYTE = new Uint8Array(1_000_000).fill(0x11);
const HOSTILE = ['a/b', '+', '#', 'gw+', 'gw#', 'a\0b', '\0', '../up', '$SYS', 'GW', 'gw 1', 'ä', '', 'x'.repeat(33)];
const ROWS = 40;

/** A gateway with one meter behind it, as far as a head-end can tell. */
class Outpost {
  readonly meter = new ScriptedNode({ seed: 'meter', security: ecc });
  readonly peer: MqttPeer;
  #number = 1;

  constructor(peer: MqttPeer) {
    this.peer = peer;
  }

  async say(packet: Uint8Array): Promise<Uint8Array> {
    const item = { more: false, urgent: false, route: [this.meter.shortId], packet };
    const envelope: Envelope = { type: 'up', number: this.#number++, rssiDbm: -70, utcMs: 0, item };
    const bytes = encodeGatewayEnvelope(envelope);
    await this.peer.publish(UP, bytes);
    return bytes;
  }

  async join(): Promise<Uint8Array> {
    const envelope = await this.say(this.meter.m1());
    const m2 = () => this.#downs().find((packet) => decodePacket(packet).type === 'm2');
    await this.peer.until('M2', () => m2() !== undefined);
    this.meter.takeM2(m2() as Uint8Array);
    return envelope;
  }

  async row(seq: number): Promise<Uint8Array> {
    return await this.say(this.meter.up([this.meter.readings(seq, seq)]));
  }

  #downs(): Uint8Array[] {
    return this.peer.messages
      .filter(({ topic }) => topic === DOWN)
      .map(({ payload }) => decodeHostEnvelope(new Uint8Array(payload)))
      .flatMap((envelope) => (envelope.type === 'down' ? [envelope.packet] : []));
  }
}

/** An MQTT 3.1.1 client without any manners: publishes to any topic whatever (sections 3.1 and 3.3); resolves when the broker is done with it. */
async function publishRudely(port: number, topic: Uint8Array, payload: Uint8Array): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const text = (bytes: Uint8Array) => [bytes.length >> 8, bytes.length & 0xff, ...bytes];
  const packet = (type: number, body: number[]) => Uint8Array.of(type, body.length & 0x7f, ...body);
  socket.write(packet(0x10, [...text(Buffer.from('MQTT')), 4, 2, 0, 60, ...text(Buffer.from('rude'))]));
  await once(socket, 'data');
  socket.on('error', () => socket.destroy());
  const closed = once(socket, 'close');
  socket.write(packet(0x30, [...text(topic), ...payload]));
  // A broker that took it would answer this; one that did not has hung up.
  socket.write(Uint8Array.of(0xc0, 0));
  await Promise.race([closed, once(socket, 'data')]);
  socket.destroy();
  await closed;
}

describe('attack 23: hostile topics and payloads at a broker', function () {
  this.timeout(30_000);

  const closing: (() => Promise<unknown>)[] = [];
  let broker: Mosquitto;

  before(function () {
    needTool(this, 'mosquitto');
  });

  beforeEach(async () => {
    broker = await Mosquitto.start();
    closing.push(() => broker.remove());
  });

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function peer(): Promise<MqttPeer> {
    const client = await MqttPeer.connect(broker.url);
    closing.push(() => client.close());
    return client;
  }

  async function startHeadEnd(): Promise<{ headEnd: HeadEnd; readings: ReadingMessage[]; problems: Error[] }> {
    const instanceId = randomBytes(8).toString('hex');
    const link = new MqttLink({ url: broker.url, network: NETWORK, instanceId, clock: systemClock });
    const random = (length: number) => new Uint8Array(randomBytes(length));
    const common = { network: NETWORK, store: new MemoryStore(), clock: systemClock, random, instanceId };
    const headEnd = new HeadEnd({ ...common, ...secured(), link });
    const readings: ReadingMessage[] = [];
    const problems: Error[] = [];
    headEnd.onReading((message) => readings.push(message));
    headEnd.onProblem((error) => problems.push(error));
    closing.push(() => headEnd.stop());
    const up = new Promise<void>((resolve) => headEnd.onState(({ link: { up: isUp } }) => isUp && resolve()));
    await headEnd.start();
    await up;
    return { headEnd, readings, problems };
  }

  it('cost no honest reading and are counted', async () => {
    const { headEnd, readings, problems } = await startHeadEnd();
    const outpost = new Outpost(await peer());
    const villain = await peer();
    const last = await outpost.join();
    const names = ['GW', 'gw 1', 'ä', '$SYS', '__proto__', 'a.b', 'x'.repeat(33), 'x'.repeat(1000)];
    const topic = (...levels: string[]) => ['wattmesh', NETWORK, ...levels].join('/');
    for (let seq = 1; seq <= ROWS; seq++) {
      const name = names[seq % names.length] as string;
      const isTimeForMore = seq % 8 === 0;
      const big = isTimeForMore ? [topic('gw1', 'up'), topic('gw1', 'status'), topic('host')] : [];
      await Promise.all([
        villain.publish(topic(name, 'up'), last),
        villain.publish(topic(name, 'status'), 'online', true),
        villain.publish(topic('gw1', 'up', 'more'), last),
        ...big.map((each) => villain.publish(each, MEGABYTE, seq % 16 === 0)),
        villain.publish(UP, randomBytes(seq * 10)),
        villain.publish(UP, flipped(last, seq * 8)),
      ]);
      await outpost.row(seq);
    }
    await outpost.peer.until('all rows', () => readings.length === ROWS);
    assert.deepEqual(
      readings.map(({ wattmesh }) => wattmesh.seq),
      Array.from({ length: ROWS }, (_, index) => index + 1),
    );
    const { errors, gateways, nodesKnown } = headEnd.state();
    assert.equal(errors.oversize, ROWS / 8);
    assert.ok((errors.badField ?? 0) >= 2 * ROWS + (2 * ROWS) / 8, `${errors.badField}`);
    assert.deepEqual([gateways, nodesKnown], [1, 1]);
    assert.deepEqual(problems, []);
  });

  it('reach nobody when the broker cannot even name them', async () => {
    const { headEnd } = await startHeadEnd();
    const outpost = new Outpost(await peer());
    await outpost.join();
    const before = headEnd.state().errors;
    const seen = outpost.peer.messages.length;
    for (const level of ['+', '#', 'a+', 'a\0b', '\0']) {
      await publishRudely(broker.port, Buffer.from(`wattmesh/${NETWORK}/${level}/up`), Uint8Array.of(1));
    }
    await publishRudely(broker.port, Uint8Array.of(0xc3, 0x28), Uint8Array.of(1));
    await outpost.row(1);
    await outpost.peer.until('the acknowledgement', ({ messages }) => messages.length > seen + 1);
    assert.deepEqual(headEnd.state().errors, before);
    assert.equal(
      outpost.peer.messages.some(({ topic }) => /[+#\0]/.test(topic)),
      false,
    );
  });

  it('are stale when they are retained: a head-end that starts takes none of them', async () => {
    const first = await startHeadEnd();
    const outpost = new Outpost(await peer());
    const m1 = await outpost.join();
    const row = await outpost.row(1);
    await outpost.peer.until('the row', () => first.readings.length === 1);
    await first.headEnd.stop();
    const villain = await peer();
    await villain.publish(UP, row, true);
    await villain.publish(`wattmesh/${NETWORK}/gw2/up`, m1, true);
    await villain.publish(`wattmesh/${NETWORK}/gw3/up`, MEGABYTE, true);
    await villain.publish(`wattmesh/${NETWORK}/gw4/status`, MEGABYTE, true);
    const second = await startHeadEnd();
    const fresh = new ScriptedNode({ seed: 'meter', security: ecc });
    fresh.handshake = 5;
    Object.assign(outpost, { meter: fresh });
    outpost.peer.messages.length = 0;
    await outpost.join();
    assert.deepEqual(second.headEnd.state().errors, { expired: 3, badField: 1 });
    assert.equal(second.readings.length, 0);
    await outpost.row(1);
    await outpost.peer.until('the row', () => second.readings.length === 1);
  });

  it('crowd no gateway out, however many names they come under', async () => {
    const { headEnd, readings } = await startHeadEnd();
    const villain = await peer();
    const hello = encodeGatewayEnvelope({
      type: 'hello',
      nodeId: 'eeeeeeeeeeee',
      shortId: 0x8000,
      firmware: '0.1.0',
      role: 'gateway',
      bootId: 1,
      networkNumber: ecc.networkNumber,
      window: 16,
    });
    const flood = async () => {
      const fakes = Array.from({ length: 2 * GATEWAYS_MAX }, (_, index) => `wattmesh/${NETWORK}/fake-${index}/up`);
      await Promise.all(fakes.map((topic) => villain.publish(topic, hello)));
    };
    await flood();
    const outpost = new Outpost(await peer());
    await outpost.join();
    await flood();
    await outpost.row(1);
    await outpost.peer.until('the row', () => readings.length === 1);
    assert.equal(headEnd.state().errors.queueFull, undefined);
    assert.equal(headEnd.state().gateways, GATEWAYS_MAX);
  });
});

describe('attack 23: hostile names', () => {
  it('are refused as network ids, with what to do', async () => {
    for (const networkId of HOSTILE) {
      const settings = migrateNetwork({ version: 1, connection: 'mqtt', broker: 'localhost', networkId });
      const context = { credentials: { networkKey: '00'.repeat(16) }, tls: undefined, userDir: '.' };
      assert.throws(() => readSettings(settings, context), {
        reason: 'badConfig',
        message: /is no network id: use 1 to 32/,
      });
      const link = new MqttLink({
        url: 'mqtt://localhost',
        network: networkId,
        instanceId: '0'.repeat(16),
        clock: systemClock,
      });
      await assert.rejects(link.open(new LinkRecorder()), { reason: 'badConfig', message: /network id is not usable/ });
    }
  });

  it('are refused as metering points, which stand in topics; as names they are for people only', async () => {
    const bench = await Bench.started(secured({ approval: 'operator' }));
    const node = new ScriptedNode({ seed: 'meter', security: ecc });
    const approve = async (details: { meter?: string; name?: string }) => {
      const outcome = bench.headEnd.devices.approve({ key: labelText(node.key), ...details });
      await Promise.all([outcome.catch(() => undefined), bench.run(100)]);
      return await outcome;
    };
    for (const meter of HOSTILE.filter((text) => text !== '' && !['GW', 'x'.repeat(33)].includes(text))) {
      await assert.rejects(approve({ meter }), { reason: 'badField', message: /letters, digits, dots/ }, meter);
    }
    for (const name of ['a\0b', '\0', 'a\nb', 'x'.repeat(65), ' ']) {
      await assert.rejects(approve({ name }), { reason: 'badField', message: /a name has 1 to 64/ }, name);
    }
    await approve({ meter: 'flat.1', name: 'Flat +/# $SYS' });
    await bench.joinAndSpeak(node);
    bench.up(node.up([node.readings(1, 1)]), { route: [node.shortId] });
    await bench.run(1000);
    assert.deepEqual(
      bench.readings.map(({ topic, payload }) => [topic, payload.name]),
      [[`${NETWORK}/flat.1`, 'Flat +/# $SYS']],
    );
  });
});
