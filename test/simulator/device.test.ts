import assert from 'node:assert/strict';
import { Device } from '../../firmware/simulator/device.ts';
import { DeviceClock } from '../../firmware/simulator/device-clock.ts';
import type { DeviceConfig } from '../../firmware/simulator/device-config.ts';
import { PowerCut } from '../../firmware/simulator/flash.ts';
import type { InputSample } from '../../firmware/simulator/input-sample.ts';
import { LinkTable } from '../../firmware/simulator/radio/links.ts';
import { Radio } from '../../firmware/simulator/radio/radio.ts';
import { Random } from '../../firmware/simulator/random.ts';
import type { ClockErrors } from '../../firmware/simulator/scenario.ts';
import { Schedule } from '../../firmware/simulator/schedule.ts';
import type { Trace } from '../../firmware/simulator/trace.ts';
import { Reader, toHex, Writer } from '../../nodes/headend/bytes.ts';
import { reasonOf } from '../../nodes/headend/errors.ts';
import { SUITE_RSA } from '../../nodes/headend/frame/packet.ts';
import { type Call, type FakeInstance, fakeFirmware, SCRATCH, type Script } from './fake-firmware.ts';

const TRUE_TIME: ClockErrors = { crystalPpm: 0, rcPercent: 0, callbackJitterMs: 0 };
const NEVER = Number.POSITIVE_INFINITY;

const CONFIG: DeviceConfig = {
  id: 'm1',
  role: 'meter',
  energy: 'mains',
  mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  networkNumber: 0x01020304,
  keyId: 3,
  networkKey: new Uint8Array(16).fill(0x5a),
  localHubId: 0,
  intervalS: 900,
  pollCycleS: 60,
  serialHost: false,
};

/** Two devices a (index 0) and b that hear each other, running a script. */
class Bench {
  readonly schedule = new Schedule();
  readonly radio: Radio;
  readonly traces: Trace[] = [];
  readonly host: string[] = [];
  readonly instances: FakeInstance[];
  readonly devices: Device[];
  powerLost = 0;
  sample: InputSample | undefined;

  constructor(script: Script, config: Partial<DeviceConfig> = {}, errors?: Partial<ClockErrors>) {
    const links = new LinkTable(
      ['m1', 'm2'],
      [
        { from: 'm1', to: 'm2', prr: 1, rssi: -60 },
        { from: 'm2', to: 'm1', prr: 1, rssi: -61 },
      ],
    );
    const radioConfig = { interferencePrr: 0, captureDb: null, macRetries: 3, burst: { meanBadS: 0, meanGoodS: 0 } };
    this.radio = new Radio(this.schedule, new Random(1), radioConfig, links);
    const { firmware, instances } = fakeFirmware(script);
    this.instances = instances;
    this.devices = ['m1', 'm2'].map((id, index) => {
      const own = { ...CONFIG, ...config, id, mac: Uint8Array.of(2, 0, 0, 0, 0, index + 1) };
      return new Device(own, {
        firmware,
        schedule: this.schedule,
        radio: this.radio,
        random: new Random(id),
        ...(errors ? { clock: new DeviceClock({ ...TRUE_TIME, ...errors }, own.energy, new Random(id)) } : {}),
        seed: '42',
        registers: () => this.sample,
        toHost: (bytes) => this.host.push(toHex(bytes)),
        traced: (trace) => this.traces.push(trace),
        powerLost: () => {
          this.powerLost++;
        },
      });
    });
  }

  get a(): Device {
    return this.devices[0] as Device;
  }

  get b(): Device {
    return this.devices[1] as Device;
  }

  calls(instance = 0): Call[] {
    return (this.instances[instance] as FakeInstance).calls;
  }
}

const idle: Script = () => NEVER;

