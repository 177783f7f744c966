import assert from 'node:assert/strict';
import { Mosquitto } from '../support/mosquitto.ts';
import { freePort } from '../support/node-red.ts';
import { PtyPair } from '../support/pty.ts';
import { needTool } from '../support/tools.ts';
import { Bench, eventually, NETWORK_NODE, TAB } from './bench.ts';
import { GARBAGE_BYTES, garbageEnvelopes, garbageStream } from './garbage.ts';
import { assertStoredExactlyOnce, assertTold } from './judge.ts';
import { METERS } from './mesh.ts';
import { MqttGateway } from './mqtt-gateway.ts';
import { SerialGateway } from './serial-gateway.ts';
import { TcpGateway } from './tcp-gateway.ts';

const MIB = 1024 * 1024;
/** What the process may grow by while it is flooded with 10 MB, MiB: V8 collects garbage in its own time. */
const GROWTH_MIB_MAX = 60;
/** What may be left of a flood once V8 has collected its garbage, MiB: nothing but compiled code and a few more readings. */
const KEPT_MIB_MAX = 4;
/** Simulated seconds before and after the flood. */
const BEFORE_S = 60;
const AFTER_S = 60;
/** Looked at this often in a flood: pieces. */
const PIECES_PER_LOOK = 100;

/** What a connected gateway offers: the way for a flood beside its own bytes. */
interface Line {
  send(bytes: Uint8Array): Promise<void>;
}

interface Flood {
  readonly bench: Bench;
  readonly line: Line;
  readonly garbage: (genuine: () => Uint8Array) => Iterable<Uint8Array>;
  /** The node whose badge counts what was dropped, and the least that it must have counted. */
  readonly counter: string;
  readonly droppedMin: number;
}

/**
 * Floods a running mesh's line: what the mesh measures before, during and after must arrive all the same, memory must stay, and what was
 * dropped must be counted.
 */
async function survive({ bench, line, garbage, counter, droppedMin }: Flood): Promise<void> {
  const { mesh, outlet } = bench;
  let genuine: Uint8Array = new Uint8Array(0);
  mesh.world.gateway.onHostBytes((bytes) => {
    genuine = bytes;
  });
  await mesh.pass(BEFORE_S);
  await eventually('the first readings', () => outlet.messages().length >= METERS.length);

  const needed = await bench.memoryBytes('live');
  const resting = await bench.memoryBytes('resident');
  let most = resting;
  let pieces = 0;
  let bytes = 0;
  for (const piece of garbage(() => genuine)) {
    await line.send(piece);
    bytes += piece.length;
    if (pieces++ % PIECES_PER_LOOK === 0) most = Math.max(most, await bench.memoryBytes('resident'));
  }
  const toldInFlood = outlet.messages().length;
  await mesh.pass(AFTER_S);
  most = Math.max(most, await bench.memoryBytes('resident'));
  await bench.drain();
  const kept = (await bench.memoryBytes('live')) - needed;
  const dropped = droppedCount(outlet.badges(counter));
  const { measured, stored } = await bench.finish();

  assert.ok(bytes >= GARBAGE_BYTES, `only ${bytes} bytes of garbage were sent`);
  assert.ok(outlet.messages().length > toldInFlood, 'no reading came after the garbage');
  assertStoredExactlyOnce(measured, stored);
  assertTold(measured, outlet.messages());
  assert.ok(most - resting <= GROWTH_MIB_MAX * MIB, `the process grew by ${(most - resting) / MIB} MiB`);
  assert.ok(kept <= KEPT_MIB_MAX * MIB, `the process keeps ${kept / MIB} MiB`);
  assert.ok(dropped >= droppedMin, `the badge counts ${dropped} dropped, not ${droppedMin}: ${outlet.badges(counter)}`);
}

/** The largest number of dropped pieces that a badge has shown: `62/min, 41k bad`. */
function droppedCount(badges: readonly string[]): number {
  const counts = badges.map((text) => {
    const [, digits = '0', unit] = /(\d+)(k?) bad/.exec(text) ?? [];
    return Number(digits) * (unit === 'k' ? 1000 : 1);
  });
  return Math.max(0, ...counts);
}

describe('acceptance: garbage', function () {
  this.timeout(120_000);
  this.slow(30_000);

  /** What the present test has opened, closed in the opposite order. */
  const open: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });

  async function startBench(options: Parameters<typeof Bench.start>[0]): Promise<Bench> {
    const bench = await Bench.start(options);
    open.push(() => bench.remove());
    return bench;
  }

  it('10 MB on a serial line', async function () {
    if (!needTool(this, 'socat')) return;
    const cable = await PtyPair.start();
    open.push(() => cable.remove());
    const connection = { connection: 'serial', port: cable.host, baudRate: 115_200 };
    const bench = await startBench({ connection, serialHost: true });
    const line = new SerialGateway(bench.mesh, cable.device);
    await line.open();
    open.push(() => line.close());
    await survive({ bench, line, garbage: garbageStream, counter: 'readings', droppedMin: 10_000 });
  });

  it('10 MB through a broker', async function () {
    if (!needTool(this, 'mosquitto')) return;
    const broker = await Mosquitto.start();
    open.push(() => broker.remove());
    const connection = { connection: 'mqtt', broker: '127.0.0.1', brokerPort: String(broker.port) };
    const bench = await startBench({ connection, serialHost: false });
    const line = new MqttGateway(bench.mesh, broker.url);
    open.push(() => line.close());
    await survive({ bench, line, garbage: garbageEnvelopes, counter: 'readings', droppedMin: 2_000 });
  });

  it('10 MB into wattmesh-decode', async () => {
    const ports = { up: await freePort(), down: await freePort() };
    const bench = await startBench({ connection: { connection: 'flow' }, serialHost: true, flow: decodeFlow(ports) });
    const line = await TcpGateway.connect(bench.mesh, ports);
    open.push(() => line.close());
    await survive({ bench, line, garbage: garbageStream, counter: 'decode', droppedMin: 10_000 });
  });
});

/** A serial server's byte stream through core nodes: in by one TCP port, answers out by another. */
function decodeFlow({ up, down }: { up: number; down: number }): object[] {
  const tcp = { z: TAB, host: '' };
  const stream = { datamode: 'stream', datatype: 'buffer', newline: '', topic: '' };
  const decode = { id: 'decode', type: 'wattmesh-decode', z: TAB, network: NETWORK_NODE, mode: 'stream' };
  return [
    { ...tcp, id: 'up', type: 'tcp in', server: 'server', port: String(up), ...stream, wires: [['decode']] },
    { ...decode, wires: [['messages'], ['down']] },
    {
      ...tcp,
      id: 'down',
      type: 'tcp out',
      beserver: 'server',
      port: String(down),
      base64: false,
      end: false,
      wires: [],
    },
  ];
}
