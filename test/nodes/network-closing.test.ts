import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { SerialPort } from 'serialport';
import { ManualClock, type Timer } from '../../nodes/headend/clock.ts';
import { encodeSlip, SlipDecoder } from '../../nodes/headend/frame/slip.ts';
import type { DeviceStatus } from '../../nodes/headend/messages.ts';
import { NetworkRuntime } from '../../nodes/wattmesh-network/runtime.ts';
import { migrateNetwork, readSettings } from '../../nodes/wattmesh-network/settings.ts';
import type { ScriptedNode } from '../headend/support/scripted-node.ts';
import { PtyPair } from '../support/pty.ts';
import { SECRETS } from '../support/secrets.ts';
import { needTool } from '../support/tools.ts';
import { helper, Log, load, NET, running, withNodeRed } from './support/bench.ts';
import { NETWORK, ScriptedGateway } from './support/scripted-gateway.ts';

/** A clock that knows how many of its timers are still to fire. */
class CountingClock extends ManualClock {
  readonly running = new Set<Timer>();

  override after(delayMs: number, callback: () => void): Timer {
    const timer = super.after(delayMs, () => {
      this.running.delete(counted);
      callback();
    });
    const counted: Timer = {
      cancel: () => {
        this.running.delete(counted);
        timer.cancel();
      },
    };
    this.running.add(counted);
    return counted;
  }
}

/** A network fed by a flow, on a store file and in a time that the test moves, with a gateway before it. */
class Bench {
  readonly clock: CountingClock;
  readonly gateway: ScriptedGateway;
  readonly runtime: NetworkRuntime;

  constructor(folder: string, startMs: number, meter?: ScriptedNode) {
    this.clock = new CountingClock(startMs);
    const stored = migrateNetwork({ version: 2, connection: 'flow', networkId: NETWORK, approval: 'everyone' });
    const settings = readSettings(stored, { credentials: SECRETS, tls: undefined, userDir: folder });
    const journal = { error: () => undefined, warn: () => undefined };
    this.runtime = new NetworkRuntime(settings, journal, this.clock);
    const feed = this.runtime.attachDecoder({
      reading: () => undefined,
      answer: (_gateway, envelope) => this.gateway.take(envelope),
    });
    const send = (envelope: Uint8Array): void => feed?.envelope('gw', envelope);
    this.gateway = new ScriptedGateway('gw', send, meter ? { meter } : {});
  }

  async start(): Promise<void> {
    this.runtime.deliver();
    await this.until('running');
    this.gateway.hello();
  }

  /** Resolves when the network is in a condition; the store works at the machine's pace. */
  async until(kind: string): Promise<void> {
    const condition = new Log();
    condition.add(this.runtime.condition());
    const end = this.runtime.onCondition((each) => condition.add(each));
    await condition.find(`a network that is ${kind}`, (each) => each.kind === kind);
    end();
  }

  /** Lets time pass until the meter's handshake is answered. */
  async answered(): Promise<void> {
    const joined = () => this.gateway.answers.some(({ type }) => type === 'down');
    for (let step = 0; step < 10_000 && !joined(); step++) {
      this.clock.advance(10);
      await turn();
    }
    assert.ok(joined(), 'the handshake was not answered');
  }
}

/** What keeps this process alive, but for what passes by itself: reads under way, Node-RED's own time-out for closing nodes. */
const resources = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => !['FSReqCallback', 'Immediate', 'Timeout'].includes(kind))
    .sort();

describe('a network that is closed in the midst of a handshake', function () {
  this.timeout(20_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wattmesh-closing-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('leaves no timer, answers nothing any more, and the meter joins the next time', async () => {
    const bench = new Bench(folder, Date.UTC(2026, 0, 1));
    await bench.start();
    bench.gateway.joinRequest();
    assert.ok(bench.clock.running.size > 0);
    await bench.runtime.stop();
    assert.equal(bench.clock.running.size, 0);
    const said = bench.gateway.answers.length;
    bench.gateway.joinRequest();
    bench.clock.advance(3_600_000);
    await turn();
    assert.equal(bench.gateway.answers.length, said);

    const next = new Bench(folder, bench.clock.nowMs() + 1000, bench.gateway.meter);
    await next.start();
    next.gateway.joinRequest();
    await next.answered();
    await next.runtime.stop();
    assert.equal(next.clock.running.size, 0);
  });

  it('leaves no timer when it is still starting, or starts in vain', async () => {
    const bench = new Bench(folder, Date.UTC(2026, 0, 1));
    bench.runtime.deliver();
    await bench.runtime.stop();
    assert.equal(bench.clock.running.size, 0);
    const [first, second] = [new Bench(folder, Date.UTC(2026, 0, 2)), new Bench(folder, Date.UTC(2026, 0, 2))];
    await first.start();
    second.runtime.deliver();
    await second.until('failed');
    await second.runtime.stop();
    assert.equal(second.clock.running.size, 0);
    await first.runtime.stop();
  });
});

describe('a serial network that is deployed anew in the midst of a handshake', function () {
  this.timeout(30_000);
  withNodeRed();
  let pair: PtyPair | undefined;

  before(async function () {
    if (!needTool(this, 'socat')) return;
    pair = await PtyPair.start();
  });
  after(() => pair?.remove());

  it('gives its port back, with nothing left open', async function () {
    if (!pair) return this.skip();
    const device = new SerialPort({ path: pair.device, baudRate: 115_200 });
    await once(device, 'open');
    const before = resources();
    const serial = { ...NET, connection: 'serial', port: pair.host, baudRate: 115_200 };
    for (const round of [1, 2]) {
      await load([serial]);
      await running();
      const gateway = new ScriptedGateway(`gw-${round}`, (envelope) => device.write(encodeSlip(envelope)));
      const lines = new SlipDecoder({ frame: (envelope) => gateway.take(envelope), bad: () => undefined });
      device.on('data', (bytes: Buffer) => lines.push(bytes));
      gateway.hello();
      await gateway.until('the answer to HELLO', ({ answers }) => answers.length > 0);
      const listed = new Log();
      helper.getNode('net').service.onDevices((devices: DeviceStatus[]) => listed.add(devices));
      gateway.joinRequest();
      await listed.find('the device that waits', (devices) => devices.length === 1);
      await helper.unload();
      device.removeAllListeners('data');
      assert.deepEqual(resources(), before, `round ${round}`);
    }
    const port = new SerialPort({ path: pair.host, baudRate: 115_200 });
    await once(port, 'open');
    await Promise.all([port, device].map((each) => new Promise((resolve) => each.close(resolve))));
  });
});