describe('simulated device', () => {
  it('boots its firmware with the configuration', () => {
    const bench = new Bench(idle, { role: 'hub', localHubId: 7, energy: 'backup' });
    bench.schedule.run(5_000);
    bench.a.powerOn('watchdog');
    const [boot] = bench.calls();
    assert.ok(boot?.kind === 'boot');
    assert.equal(boot.nowUs, 0);
    const reader = new Reader(boot.io);
    assert.deepEqual([reader.u8(), reader.u8()], [2, 1]);
    assert.equal(toHex(reader.bytes(6)), '020000000001');
    assert.deepEqual([reader.u32(), reader.u8()], [0x01020304, 3]);
    assert.equal(toHex(reader.bytes(16)), '5a'.repeat(16));
    assert.deepEqual([reader.u16(), reader.u16(), reader.u16(), reader.u16()], [7, 900, 60, 9]);
    assert.deepEqual([reader.u8(), reader.u8(), reader.u32()], [4, 0, (2 + 17) * 4096]);
    assert.equal(toHex(reader.rest()), '00'.repeat(1 + 32 + 32 + 256));
  });

  it('boots its firmware with the keys of its suite', () => {
    const [headEndKey, psk] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const rsaModulus = new Uint8Array(256).fill(3);
    const bench = new Bench(idle, { security: { suite: SUITE_RSA, headEndKey, psk, rsaModulus } });
    bench.a.powerOn();
    const [boot] = bench.calls();
    assert.ok(boot?.kind === 'boot');
    const keys = `10${toHex(headEndKey)}${toHex(psk)}${toHex(rsaModulus)}`;
    assert.equal(toHex(boot.io.slice(-keys.length / 2)), keys);
  });

  it('says that a battery leaf does not route', () => {
    const bench = new Bench(idle, { energy: 'battery' });
    bench.a.powerOn();
    const [boot] = bench.calls();
    assert.ok(boot?.kind === 'boot');
    assert.equal(new DataView(boot.io.buffer, boot.io.byteOffset).getUint16(35, true), 12);
  });

  it('ticks when the firmware wants it, in time since its boot', () => {
    const bench = new Bench((call) => (call.kind === 'tick' && call.nowUs >= 3_000 ? NEVER : call.nowUs + 1_500));
    bench.schedule.run(1_000_000);
    bench.a.powerOn();
    bench.schedule.run(2_000_000);
    assert.deepEqual(
      bench.calls().map((call) => [call.kind, call.nowUs]),
      [
        ['boot', 0],
        ['tick', 1_500],
        ['tick', 3_000],
      ],
    );
  });

  it('counts time with its own clock', () => {
    const bench = new Bench(
      (call) => (call.kind === 'boot' ? 1_000_000 : NEVER),
      { energy: 'battery' },
      { rcPercent: 5 },
    );
    bench.a.powerOn();
    const trueUs: number[] = [];
    while (bench.schedule.step()) trueUs.push(bench.schedule.nowUs);
    const [, tick] = bench.calls();
    assert.equal(trueUs.length, 1);
    assert.notEqual(trueUs[0], 1_000_000);
    assert.ok(Math.abs((trueUs[0] as number) - 1_000_000) <= 53_000);
    assert.ok(tick?.kind === 'tick' && tick.nowUs >= 1_000_000 && tick.nowUs <= 1_000_001);
  });

  it('learns of its radio a little late, in order, and not at all after a power-off', () => {
    const bench = new Bench(idle, {}, { callbackJitterMs: 2 });
    for (const device of bench.devices) device.powerOn();
    const sentUs: number[] = [];
    for (let frame = 0; frame < 50; frame++) {
      bench.schedule.run(frame * 1000);
      bench.radio.send('m1', bench.b.mac, Uint8Array.of(frame));
      sentUs.push(frame * 1000);
    }
    bench.schedule.run(49_900);
    bench.b.powerOff();
    bench.schedule.run(1_000_000);
    const heard = bench
      .calls(1)
      .flatMap((call) => (call.kind === 'receive' ? [[call.io[12] as number, call.nowUs]] : []));
    assert.deepEqual(
      heard.map(([frame]) => frame),
      [...heard.map(([frame]) => frame)].sort((a = 0, b = 0) => a - b),
    );
    const delays = heard.map(([frame = 0, nowUs = 0]) => nowUs - (sentUs[frame] as number) - 50 - 192 - 8 * 44);
    assert.ok(Math.min(...delays) >= 0 && Math.max(...delays) > 1000, `${delays}`);
    assert.ok(heard.length < 50 && heard.length > 20, `${heard.length}`);
  });

  it('takes the clock of the firmware at its end for never', () => {
    const bench = new Bench(() => 2 ** 64);
    bench.a.powerOn();
    assert.equal(bench.schedule.pending, 0);
  });

  it('moves its tick when another call wants it earlier', () => {
    const bench = new Bench((call) => (call.kind === 'boot' ? 10_000 : call.kind === 'host' ? 4_000 : NEVER));
    bench.a.powerOn();
    bench.schedule.run(1_000);
    bench.a.hostBytes(Uint8Array.of(9, 8));
    bench.schedule.run(20_000);
    assert.deepEqual(
      bench.calls().map((call) => [call.kind, call.nowUs]),
      [
        ['boot', 0],
        ['host', 1_000],
        ['tick', 4_000],
      ],
    );
    const host = bench.calls()[1];
    assert.ok(host?.kind === 'host');
    assert.deepEqual([...host.io], [9, 8]);
  });

  it('sends and receives frames with addresses and signal strength', () => {
    const bench = new Bench((call, device) => {
      if (call.kind !== 'boot' || call.io[7] !== 1) return NEVER;
      device.bytes.set([2, 0, 0, 0, 0, 2, 0xaa, 0xbb], SCRATCH);
      assert.equal(device.imports.radio_send(SCRATCH, SCRATCH + 6, 2), 1);
      assert.equal(device.imports.radio_send(SCRATCH, SCRATCH + 6, 2), 0, 'one frame at a time');
      return NEVER;
    });
    bench.b.powerOn();
    bench.a.powerOn();
    bench.schedule.run(100_000);
    const received = bench.calls(0)[1];
    assert.ok(received?.kind === 'receive');
    assert.equal(toHex(received.io), '020000000001020000000002aabb');
    assert.equal(received.rssiDbm, -60);
    assert.deepEqual(
      bench.calls(1).map((call) => call.kind === 'sent' && call.ok),
      [false, true],
    );
  });

  it('keeps its flash over a power-off, and nothing else', () => {
    const bench = new Bench((call, device) => {
      device.bytes.set([0x12, 0x34], SCRATCH);
      if (call.kind === 'boot') device.imports.nv_read(0, SCRATCH, 2);
      if (call.kind === 'tick') device.imports.nv_write(0, SCRATCH, 2);
      return call.kind === 'boot' ? 500 : NEVER;
    });
    bench.a.powerOn();
    assert.equal(toHex((bench.instances[0] as FakeInstance).bytes.slice(SCRATCH, SCRATCH + 2)), 'ffff');
    bench.schedule.run(1_000);
    bench.a.powerOff();
    assert.equal(bench.a.on, false);
    assert.equal(bench.a.state(), undefined);
    bench.a.hostBytes(Uint8Array.of(1));
    bench.a.powerOn();
    assert.equal(bench.instances.length, 2);
    assert.equal(toHex((bench.instances[1] as FakeInstance).bytes.slice(SCRATCH, SCRATCH + 2)), '1234');
    assert.deepEqual(
      bench.calls(0).map((call) => call.kind),
      ['boot', 'tick'],
    );
  });

  it('goes off when power fails within a flash operation', () => {
    const bench = new Bench((call, device) => {
      if (call.kind === 'tick') device.imports.nv_write(0, SCRATCH, 4);
      return call.kind === 'boot' ? 500 : NEVER;
    });
    bench.a.flash.cutPowerAt(1, new Random(1));
    bench.a.powerOn();
    bench.schedule.run(1_000);
    assert.equal(bench.a.on, false);
    assert.equal(bench.powerLost, 1);
    assert.throws(() => {
      bench.a.flash.cutPowerAt(1, new Random(1));
      bench.a.flash.write(0, Uint8Array.of(1));
    }, PowerCut);
  });

  it('reports a trap with device, time and seed, and is off then', () => {
    const bench = new Bench((call) => {
      if (call.kind === 'tick') throw new WebAssembly.RuntimeError('unreachable');
      return 2_000_000;
    });
    bench.a.powerOn();
    assert.throws(
      () => bench.schedule.run(3_000_000),
      (error: Error) =>
        reasonOf(error) === 'firmwareTrap' && /m1 trapped at 2 s, seed 42: unreachable/.test(error.message),
    );
    assert.equal(bench.a.on, false);
  });

  it('reports a firmware that asks for ticks without time passing', () => {
    const bench = new Bench((call) => call.nowUs);
    bench.a.powerOn();
    assert.throws(
      () => bench.schedule.run(1),
      (error: Error) => reasonOf(error) === 'firmwareTrap',
    );
  });

  it('throws the error of a firmware that does not start', () => {
    const bench = new Bench(() => -402);
    assert.throws(
      () => bench.a.powerOn(),
      (error: Error) => reasonOf(error) === 'nvWrite',
    );
    assert.equal(bench.a.on, false);
  });

  it('lends registers, hash, random numbers, host bytes and traces', () => {
    const bench = new Bench((_call, device) => {
      const { imports, bytes } = device;
      assert.equal(imports.registers(SCRATCH), 1);
      imports.host_send(SCRATCH, 25);
      imports.random(SCRATCH, 8);
      assert.notEqual(toHex(bytes.slice(SCRATCH, SCRATCH + 8)), '00'.repeat(8));
      bytes.set(new TextEncoder().encode('abc'), SCRATCH);
      imports.sha256(SCRATCH, 3, SCRATCH + 8);
      assert.equal(toHex(bytes.slice(SCRATCH + 8, SCRATCH + 12)), 'ba7816bf');
      bytes.set(new Writer(5).u16(0x1234).u16(300).u8(2).finish(), SCRATCH);
      imports.trace(3, SCRATCH, 5);
      imports.trace(99, SCRATCH, 5);
      return NEVER;
    });
    const loads = {
      importDwh: 2 ** 40 + 5,
      exportDwh: 6,
      powerDw: -7,
      voltageDv: 2300,
      currentCa: 8,
      frequencyChz: 5000,
      powerFactorPct: 99,
    };
    bench.sample = { mask: 0x7d, ...loads };
    bench.a.powerOn();
    assert.deepEqual(bench.traces, [{ kind: 'parentChanged', parent: 0x1234, cost: 300, hops: 2 }]);
    assert.deepEqual(bench.host, [
      '7d00' + '050000000001' + '060000000000' + 'f9ffffff' + 'fc08' + '0800' + '8813' + '63',
    ]);
  });

  it('tells its state', () => {
    const bench = new Bench(idle);
    bench.a.powerOn();
    const writer = new Writer(64)
      .u16(0x11)
      .u16(0x8001)
      .u8(2)
      .u16(384)
      .u8(1)
      .u8(1)
      .u8(9)
      .bytes(Uint8Array.of(1, 2, 3, 4, 5, 6))
      .u16(3)
      .u16(4)
      .u16(5);
    for (let counter = 1; counter <= 7; counter++) writer.u32(counter);
    (bench.instances[0] as FakeInstance).state = writer.finish();
    assert.deepEqual(bench.a.state(), {
      ...{ shortId: 0x11, parentShort: 0x8001, hops: 2, cost: 384, attached: true, joined: true, session: 9 },
      ...{ nodeId: '010203040506', members: 3, queue: 4, spooled: 5 },
      counters: { framesReceived: 1, framesSent: 2, sendsFailed: 3, badMac: 4, replays: 5, malformed: 6, queueFull: 7 },
    });
  });
});
