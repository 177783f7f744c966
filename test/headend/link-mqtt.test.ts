import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { type Clock, ManualClock, systemClock } from '../../nodes/headend/clock.ts';
import { reasonOf } from '../../nodes/headend/errors.ts';
import { HOST_REFRESH_MS, HOST_SILENT_MS } from '../../nodes/headend/link/host-claim.ts';
import { MqttLink, type MqttSettings, OUTSTANDING_MAX } from '../../nodes/headend/link/mqtt.ts';
import { LinkRecorder } from '../support/link-recorder.ts';
import { freePort, Mosquitto, type MosquittoOptions } from '../support/mosquitto.ts';
import { MqttPeer } from '../support/mqtt-peer.ts';
import { needTool } from '../support/tools.ts';

const HOST = 'wattmesh/home/host';
const LOWEST = '0000000000000000';
const HIGHEST = 'ffffffffffffffff';
const up = ({ last }: LinkRecorder): boolean => last?.up === true;

describe('MQTT link', function () {
  this.timeout(60_000);

  const closing: (() => Promise<unknown>)[] = [];

  before(function () {
    needTool(this, 'mosquitto', 'mosquitto_passwd', 'openssl');
  });

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function startBroker(options?: MosquittoOptions): Promise<Mosquitto> {
    const broker = await Mosquitto.start(options);
    closing.push(() => broker.remove());
    return broker;
  }

  async function startPeer(broker: Mosquitto, options = {}): Promise<MqttPeer> {
    const peer = await MqttPeer.connect(broker.url, options);
    closing.push(() => peer.close());
    return peer;
  }

  async function openLink(url: string, settings: Partial<MqttSettings> = {}) {
    const instanceId = randomBytes(8).toString('hex');
    const link = new MqttLink({ url, network: 'home', instanceId, clock: systemClock, ...settings });
    const told = new LinkRecorder();
    closing.push(() => link.close());
    await link.open(told);
    return { link, told, instanceId: settings.instanceId ?? instanceId };
  }

  it('carries envelopes both ways and says who is there', async () => {
    const broker = await startBroker();
    const peer = await startPeer(broker);
    await peer.publish('wattmesh/home/gw1/status', 'online', true);
    const { link, told, instanceId } = await openLink(broker.url);
    await told.until('the link', up);
    assert.equal(told.last?.detail, `connected to ${new URL(broker.url).host}`);
    await peer.until('the presence', () => peer.last(HOST) === `online ${instanceId}`);
    await told.until('the gateway', ({ presences }) => presences.length === 1);
    await peer.publish('wattmesh/home/gw1/up', Uint8Array.of(1, 0, 255));
    await peer.publish('wattmesh/home/gw1/status', 'offline', true);
    await told.until('the gateway to go', ({ presences }) => presences.length === 2);
    assert.deepEqual(told.envelopes, [{ gateway: 'gw1', bytes: Uint8Array.of(1, 0, 255) }]);
    assert.deepEqual(told.presences, [
      { gateway: 'gw1', online: true },
      { gateway: 'gw1', online: false },
    ]);
    assert.equal(link.send('gw1', Uint8Array.of(9, 8)), true);
    await peer.until('the envelope down', () => peer.last('wattmesh/home/gw1/down') === '\x09\x08');
    assert.throws(
      () => link.send('GW/+', Uint8Array.of(1)),
      (error) => reasonOf(error) === 'badField',
    );
    assert.throws(
      () => link.send('gw1', new Uint8Array(513)),
      (error) => reasonOf(error) === 'oversize',
    );
    await link.close();
    await peer.until('the goodbye', () => peer.last(HOST) === `offline ${instanceId}`);
    assert.equal(link.send('gw1', Uint8Array.of(1)), false);
    assert.deepEqual(told.faults, []);
  });

  it('counts what is no envelope and goes on', async () => {
    const broker = await startBroker();
    const peer = await startPeer(broker);
    await peer.publish('wattmesh/home/gw1/up', Uint8Array.of(1), true);
    const { told } = await openLink(broker.url);
    await told.until('the link', up);
    await peer.publish('wattmesh/home/gw1/up', new Uint8Array(1_000_000));
    await peer.publish('wattmesh/home/gw1/up', new Uint8Array(513));
    await peer.publish('wattmesh/home/gw1/up', '');
    await peer.publish('wattmesh/home/Bad_Name/up', Uint8Array.of(1));
    await peer.publish('wattmesh/home/gw1/status', 'perhaps');
    await peer.publish('wattmesh/home/gw1/up', new Uint8Array(512));
    await told.until('the envelope', ({ envelopes }) => envelopes.length > 0);
    assert.deepEqual(
      told.faults.map(({ gateway, reason, length }) => `${gateway} ${reason} ${length}`),
      [
        'gw1 expired 1',
        'gw1 oversize 1000000',
        'gw1 oversize 513',
        'gw1 truncated 0',
        '? badField 1',
        'gw1 badField 7',
      ],
    );
    assert.deepEqual(told.envelopes, [{ gateway: 'gw1', bytes: new Uint8Array(512) }]);
  });

  it('limits what the broker has not acknowledged', async () => {
    const broker = await startBroker();
    const peer = await startPeer(broker);
    const { link, told } = await openLink(broker.url);
    await told.until('the link', up);
    await peer.until('the presence', () => peer.last(HOST) !== undefined);
    let taken = 0;
    while (taken <= OUTSTANDING_MAX && link.send('gw1', Uint8Array.of(taken))) taken++;
    assert.ok(taken >= OUTSTANDING_MAX - 1 && taken <= OUTSTANDING_MAX, `${taken} taken`);
    const sent = (): number => peer.messages.filter(({ topic }) => topic.endsWith('/down')).length;
    await peer.until('what was taken', () => sent() === taken);
    await peer.publish('wattmesh/home/gw1/up', Uint8Array.of(1));
    await told.until('a round trip', ({ envelopes }) => envelopes.length === 1);
    assert.equal(link.send('gw1', Uint8Array.of(1)), true);
  });

  it('comes back after the broker was away', async () => {
    const broker = await startBroker();
    const { link, told, instanceId } = await openLink(broker.url);
    await told.until('the link', up);
    await broker.stop();
    await told.until('the loss', ({ last }) => last?.up === false);
    assert.equal(told.reason, 'linkClosed');
    assert.equal(link.send('gw1', Uint8Array.of(1)), false);
    await told.until('a refused attempt', ({ last }) => last?.detail.includes('nothing listens at') === true);
    await broker.restart();
    await told.until('the link again', up);
    const peer = await startPeer(broker);
    await peer.until('the presence', () => peer.last(HOST) === `online ${instanceId}`);
    await peer.publish('wattmesh/home/gw1/up', Uint8Array.of(5));
    await told.until('an envelope', ({ envelopes }) => envelopes.length === 1);
    assert.equal(link.send('gw1', Uint8Array.of(6)), true);
    await peer.until('the envelope down', () => peer.last('wattmesh/home/gw1/down') === '\x06');
  });

  it('refuses beside another living head-end and takes over when that one closes', async () => {
    const broker = await startBroker();
    const first = await openLink(broker.url);
    await first.told.until('the first link', up);
    const second = await openLink(broker.url);
    await second.told.until('the refusal', ({ last }) => last !== undefined);
    assert.equal(second.told.reason, 'secondHost');
    assert.match(
      second.told.last?.detail ?? '',
      new RegExp(`another head-end \\(${first.instanceId}\\) serves network home`),
    );
    assert.equal(second.link.send('gw1', Uint8Array.of(1)), false);
    const peer = await startPeer(broker);
    await peer.publish('wattmesh/home/gw1/up', Uint8Array.of(1));
    await first.told.until('the envelope', ({ envelopes }) => envelopes.length === 1);
    assert.equal(peer.last(HOST), `online ${first.instanceId}`);
    await first.link.close();
    await second.told.until('the take-over', up);
    assert.deepEqual(second.told.envelopes, []);
    assert.equal(second.told.states.filter((state) => !state.up).length, 1);
  });

  it('leaves no trace of a head-end that was refused', async () => {
    const broker = await startBroker();
    const peer = await startPeer(broker);
    await peer.publish(HOST, `online ${HIGHEST}`, true);
    const { link, told } = await openLink(broker.url);
    await told.until('the refusal', ({ reason }) => reason === 'secondHost');
    await link.close();
    await peer.publish('wattmesh/home/end/status', 'online');
    await peer.until('the end', () => peer.last('wattmesh/home/end/status') !== undefined);
    assert.deepEqual(
      peer.messages.filter(({ topic }) => topic === HOST).map(({ payload }) => payload.toString()),
      [`online ${HIGHEST}`],
    );
    assert.match(broker.log(), /No will message specified/);
    assert.doesNotMatch(broker.log(), /Will message specified \(/);
  });

  it('takes over from a head-end that crashes', async () => {
    const broker = await startBroker();
    const will = { topic: HOST, payload: Buffer.from(`offline ${HIGHEST}`), qos: 1 as const, retain: true };
    const other = await startPeer(broker, { will });
    assert.match(broker.log(), /Will message specified \(/);
    await other.publish(HOST, `online ${HIGHEST}`, true);
    const { told } = await openLink(broker.url);
    await told.until('the refusal', ({ reason }) => reason === 'secondHost');
    other.crash();
    await told.until('the take-over', up);
  });

  it('takes over from an online that was left behind by a dead broker and head-end', async () => {
    const broker = await startBroker();
    const peer = await startPeer(broker);
    await peer.publish(HOST, `online ${HIGHEST}`, true);
    const clock = new ManualClock();
    const { told, instanceId } = await openLink(broker.url, { clock });
    await told.until('the refusal', ({ reason }) => reason === 'secondHost');
    clock.advance(HOST_SILENT_MS);
    await told.until('the take-over', up);
    const presences = (): number =>
      peer.messages.filter(({ payload }) => payload.toString() === `online ${instanceId}`).length;
    for (let beat = 1; beat <= 3; beat++) {
      await peer.until('the presence', () => presences() === beat);
      clock.advance(HOST_REFRESH_MS);
    }
  });

  it('asserts itself over a stale will and yields to a lower instance in charge', async () => {
    const broker = await startBroker();
    const peer = await startPeer(broker);
    const { told, instanceId } = await openLink(broker.url, { instanceId: '8888888888888888' });
    await told.until('the link', up);
    for (const intruder of [`offline ${instanceId}`, `offline ${LOWEST}`, `online ${HIGHEST}`, 'nonsense', '']) {
      await peer.publish(HOST, intruder, true);
      await peer.until('the intruder', () => peer.messages.some(({ payload }) => payload.toString() === intruder));
      await peer.until('the answer', () => peer.last(HOST) === `online ${instanceId}`);
    }
    assert.equal(told.last?.up, true);
    await peer.publish(HOST, `online ${LOWEST}`, true);
    await told.until('the yielding', ({ last }) => last?.up === false);
    assert.equal(told.reason, 'secondHost');
    await peer.publish(HOST, `offline ${LOWEST}`, true);
    await told.until('the return', up);
  });

  it('says what to do about a refused user', async () => {
    const broker = await startBroker({ user: { name: 'meter', password: 'right' } });
    const wrong = await openLink(broker.url, { username: 'meter', password: 'wrong' });
    await wrong.told.until('the refusal', ({ last }) => last !== undefined);
    assert.match(wrong.told.last?.detail ?? '', /user name (or|and) password.*next try in/);
    const right = await openLink(broker.url, { username: 'meter', password: 'right' });
    await right.told.until('the link', up);
  });

  it('speaks TLS, and says what to do about a certificate it cannot trust', async () => {
    const broker = await startBroker({ tls: true });
    const good = await openLink(broker.url, { tls: { ca: broker.ca as string } });
    await good.told.until('the link', up);
    await good.link.close();
    for (const [url, tls, text] of [
      [broker.url, {}, /not signed by a CA we trust: add the CA certificate/],
      [
        broker.url,
        { ca: broker.ca as string, servername: 'other.example' },
        /is for another name: set the server name/,
      ],
      [broker.url.replace('mqtts:', 'mqtt:'), undefined, /TLS|ended the connection/],
    ] as const) {
      const { told, link } = await openLink(url, tls ? { tls } : {});
      await told.until('the refusal', ({ last }) => last !== undefined);
      assert.match(told.last?.detail ?? '', text);
      await link.close();
    }
    const blind = await openLink(broker.url, { tls: { rejectUnauthorized: false } });
    await blind.told.until('the link', up);
  });

  it('says what to do about a port without TLS and one without a broker', async () => {
    const broker = await startBroker();
    for (const [url, text] of [
      [`mqtts://127.0.0.1:${broker.port}`, /TLS/],
      [`mqtt://127.0.0.1:${await freePort()}`, /nothing listens at .*: start the broker or correct the port/],
      ['mqtt://no-such-host.invalid:1883', /host name no-such-host\.invalid:1883 is unknown/],
    ] as const) {
      const { told, link } = await openLink(url);
      await told.until('the failure', ({ last }) => last !== undefined);
      assert.match(told.last?.detail ?? '', text);
      await link.close();
    }
  });

  it('refuses settings that can never work', async () => {
    const good = { url: 'mqtt://127.0.0.1', network: 'home', instanceId: HIGHEST, clock: systemClock };
    const cases: Partial<MqttSettings>[] = [
      { url: '' },
      { url: 'broker:1883' },
      { url: 'http://broker' },
      { url: 'mqtt://user:secret@broker' },
      { network: 'Home/+' },
      { instanceId: 'abc' },
      { clientIdPrefix: 'a b' },
      { tls: { ca: 'x' } },
      { url: 'mqtts://broker', tls: { cert: 'x' } },
      { url: 'mqtts://broker', tls: { cert: 'x', key: 'y' } },
    ];
    for (const settings of cases) {
      const link = new MqttLink({ ...good, ...settings });
      await assert.rejects(
        link.open(new LinkRecorder()),
        (error) => reasonOf(error) === 'badConfig',
        JSON.stringify(settings),
      );
      await link.close();
    }
  });

  it('leaves nothing after close, whatever it was doing', async () => {
    const broker = await startBroker();
    const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const before = sockets();
    let timers = 0;
    const clock: Clock = {
      nowMs: systemClock.nowMs,
      after(delayMs, callback) {
        timers++;
        let over = false;
        const end = (): void => {
          if (!over) timers--;
          over = true;
        };
        const timer = systemClock.after(delayMs, () => {
          end();
          callback();
        });
        return {
          cancel: () => {
            end();
            timer.cancel();
          },
        };
      },
    };
    const connecting = await openLink(broker.url, { clock });
    await connecting.link.close();
    await connecting.link.close();
    const connected = await openLink(broker.url, { clock });
    await connected.told.until('the link', up);
    const states = connected.told.states.length;
    await connected.link.close();
    const waiting = await openLink(`mqtt://127.0.0.1:${await freePort()}`, { clock });
    await waiting.told.until('the failure', ({ last }) => last !== undefined);
    await waiting.link.close();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(timers, 0);
    assert.equal(sockets(), before);
    assert.equal(connected.told.states.length, states);
    assert.deepEqual(connecting.told.states, []);
  });
});

describe('MQTT link at a broker of few words', () => {
  it('reports a subscription that is refused', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (bytes) => {
        if (bytes[0] === 0x10) socket.write(Uint8Array.of(0x20, 2, 0, 0));
        if (bytes[0] === 0x82) socket.write(Uint8Array.of(0x90, 3, bytes[2] as number, bytes[3] as number, 0x80));
      });
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const settings = { network: 'home', instanceId: HIGHEST, clock: new ManualClock() };
    const link = new MqttLink({ url: `mqtt://127.0.0.1:${port}`, ...settings });
    const told = new LinkRecorder();
    await link.open(told);
    await told.until('the refusal', ({ last }) => last !== undefined);
    assert.match(told.last?.detail ?? '', /refuses to let us read wattmesh\/home\/host: allow this user there/);
    const closed = link.close();
    settings.clock.advance(10_000);
    await closed;
    await new Promise((resolve) => server.close(resolve));
  });
});
