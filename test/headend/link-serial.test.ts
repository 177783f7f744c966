import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SerialPort } from 'serialport';
import { ManualClock, systemClock } from '../../nodes/headend/clock.ts';
import { reasonOf } from '../../nodes/headend/errors.ts';
import { encodeSlip } from '../../nodes/headend/frame/slip.ts';
import { BACKOFF_MAX_MS } from '../../nodes/headend/link/backoff.ts';
import {
  listPorts,
  SerialLink,
  type SerialPortLike,
  type SerialSettings,
  WRITE_QUEUE_BYTES_MAX,
} from '../../nodes/headend/link/serial.ts';
import { LinkRecorder } from '../support/link-recorder.ts';
import { PtyPair } from '../support/pty.ts';
import { needTool } from '../support/tools.ts';

/** A port whose every event the test decides. */
class FakePort implements SerialPortLike {
  isOpen = false;
  readonly written: Uint8Array[] = [];
  readonly #listeners = new Map<string, (argument: never) => void>();
  #opened: ((error: Error | null) => void) | undefined;
  #writes: ((error?: Error | null) => void)[] = [];

  open(callback: (error: Error | null) => void): void {
    this.#opened = callback;
  }

  write(bytes: Uint8Array, callback: (error?: Error | null) => void): boolean {
    this.written.push(bytes);
    this.#writes.push(callback);
    return true;
  }

  close(callback: (error: Error | null) => void): void {
    this.isOpen = false;
    callback(null);
    this.emit('close', null);
  }

  on(event: string, listener: (argument: never) => void): void {
    this.#listeners.set(event, listener);
  }

  emit(event: string, argument: unknown): void {
    this.#listeners.get(event)?.(argument as never);
  }

  finishOpen(error: Error | null = null): void {
    this.isOpen = !error;
    this.#opened?.(error);
  }

