// The same way behind a real broker: QoS 1 messages to rows in a durable store. The ceiling is what one thread could do that receives the same
// messages with mqtt.js and does nothing with them (a), and opens them with node:crypto (b): 1 / (1/a + 1/b).
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from 'mqtt';
import { systemClock } from '../../dist/nodes/headend/clock.js';
import { MqttLink } from '../../dist/nodes/headend/link/mqtt.js';
import { hasMosquitto, startMosquitto } from './broker.js';
import { makeFrames, NETWORK } from './frames.js';
import { BenchLink, endAndVerify, joinedMeters, newFolder, newInstance, startHeadEnd } from './head-end.js';
import { figures, median, rate, repeated, until } from './measure.js';
import { rawOpenPerSecond } from './stages.js';

/** Messages that the broker has not acknowledged to the publisher. */
const WINDOW = 512;
/** A store's owner epoch counts seconds: the next owner comes a second later at the earliest. */
const EPOCH_MS = 1_100;
/** A network without a head-end, with a name as long as the other one's. */
const IDLE_NETWORK = 'empty';
const PUBLISHER = fileURLToPath(new URL('mqtt-publisher.js', import.meta.url));

/** The figures, or why there are none. */
export async function mqttToStore({ meterCount, gateways, frameCount, roundCount }) {
  if (!hasMosquitto()) return { skipped: 'mosquitto is not installed' };
  const folder = newFolder();
  const owner = { folder, storeKey: new Uint8Array(randomBytes(32)) };
  const joining = new BenchLink();
  const first = await startHeadEnd(joining, owner);
  const meters = await joinedMeters(joining, meterCount, gateways);
  await first.headEnd.stop();
  await new Promise((resolve) => setTimeout(resolve, EPOCH_MS));
  const broker = await startMosquitto();
  try {
    const instanceId = newInstance();
    const link = new MqttLink({ url: broker.url, network: NETWORK, instanceId, clock: systemClock });
    const watch = watchFirst(link);
    const life = await startHeadEnd(link, { ...owner, instanceId });
    await until(() => life.headEnd.state().link.up, 'connecting');
    await life.unheard;
    let sent = 0;
    const idle = await idleReceiver(broker);
    const rounds = await repeated(roundCount, async () => {
      const frames = await makeFrames(meters, frameCount, 1);
      sent += frames.count;
      const open = rawOpenPerSecond(meters, frames, frameCount / 2);
      const file = join(folder, 'frames.bin');
      writeFileSync(file, recordsOf(frames, IDLE_NETWORK));
      const receive = await received(idle, frames.count, publish(broker, file));
      writeFileSync(file, recordsOf(frames, NETWORK));
      const perSecond = await stored(life.headEnd, watch, frames.count, publish(broker, file));
      return { perSecond, receive, open, ceilingPerSecond: 1 / (1 / receive + 1 / open) };
    });
    await idle.client.endAsync();
    const storedRows = await endAndVerify(life, folder, meters);
    const [receivePerSecond, openPerSecond] = ['receive', 'open'].map((name) =>
      Math.round(median(rounds.map((round) => round[name]))),
    );
    return { ...figures(rounds), receivePerSecond, openPerSecond, frames: sent, storedRows };
  } finally {
    await broker.end();
  }
}

/** A client that reads the messages of the idle network and does nothing with them. */
async function idleReceiver(broker) {
  const client = connect(broker.url, { clean: true, reconnectPeriod: 0 });
  await once(client, 'connect');
  await client.subscribeAsync(`wattmesh/${IDLE_NETWORK}/+/up`, { qos: 1 });
  const idle = { client, count: 0, startMs: undefined };
  client.on('message', () => {
    idle.startMs ??= performance.now();
    idle.count++;
  });
  return idle;
}

async function received(idle, count, publishing) {
  idle.count = 0;
  idle.startMs = undefined;
  await until(() => idle.count >= count, 'receiving');
  const done = rate(count, idle.startMs);
  await publishing;
  return done;
}

/** Notes when a link hands over its first envelope after `startMs` was cleared. */
function watchFirst(link) {
  const watch = { startMs: undefined };
  const open = link.open.bind(link);
  link.open = (handler) => {
    const envelope = (gateway, bytes) => {
      watch.startMs ??= performance.now();
      handler.envelope(gateway, bytes);
    };
    return open({ ...handler, envelope });
  };
  return watch;
}

/** From the first message to the last commit. */
async function stored(headEnd, watch, count, publishing) {
  const before = headEnd.state().stored;
  watch.startMs = undefined;
  await until(() => headEnd.state().stored - before >= count, 'storing');
  const done = rate(count, watch.startMs);
  await publishing;
  return done;
}

async function publish({ port }, file) {
  const child = spawn(process.execPath, [PUBLISHER, String(port), file, String(WINDOW)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error('the publisher failed: see its message above');
}

/** What the publisher reads: lengths of topic and payload, u16 each, then both. */
function recordsOf(frames, network) {
  const records = [];
  for (let index = 0; index < frames.count; index++) {
    const topic = Buffer.from(`wattmesh/${network}/${frames.gateway(index)}/up`);
    const envelope = frames.envelope(index);
    const head = Buffer.alloc(4);
    head.writeUInt16LE(topic.length);
    head.writeUInt16LE(envelope.length, 2);
    records.push(head, topic, envelope);
  }
  return Buffer.concat(records);
}
