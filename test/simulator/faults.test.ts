import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { GatewayLink } from '../../firmware/simulator/gateway-port.ts';
import { parseScenario, type Scenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';
import { World } from '../../firmware/simulator/world.ts';
import { repoRoot } from '../support/root.ts';
import { HeadEndBench, NETWORK } from './head-end-bench.ts';
import { Bench, fullMesh, pair } from './radio-traffic.ts';

const GRID = JSON.parse(readFileSync(join(repoRoot(), 'test', 'scenarios', 'grid-12.json'), 'utf8'));

/** The grid of 12 meters for half an hour, with fields replaced. */
function grid(changes: object): Scenario {
  return parseScenario({ ...GRID, durationS: 1800, warmupS: 300, ...changes });
}

describe('faults of the radio', () => {
  it('change one direction of a link, its interference too, and change it back', () => {
    const bench = new Bench(['a', 'b', 'c'], fullMesh(['a', 'b', 'c']));
    const send = (count: number) => {
      for (let frame = 0; frame < count; frame++) {
        bench.send('a', undefined);
        bench.schedule.run(bench.schedule.nowUs + 5000);
      }
      return bench.probe('b').got.splice(0).length;
    };
    assert.equal(send(20), 20);
    bench.radio.changeLink('a', 'b', 0.5);
    const half = send(200);
    assert.ok(half > 70 && half < 130, `${half}`);
    bench.radio.changeLink('a', 'b', 0);
    assert.equal(send(20), 0);
    bench.send('b', 'a');
    bench.schedule.run(bench.schedule.nowUs + 100_000);
    assert.equal(bench.probe('a').got.length, 1, 'the other direction works, its acknowledgement does not');
    assert.deepEqual(bench.probe('b').results, [false]);
    // A carrier that is not sensed any more: both send at the same time.
    bench.send('a', undefined, 250);
    bench.schedule.run(bench.schedule.nowUs + 500);
    bench.send('b', undefined, 250);
    bench.schedule.run(bench.schedule.nowUs + 100_000);
    assert.ok(bench.radio.stats('b').collided > 0);
    bench.radio.changeLink('a', 'b', undefined);
    assert.equal(send(20), 20);
    assert.throws(() => new Bench(['a', 'b'], []).radio.changeLink('a', 'b', 1), /no link a to b/);
  });

  it('do not lose count of carriers when a link changes while a frame is on air', () => {
    for (const [before, after] of [
      [1, 0],
      [0, 1],
    ] as const) {
      const links = [...pair('a', 'b', before), ...pair('a', 'c'), ...pair('b', 'c')];
      const bench = new Bench(['a', 'b', 'c'], links);
      bench.send('a', 'c');
      bench.schedule.run(300);
      bench.radio.changeLink('a', 'b', after);
      bench.schedule.run(100_000);
      bench.send('b', 'c');
      bench.schedule.run(200_000);
      assert.deepEqual(bench.probe('b').results, [true], `from ${before} to ${after}`);
    }
  });

  it('lose acknowledgements only', () => {
    const bench = new Bench(['a', 'b'], pair('a', 'b'));
    const exchange = (from: string, to: string) => {
      bench.send(from, to);
      bench.schedule.run(bench.schedule.nowUs + 100_000);
      return [bench.probe(from).results.pop(), bench.probe(to).got.splice(0).length];
    };
    bench.radio.loseAcks('b', undefined, 1);
    assert.deepEqual(exchange('a', 'b'), [false, 1], 'it arrived once, and nobody knows');
    assert.equal(bench.radio.stats('b').duplicates, 4);
    assert.deepEqual(exchange('b', 'a'), [true, 1]);
    bench.radio.loseAcks('b', undefined, 0);
    assert.deepEqual(exchange('a', 'b'), [true, 1]);
    bench.radio.loseAcks(undefined, 'b', 1);
    assert.deepEqual(exchange('a', 'b'), [true, 1]);
    assert.deepEqual(exchange('b', 'a'), [false, 1]);
  });

  it('separate channels, whatever a partition does', () => {
    const bench = new Bench(['a', 'b'], pair('a', 'b'));
    const arrives = () => {
      bench.send('a', 'b');
      bench.schedule.run(bench.schedule.nowUs + 100_000);
      return bench.probe('a').results.pop();
    };
    bench.radio.tune(['b'], 6);
    assert.equal(arrives(), false);
    bench.radio.partition(['a']);
    bench.radio.heal();
    assert.equal(arrives(), false, 'healing is not tuning');
    bench.radio.partition(['a']);
    bench.radio.tune(['a'], 6);
    assert.equal(arrives(), false, 'tuning is not healing');
    bench.radio.heal();
    assert.equal(arrives(), true);
  });
});

describe('faults of devices and host', function () {
  this.timeout(120_000);

  it('cut power inside the next write to the flash', async () => {
    const scenario = grid({ faults: [{ atS: 400, powerCutInWrite: 'm1' }] });
    const world = new World({ scenario, firmware: loadFirmware(), seed: 1, network: NETWORK });
    const bench = new HeadEndBench(world, new GatewayLink(world.gateways));
    await bench.headEnd.start();
    const power: [string, boolean, number][] = [];
    await bench.run(399);
    const writes = world.device('m1').flash.operations;
    world.observe({ power: (node, on) => power.push([node, on, world.schedule.nowUs / 1e6]) });
    await bench.run(600);
    await bench.headEnd.stop();
    const [off, on, ...more] = power;
    assert.deepEqual([off?.slice(0, 2), on?.slice(0, 2), more.length], [['m1', false], ['m1', true], 0]);
    assert.ok((off?.[2] ?? 0) >= 400 && (off?.[2] ?? 0) <= 460, 'at its next row at the latest');
    assert.equal((on?.[2] ?? 0) - (off?.[2] ?? 0), 2);
    assert.ok(world.device('m1').flash.operations > writes);
  });

  it('power all devices up at once or one after the other', () => {
    const boots = (powerUpS: number): number[] => {
      const world = new World({ scenario: grid({ powerUpS }), firmware: loadFirmware(), seed: 1, network: NETWORK });
      const atS: number[] = [];
      world.observe({ power: () => atS.push(world.schedule.nowUs / 1e6) });
      world.run(300e6);
      return atS;
    };
    assert.equal(Math.max(...boots(0)), 0);
    const staggered = boots(200);
    assert.equal(staggered.length, GRID.nodes.length);
    assert.ok(Math.max(...staggered) > 100 && Math.max(...staggered) <= 200);
  });

  it('break no promise: host and gateway away, acknowledgements and links lost, other channels, power cuts in writes', async () => {
    const faults = [
      { atS: 350, hostOutage: { forS: 200 } },
      { atS: 600, gatewayOutage: { forS: 150 } },
      { atS: 800, ackLoss: { from: 'h1', forS: 100 } },
      { atS: 900, ackLoss: { to: 'h2', loss: 0.5, forS: 100 } },
      { atS: 1000, link: { from: 'h1', to: 'gw', prr: 0.05, forS: 200 } },
      { atS: 1100, channel: { nodes: ['h2'], number: 6 } },
      { atS: 1250, channel: { nodes: ['h2'], number: 1 } },
      ...GRID.nodes.map(({ id }: { id: string }, index: number) => ({ atS: 1300 + 20 * index, powerCutInWrite: id })),
    ];
    const clock = { crystalPpm: 20, callbackJitterMs: 2 };
    const mesh = { ...GRID.mesh, suite: 'noise' };
    const radio = { burst: { meanBadS: 1, meanGoodS: 9 } };
    for (const seed of [1, 2, 3]) {
      const scenario = grid({ faults, clock, mesh, radio });
      const { readings, violations } = await simulate({ scenario, firmware: loadFirmware(), seed });
      assert.deepEqual(violations, [], `seed ${seed}`);
      const { measured, delivered, duplicates, lost } = readings;
      assert.deepEqual([duplicates, lost], [0, 0], `seed ${seed}`);
      assert.equal(delivered, measured, `seed ${seed}`);
      assert.ok(measured > 12 * 20, `seed ${seed}: ${measured}`);
    }
  });

  it('let nothing pass between gateway and host, and then everything that was measured meanwhile', async () => {
    const outage = grid({ faults: [{ atS: 600, hostOutage: { forS: 900 } }] });
    const { latencyMs, readings } = await simulate({ scenario: outage, firmware: loadFirmware() });
    assert.ok(latencyMs.max > 840_000, `${latencyMs.max} ms`);
    assert.equal(readings.delivered, readings.measured);
  });
});