  finishWrites(error?: Error): void {
    for (const callback of this.#writes.splice(0)) callback(error);
  }
}

function fakeLink(settings: Partial<SerialSettings> = {}) {
  const clock = new ManualClock();
  const ports: FakePort[] = [];
  const open = (): SerialPortLike => {
    const port = new FakePort();
    ports.push(port);
    return port;
  };
  const link = new SerialLink({ path: '/dev/ttyUSB7', baudRate: 115_200, clock, random: () => 1, open, ...settings });
  const newest = (): FakePort => ports.at(-1) as FakePort;
  return { clock, ports, link, newest, told: new LinkRecorder() };
}

describe('serial link on a scripted port', () => {
  it('names the gateway after the port', async () => {
    for (const [path, gateway] of [
      ['/dev/ttyUSB7', 'ttyUSB7'],
      ['\\\\.\\COM12', 'COM12'],
      ['COM3', 'COM3'],
      ['/dev/', 'serial'],
    ]) {
      const { link, newest, told } = fakeLink({ path: path as string });
      await link.open(told);
      newest().finishOpen();
      newest().emit('data', encodeSlip(Uint8Array.of(1)));
      assert.equal(told.envelopes[0]?.gateway, gateway);
    }
  });

  it('opens again and again, waiting longer, and says why', async () => {
    const { clock, ports, link, newest, told } = fakeLink();
    await link.open(told);
    for (const waitMs of [500, 1_000, 2_000]) {
      newest().finishOpen(new Error('Error: No such file or directory, cannot open /dev/ttyUSB7'));
      assert.equal(told.reason, 'linkClosed');
      assert.match(told.last?.detail ?? '', /ttyUSB7: there is no such port.*next try in/);
      const before = ports.length;
      clock.advance(waitMs - 1);
      assert.equal(ports.length, before);
      clock.advance(1);
      assert.equal(ports.length, before + 1);
    }
    newest().finishOpen();
    assert.deepEqual(told.last, { up: true, detail: '/dev/ttyUSB7 open at 115200 baud' });
  });

  it('tells permission, foreign lock and the rest apart', async () => {
    const { clock, link, newest, told } = fakeLink();
    await link.open(told);
    for (const [message, text] of [
      ['Error: Permission denied, cannot open /dev/ttyUSB7', /group that owns .*dialout/],
      ['Error Resource temporarily unavailable Cannot lock port', /another program holds it/],
      ['Error: strange', /cannot be opened \(Error: strange\)/],
    ] as const) {
      newest().finishOpen(new Error(message));
      assert.match(told.last?.detail ?? '', text);
      clock.advance(BACKOFF_MAX_MS);
    }
  });

  it('re-opens after an error, a vanished port and a failed write, once each', async () => {
    const { clock, ports, link, newest, told } = fakeLink();
    await link.open(told);
    for (const fail of [
      (port: FakePort) => port.emit('error', new Error('framing')),
      (port: FakePort) => port.emit('close', Object.assign(new Error('gone'), { disconnected: true })),
      (port: FakePort) => port.finishWrites(new Error('EIO')),
    ]) {
      const port = newest();
      port.finishOpen();
      assert.equal(link.send('ttyUSB7', Uint8Array.of(1)), true);
      const states = told.states.length;
      fail(port);
      port.emit('error', new Error('late'));
      port.emit('close', null);
      port.emit('data', encodeSlip(Uint8Array.of(1)));
      assert.equal(told.states.length, states + 1);
      assert.equal(told.reason, 'linkClosed');
      assert.equal(link.send('ttyUSB7', Uint8Array.of(1)), false);
      clock.advance(BACKOFF_MAX_MS);
    }
    assert.equal(ports.length, 4);
    assert.deepEqual(told.envelopes, []);
  });

  it('counts the frame that a vanishing port cut off, and starts the next one clean', async () => {
    const { clock, link, newest, told } = fakeLink();
    await link.open(told);
    newest().finishOpen();
    newest().emit('data', encodeSlip(new Uint8Array(20)).subarray(0, 10));
    newest().emit('close', new Error('gone'));
    clock.advance(BACKOFF_MAX_MS);
    newest().finishOpen();
    newest().emit('data', encodeSlip(Uint8Array.of(7)).subarray(1));
    assert.deepEqual(told.faults, [{ gateway: 'ttyUSB7', reason: 'truncated', length: 9 }]);
    assert.deepEqual(told.envelopes, [{ gateway: 'ttyUSB7', bytes: Uint8Array.of(7) }]);
  });

  it('refuses to send on a closed port and beyond its queue', async () => {
    const { link, newest, told } = fakeLink();
    const envelope = new Uint8Array(500).fill(1);
    assert.equal(link.send('ttyUSB7', envelope), false);
    await link.open(told);
    assert.equal(link.send('ttyUSB7', envelope), false);
    newest().finishOpen();
    const lineBytes = encodeSlip(envelope).length;
    let taken = 0;
    while (taken < 1_000 && link.send('ttyUSB7', envelope)) taken++;
    assert.equal(taken, Math.floor(WRITE_QUEUE_BYTES_MAX / lineBytes));
    assert.deepEqual(Buffer.from(newest().written[0] ?? []), Buffer.from(encodeSlip(envelope)));
    newest().finishWrites();
    assert.equal(link.send('ttyUSB7', envelope), true);
    newest().isOpen = false;
    assert.equal(link.send('ttyUSB7', envelope), false);
    assert.throws(
      () => link.send('ttyUSB7', new Uint8Array()),
      (error) => reasonOf(error) === 'truncated',
    );
  });

  it('refuses settings that can never work', async () => {
    for (const settings of [{ path: ' ' }, { baudRate: 9_600 as 115_200 }]) {
      const { link, told } = fakeLink(settings);
      await assert.rejects(link.open(told), (error) => reasonOf(error) === 'badConfig');
    }
  });

  it('leaves nothing after close, whatever it was doing', async () => {
    const idle = fakeLink();
    await idle.link.close();

    const opening = fakeLink();
    await opening.link.open(opening.told);
    const closed = opening.link.close();
    opening.newest().finishOpen();
    await closed;
    assert.equal(opening.newest().isOpen, false);

    const waiting = fakeLink();
    await waiting.link.open(waiting.told);
    waiting.newest().finishOpen(new Error('no'));
    await waiting.link.close();
    waiting.clock.advance(BACKOFF_MAX_MS);
    assert.equal(waiting.ports.length, 1);

    const open = fakeLink();
    await open.link.open(open.told);
    open.newest().finishOpen();
    const told = open.told.states.length;
    await open.link.close();
    open.newest().emit('error', new Error('late'));
    open.newest().emit('data', encodeSlip(Uint8Array.of(1)));
    assert.equal(open.newest().isOpen, false);
    assert.equal(open.told.states.length, told);
    assert.deepEqual(open.told.envelopes, []);
    assert.deepEqual(opening.told.states, []);
  });
});

describe('serial link on a pseudo terminal', () => {
  let pair: PtyPair;
  let link: SerialLink;
  let told: LinkRecorder;

  before(function () {
    needTool(this, 'socat');
  });

  beforeEach(async () => {
    pair = await PtyPair.start();
    told = new LinkRecorder();
  });

  afterEach(async () => {
    await link?.close();
    await pair?.remove();
  });

  it('carries envelopes both ways at both rates', async () => {
    for (const baudRate of [115_200, 921_600] as const) {
      link = new SerialLink({ path: pair.host, baudRate, clock: systemClock });
      const device = new SerialLink({ path: pair.device, baudRate, clock: systemClock });
      const deviceTold = new LinkRecorder();
      await Promise.all([link.open(told), device.open(deviceTold)]);
      await told.until('the host port', ({ last }) => last?.up === true);
      await deviceTold.until('the device port', ({ last }) => last?.up === true);
      const envelope = Uint8Array.from({ length: 512 }, (_, index) => index & 0xff);
      assert.equal(link.send('host', envelope), true);
      assert.equal(device.send('device', envelope), true);
      await told.until('the envelope up', ({ envelopes }) => envelopes.length === 1);
      await deviceTold.until('the envelope down', ({ envelopes }) => envelopes.length === 1);
      assert.deepEqual(told.envelopes.pop(), { gateway: 'host', bytes: envelope });
      assert.deepEqual(deviceTold.envelopes, [{ gateway: 'device', bytes: envelope }]);
      await Promise.all([link.close(), device.close()]);
    }
    assert.deepEqual(told.faults, []);
  });

  it('survives the cable being pulled and put back', async () => {
    const clock = new ManualClock();
    link = new SerialLink({ path: pair.host, baudRate: 115_200, clock });
    await link.open(told);
    await told.until('the port', ({ last }) => last?.up === true);
    await pair.pull();
    await told.until('the loss', ({ last }) => last?.up === false);
    assert.match(told.last?.detail ?? '', /the port has vanished; next try in/);
    assert.equal(link.send('host', Uint8Array.of(1)), false);
    for (let attempt = 0; attempt < 3; attempt++) {
      const states = told.states.length;
      clock.advance(BACKOFF_MAX_MS);
      await told.until('a failed attempt', () => told.states.length > states);
      assert.match(told.last?.detail ?? '', /there is no such port/);
    }
    await pair.plug();
    clock.advance(BACKOFF_MAX_MS);
    await told.until('the port again', ({ last }) => last?.up === true);
    const device = new SerialPort({ path: pair.device, baudRate: 115_200 });
    device.write(encodeSlip(Uint8Array.of(1, 2, 3)));
    await told.until('an envelope', ({ envelopes }) => envelopes.length === 1);
    await new Promise((resolve) => device.close(resolve));
  });

  it('finds the envelope behind 10 MB of garbage', async function () {
    this.timeout(60_000);
    link = new SerialLink({ path: pair.host, baudRate: 921_600, clock: systemClock });
    await link.open(told);
    await told.until('the port', ({ last }) => last?.up === true);
    const device = new SerialPort({ path: pair.device, baudRate: 921_600 });
    // A multiplicative sequence: every byte value, END and ESC included, without the pattern of a frame.
    const garbage = Uint8Array.from(
      { length: 10_000_000 },
      (_, index) => (Math.imul(index, 2_654_435_761) >>> 13) & 0xff,
    );
    const written = new Promise((resolve) => device.write(garbage, resolve));
    await written;
    device.write(encodeSlip(Uint8Array.of(42)));
    await told.until('the envelope', ({ envelopes }) => envelopes.length > 0);
    assert.deepEqual(told.envelopes, [{ gateway: 'host', bytes: Uint8Array.of(42) }]);
    assert.ok(told.faults.length > 1_000);
    assert.equal(told.last?.up, true);
    await new Promise((resolve) => device.close(resolve));
  });
});

describe('serial driver', () => {
  it('is asked for by name where it is absent', () => {
    const source = new URL('../../nodes/headend/link/serial.js', import.meta.url).href;
    const hook =
      'export const resolve = (name, context, next) => name === "serialport" ? Promise.reject(new Error()) : next(name, context);';
    const script = `
      import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}));
      const { SerialLink, listPorts } = await import(${JSON.stringify(source)});
      const link = new SerialLink({ path: '/dev/ttyUSB0', baudRate: 115200, clock: {} });
      await link.open({}).catch((error) => console.log(error.reason, error.message));
      console.log(Array.isArray(await listPorts()));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.match(stdout, /^noDriver .*npm install serialport.*\ntrue\n$/, stderr);
  });

  it('lists ports with what is known of them', async () => {
    const facts = [
      { path: '/dev/ttyUSB0', manufacturer: 'Silicon Labs', serialNumber: '0001' },
      { path: '/dev/ttyS0' },
    ];
    assert.deepEqual(await listPorts(async () => facts), [
      { path: '/dev/ttyUSB0', label: '/dev/ttyUSB0 (Silicon Labs 0001)' },
      { path: '/dev/ttyS0', label: '/dev/ttyS0' },
    ]);
  });

  it('falls back to the names of device files where udev is missing', async () => {
    const devices = mkdtempSync(join(tmpdir(), 'wattmesh-dev-'));
    const noUdev = (): Promise<never> => Promise.reject(new Error('spawn udevadm ENOENT'));
    try {
      assert.deepEqual(await listPorts(noUdev, join(devices, 'absent')), []);
      mkdirSync(join(devices, 'serial', 'by-id'), { recursive: true });
      for (const name of ['ttyUSB1', 'ttyACM0', 'tty1', 'ttyS0', 'ttyUSB', 'null', 'serial/by-id/usb-gateway']) {
        writeFileSync(join(devices, name), '');
      }
      assert.deepEqual(
        (await listPorts(noUdev, devices)).map(({ path }) => path.slice(devices.length)),
        ['/serial/by-id/usb-gateway', '/ttyACM0', '/ttyUSB1'],
      );
    } finally {
      rmSync(devices, { recursive: true });
    }
    assert.ok(Array.isArray(await listPorts()));
  });
});
