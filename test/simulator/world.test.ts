import assert from 'node:assert/strict';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { GatewayLink, type GatewayPort } from '../../firmware/simulator/gateway-port.ts';
import { Random } from '../../firmware/simulator/random.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { World } from '../../firmware/simulator/world.ts';
import { encodeSlip, SlipDecoder } from '../../nodes/headend/frame/slip.ts';
import type { Link, LinkHandler } from '../../nodes/headend/link/link.ts';
import { HeadEndBench, NETWORK } from './head-end-bench.ts';

/** A gateway, a hub, and two meters, the second behind the first; everything every 10 s. */
function house(options: { serialHost?: boolean; seed?: number } = {}): World {
  const pairs = [
    ['gw', 'h1'],
    ['h1', 'm1'],
    ['m1', 'm2'],
  ];
  const scenario = parseScenario({
    durationS: 3600,
    nodes: [
      { id: 'gw', role: 'gateway' },
      { id: 'h1', role: 'hub' },
      { id: 'm1', role: 'meter' },
      { id: 'm2', role: 'meter' },
    ],
    links: pairs.flatMap(([from, to]) => [
      { from, to, prr: 0.9 },
      { from: to, to: from, prr: 0.9 },
    ]),
    mesh: { pollCycleS: 10 },
    reading: { intervalS: 10 },
  });
  const { seed = 1, serialHost = false } = options;
  return new World({ scenario, firmware: loadFirmware(), seed, network: NETWORK, serialHost });
}

/** The host's end of a serial cable. */
class Cable implements Link {
  readonly kind = 'serial';
  readonly #port: GatewayPort;
  #unplug: (() => void) | undefined;
  #handler: LinkHandler | undefined;

  constructor(port: GatewayPort) {
    this.#port = port;
  }

  async open(handler: LinkHandler): Promise<void> {
    this.#handler = handler;
    this.plug();
  }

  plug(): void {
    const decoder = new SlipDecoder({
      frame: (envelope) => this.#handler?.envelope('cable', envelope),
      bad: (reason, length) => this.#handler?.bad('cable', reason, length),
    });
    // Two bytes at a time, as a slow reader gets them.
    this.#unplug = this.#port.onHostBytes((bytes) => {
      for (let at = 0; at < bytes.length; at += 2) decoder.push(bytes.subarray(at, at + 2));
    });
  }

  pull(): void {
    this.#unplug?.();
    this.#unplug = undefined;
  }

  send(_gateway: string, envelope: Uint8Array): boolean {
    if (!this.#unplug) return false;
    this.#port.hostBytes(encodeSlip(envelope));
    return true;
  }

  async close(): Promise<void> {
    this.pull();
  }
}

describe('simulated world', function () {
  this.timeout(30_000);

  it('runs without a head-end: its gateway asks for one', () => {
    const world = house();
    const envelopes: Uint8Array[] = [];
    const stop = world.gateway.onHostBytes((bytes) => envelopes.push(bytes));
    world.run(12e6);
    assert.ok(envelopes.length >= 2, 'HELLO every 5 s');
    assert.ok(envelopes.every((bytes) => bytes[0] === 0x11));
    stop();
    world.run(30e6);
    assert.ok(envelopes.length <= 3, 'nothing is heard after the listener has gone');
    assert.equal(world.device('m1').state()?.joined, false);
  });

  it('brings a byte stream through a serial cable, also when it was pulled for a minute', async () => {
    const world = house({ serialHost: true });
    const cable = new Cable(world.gateway);
    const bench = new HeadEndBench(world, cable);
    await bench.headEnd.start();
    await bench.run(200);
    cable.pull();
    await bench.run(260);
    cable.plug();
    await bench.run(600);
    world.stopMeasuring();
    await bench.run(700);
    const { measured, stored, violations } = await bench.judge();
    assert.deepEqual(violations, []);
    assert.ok(measured >= 110, `${measured} rows`);
    assert.equal(stored, measured);
    // A handshake that was on its way when the cable went may arrive behind a later one.
    const { staleHandshake: _, ...errors } = bench.headEnd.state().errors;
    assert.deepEqual(errors, {});
  });

  it('carries bytes at the pace of the line, in order', () => {
    const world = house({ serialHost: true });
    world.run(3e6);
    const arrived: number[] = [];
    const gateway = world.device('gw');
    const original = gateway.hostBytes.bind(gateway);
    gateway.hostBytes = (bytes) => {
      arrived.push(bytes.length, world.schedule.nowUs - 3e6);
      original(bytes);
    };
    world.gateway.hostBytes(new Uint8Array(1500));
    world.gateway.hostBytes(new Uint8Array(100));
    world.run(4e6);
    assert.deepEqual(arrived, [1024, 88_889, 476, 130_209, 100, 138_890]);
  });

  it('keeps every promise while power fails again and again inside flash operations', async () => {
    for (const seed of [1, 2, 3]) {
      const world = house({ seed });
      const bench = new HeadEndBench(world, new GatewayLink(world.gateways));
      await bench.headEnd.start();
      const random = new Random(`cuts ${seed}`);
      let cuts = 0;
      world.observe({
        power: (node, on) => {
          if (on) world.device(node).flash.cutPowerAt(1 + random.int(10), random);
          else cuts++;
        },
      });
      await bench.run(900);
      world.observe({
        power: (node, on) => on && world.device(node).flash.cutPowerAt(Number.POSITIVE_INFINITY, random),
      });
      for (const { id, flash } of world.devices) {
        flash.cutPowerAt(Number.POSITIVE_INFINITY, random);
        world.powerOn(id);
      }
      await bench.run(1200);
      world.stopMeasuring();
      await bench.run(1500);
      const { measured, stored, violations } = await bench.judge();
      assert.deepEqual(violations, [], `seed ${seed}`);
      assert.ok(cuts > 10, `seed ${seed}: ${cuts} cuts`);
      assert.equal(stored, measured, `seed ${seed}`);
    }
  });

  it('cuts power for two seconds, and not for longer', () => {
    const world = house();
    world.run(5e6);
    world.apply({ atS: 5, kind: 'powerCut', node: 'm1' });
    assert.equal(world.device('m1').on, false);
    world.run(8e6);
    assert.equal(world.device('m1').on, true);
    world.apply({ atS: 8, kind: 'powerCut', node: 'm1' });
    world.apply({ atS: 8, kind: 'kill', node: 'm1' });
    world.run(12e6);
    assert.equal(world.device('m1').on, false, 'killed meanwhile');
    world.apply({ atS: 12, kind: 'revive', node: 'm1' });
    assert.equal(world.device('m1').on, true);
  });

  it('names a device that does not exist', () => {
    assert.throws(() => house().device('m9'), /no device is called m9/);
  });
});
