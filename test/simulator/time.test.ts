import assert from 'node:assert/strict';
import type { Evidence } from '../../firmware/simulator/checkers/evidence.ts';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import type { SimulationResult } from '../../firmware/simulator/result.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';
import { ErrorSpread, restS } from '../../firmware/simulator/time-errors.ts';

const CLOCK = { crystalPpm: 20, callbackJitterMs: 2 };
const INTERVAL_S = 15;

/** A gateway and ten meters, each of which hears its neighbours only. */
function line(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const ids = ['gw', ...Array.from({ length: 10 }, (_, index) => `m${index + 1}`)];
  const pairs = ids.slice(1).map((id, index) => [ids[index] as string, id] as const);
  return {
    durationS: 1800,
    nodes: ids.map((id) => ({ id, role: id === 'gw' ? 'gateway' : 'meter' })),
    links: pairs.flatMap(([a, b]) => [
      { from: a, to: b, prr: 0.9, rssi: -70 },
      { from: b, to: a, prr: 0.9, rssi: -70 },
    ]),
    reading: { intervalS: INTERVAL_S },
    mesh: { pollCycleS: 60 },
    clock: CLOCK,
    ...changes,
  };
}

async function run(scenario: Record<string, unknown>): Promise<{ result: SimulationResult; evidence: Evidence }> {
  let evidence: Evidence | undefined;
  const result = await simulate({
    scenario: parseScenario(scenario),
    firmware: loadFirmware(true),
    evidence: (found) => {
      evidence = found;
    },
  });
  assert.ok(evidence);
  return { result, evidence };
}

describe('network time', () => {
  it('is right within 10 ms over ten hops, with crystals of 20 ppm and callbacks up to 2 ms late', async function () {
    this.timeout(60_000);
    const { result, evidence } = await run(line());
    const { routerErrorMs, leafErrorMs } = result.time;
    assert.ok(routerErrorMs.max > 0 && routerErrorMs.max <= 10, JSON.stringify(routerErrorMs));
    assert.deepEqual(leafErrorMs, { p50: 0, p99: 0, max: 0 });
    // Every interval from the first row on has its row, and each one.
    for (const { id, rows } of evidence.meters) {
      const times = rows.map(({ row }) => row.measuredAtMs / 1000);
      const [first] = times;
      assert.ok(first !== undefined && times.length > 100, id);
      assert.deepEqual(
        times,
        times.map((_, index) => first + INTERVAL_S * index),
        id,
      );
    }
  });

  it('counts errors only while the mesh is at rest', async function () {
    this.timeout(60_000);
    const faults = [600, 1200].map((atS) => ({ atS, powerCut: 'm10' }));
    const { result } = await run(line({ durationS: 1400, faults }));
    assert.deepEqual(result.time.routerErrorMs, { p50: 0, p99: 0, max: 0 });
  });
});

describe('spread of errors', () => {
  it('has quantiles to a tenth of a millisecond, whatever the sign', () => {
    const spread = new ErrorSpread();
    assert.deepEqual(spread.figures(), { p50: 0, p99: 0, max: 0 });
    for (let index = 1; index <= 100; index++) spread.add(index % 2 === 0 ? index - 0.05 : 0.05 - index);
    assert.deepEqual(spread.figures(), { p50: 50, p99: 99, max: 99.95 });
    spread.add(5_000_000);
    assert.equal(spread.figures().max, 5_000_000);
  });

  it('is taken after a quarter of an hour and four cycles', () => {
    assert.equal(restS({ pollCycleS: 60 }), 900);
    assert.equal(restS({ pollCycleS: 900 }), 3600);
  });
});
