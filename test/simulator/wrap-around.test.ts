import assert from 'node:assert/strict';
import type { Firmware, FirmwareImports } from '../../firmware/simulator/firmware.ts';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { readRecords } from '../../firmware/simulator/flash-records.ts';
import { GatewayLink } from '../../firmware/simulator/gateway-port.ts';
import { OLD_NUMBERS, RECORD } from '../../firmware/simulator/provision.ts';
import { Recorder } from '../../firmware/simulator/recorder.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { World } from '../../firmware/simulator/world.ts';
import { Reader } from '../../nodes/headend/bytes.ts';
import { decodeFrame, decodeFrameBody } from '../../nodes/headend/frame/radio.ts';
import { HeadEndBench, NETWORK } from './head-end-bench.ts';

/** Counters that come round. Those that end instead, and what a device does then, are attack 27 in test/attacks/clocks.test.ts. */

/** Draws of this length at the start give the first poll number, or other numbers that count from anywhere; little-endian. */
const DRAWS_OF_NUMBERS = [3, 4];
/** Numbers of 16 bits begin here: a few before they come round. */
const NEAR_END = [0xfa, 0xff];

/** The firmware, with a source of randomness that has numbers which begin anywhere begin near their end. */
function nearEnd(firmware: Firmware): Firmware {
  return {
    instantiate(imports: FirmwareImports) {
      let booting = false;
      const instance = firmware.instantiate({
        ...imports,
        random: (out = 0, length = 0) => {
          imports.random(out, length);
          if (booting && DRAWS_OF_NUMBERS.includes(length))
            new Uint8Array(instance.memory.buffer, out, length).set(NEAR_END);
        },
      });
      return {
        ...instance,
        wm_boot: (length, nowUs) => {
          booting = true;
          const next = instance.wm_boot(length, nowUs);
          booting = false;
          return next;
        },
      };
    },
  };
}

/** A gateway, a hub and two meters in a row, with numbers near their end. */
function world(changes: object, firmware = nearEnd(loadFirmware())): World {
  const ids = ['gw', 'h1', 'm1', 'm2'];
  const links = ids.slice(1).flatMap((id, index) => [
    { from: id, to: ids[index], prr: 0.9 },
    { from: ids[index], to: id, prr: 0.9 },
  ]);
  const roles: Record<string, string> = { g: 'gateway', h: 'hub', m: 'meter' };
  const nodes = ids.map((id) => ({ id, role: roles[id.charAt(0)] }));
  const scenario = parseScenario({
    durationS: 6000,
    nodes,
    links,
    counters: 'old',
    mesh: { pollCycleS: 10 },
    reading: { intervalS: 10 },
    ...changes,
  });
  return new World({ scenario, firmware, seed: 3, network: NETWORK });
}

/** Plays it to the end with a head-end; everything arrives once. */
async function play(mesh: World, untilS: number): Promise<HeadEndBench> {
  const policy = { allowSuiteNone: true, flooding: mesh.scenario.mode === 'flooding' };
  const bench = new HeadEndBench(mesh, new GatewayLink(mesh.gateways), { policy });
  const recorder = new Recorder(mesh);
  await bench.headEnd.start();
  await bench.run(untilS);
  mesh.stopMeasuring();
  await bench.run(untilS + 200);
  recorder.end();
  const { measured, stored, violations } = await bench.judge();
  assert.deepEqual([...violations, ...recorder.violations], []);
  assert.ok(measured > 0);
  assert.equal(stored, measured);
  return bench;
}

function bootCount(mesh: World, id: string): number {
  return new Reader(readRecords(mesh.device(id).flash).get(RECORD.bootCount) ?? new Uint8Array(2)).u16();
}

describe('counters that come round', function () {
  this.timeout(120_000);

  it('boot counts, which are the epochs of a gateway, and what passes 2^31', async () => {
    const faults = Array.from({ length: 6 }, (_, index) => [
      { atS: 200 + 200 * index, powerCut: 'gw' },
      { atS: 300 + 200 * index, powerCut: 'm1' },
    ]).flat();
    const mesh = world({ faults, durationS: 2000 });
    const epochs = new Set<number>();
    const counters: number[] = [];
    mesh.radio.observe(({ from, kind, bytes }) => {
      if (kind === 'ack' || !bytes) return;
      const frame = decodeFrame(bytes);
      const body = decodeFrameBody(frame);
      if (from === 'm1') counters.push(frame.counter);
      if (body.type === 'beacon' && body.grounded) epochs.add(body.epoch);
    });
    await play(mesh, 1500);
    for (const id of ['gw', 'm1']) assert.ok(bootCount(mesh, id) < 10, `${bootCount(mesh, id)} of ${id}`);
    assert.ok(epochs.has(OLD_NUMBERS.bootCount + 2) && epochs.has(2), [...epochs].join());
    assert.ok(Math.min(...counters) < 2 ** 31 && Math.max(...counters) > 2 ** 31);
  });

  it('numbers of polls', async () => {
    const mesh = world({});
    const numbers: number[] = [];
    mesh.radio.observe(({ bytes }) => {
      if (!bytes) return;
      const body = decodeFrameBody(decodeFrame(bytes));
      if (body.type !== 'routed') return;
      for (const section of body.sections) if (section.kind === 'poll') numbers.push(section.number);
    });
    await play(mesh, 600);
    assert.ok(numbers.some((number) => number > 0xfff0) && numbers.some((number) => number < 0x20), numbers.join());
  });

  it('numbers of floods', async () => {
    const mesh = world({ mesh: { mode: 'flooding', pollCycleS: 10 } });
    const numbers: number[] = [];
    mesh.radio.observe(({ bytes }) => {
      const body = bytes && decodeFrameBody(decodeFrame(bytes));
      if (body?.type === 'flood') numbers.push(body.number);
    });
    await play(mesh, 600);
    assert.ok(numbers.some((number) => number > 0xfff0) && numbers.some((number) => number < 0x20), numbers.join());
  });

  it('numbers of beacons and of sessions', async () => {
    // Each time it is back it draws a session, and asks for beacons: of the same neighbour once in ten seconds.
    const faults = Array.from({ length: 300 }, (_, index) => ({ atS: 100 + 12 * index, powerCut: 'm2' }));
    const mesh = world({ faults });
    const sessions: number[] = [];
    const beacons: number[] = [];
    mesh.radio.observe(({ from, bytes }) => {
      const body = from === 'm1' && bytes ? decodeFrameBody(decodeFrame(bytes)) : undefined;
      if (body?.type === 'beacon') beacons.push(body.number);
    });
    mesh.observe({
      traced: (node, trace) =>
        node === 'm2' && trace.kind === 'joined' && sessions.push(mesh.device(node).state()?.session ?? 0),
    });
    await play(mesh, 3900);
    const comesRound = (numbers: readonly number[]) =>
      numbers.some((number, index) => number < (numbers[index - 1] ?? 0));
    assert.ok(comesRound(sessions), sessions.join());
    assert.ok(comesRound(beacons), beacons.join());
  });
});
