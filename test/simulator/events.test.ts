import assert from 'node:assert/strict';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import type { SimulationResult } from '../../firmware/simulator/result.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';

const PER_HOP_MS = 100;
const WARMUP_S = 180;

interface Place {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

/** A gateway in the corner of `width` times `height` nodes, each in reach of those around it over links that lose frames. */
function grid(width: number, height: number, changes: Record<string, unknown> = {}): Record<string, unknown> {
  const places: Place[] = Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    return { id: at === 0 ? 'gw' : `m${at}`, x, y };
  });
  const links = places.flatMap((a) =>
    places
      .filter((b) => b !== a && Math.hypot(a.x - b.x, a.y - b.y) < 1.5)
      .map((b) => ({ from: a.id, to: b.id, prr: 0.85, rssi: -75 })),
  );
  const meters = places.slice(1);
  return {
    durationS: 600,
    warmupS: WARMUP_S,
    nodes: places.map(({ id }) => ({ id, role: id === 'gw' ? 'gateway' : id === 'm4' ? 'hub' : 'meter' })),
    links,
    mesh: { suite: 'noise', pollCycleS: 60 },
    events: Array.from({ length: 60 }, (_, index) => ({
      atS: WARMUP_S + 7.1 * index,
      node: meters[(index * 5) % meters.length]?.id,
      event: 'overCurrent',
      value: 160,
    })),
    ...changes,
  };
}

async function run(scenario: Record<string, unknown>): Promise<SimulationResult> {
  return simulate({ scenario: parseScenario(scenario), firmware: loadFirmware(true) });
}

describe('events of devices', function () {
  this.timeout(60_000);

  for (const [what, width, height] of [
    ['a line of eight', 9, 1],
    ['a grid of 25', 5, 5],
  ] as const) {
    it(`take at most ${PER_HOP_MS} ms a hop in ${what}, and none is lost`, async () => {
      const { events, violations } = await run(grid(width, height));
      assert.deepEqual([events?.raised, events?.delivered], [60, 60]);
      const { p50, p95 } = events?.latencyPerHopMs ?? { p50: 0, p95: 0 };
      assert.ok(p50 > 0 && p50 <= PER_HOP_MS && p95 <= PER_HOP_MS, JSON.stringify(events));
      assert.deepEqual(violations, []);
    });
  }

  it('reach the head-end after an outage of the host, and once', async () => {
    const events = [1, 2, 3].map((index) => ({ atS: 200 + index, node: 'm8', event: 'tamper', value: 1 }));
    const faults = [{ atS: 190, hostOutage: { forS: 120 } }];
    const { events: figures } = await run(grid(9, 1, { events, faults }));
    assert.deepEqual([figures?.raised, figures?.delivered], [3, 3]);
    assert.ok((figures?.latencyMs.max ?? 0) > 100_000, 'it never waited');
  });

  it('that come too fast are bounded, and wake a battery leaf', async () => {
    const nodes = [
      { id: 'gw', role: 'gateway', x: 0, y: 0 },
      { id: 'l1', role: 'meter', power: 'battery', x: 5, y: 0 },
    ];
    const events = Array.from({ length: 40 }, (_, index) => ({
      atS: 700 + index / 100,
      node: 'l1',
      event: 'underVoltage',
    }));
    const { events: figures, violations } = await run({
      durationS: 1200,
      nodes,
      mesh: { pollCycleS: 300 },
      reading: { intervalS: 300 },
      events,
    });
    assert.deepEqual([figures?.raised, figures?.delivered], [40, 4]);
    assert.ok((figures?.latencyMs.p50 ?? 0) < 1000, JSON.stringify(figures));
    assert.deepEqual(violations, []);
  });

  it('of a scenario are checked', () => {
    const wrong = (event: object): void => void parseScenario(grid(3, 1, { events: [event] }));
    assert.throws(() => wrong({ atS: 1, node: 'm9', event: 'tamper' }), /events\[0\].node/);
    assert.throws(() => wrong({ atS: 1, node: 'm1', event: 'rain' }), /events\[0\].event.*powerFailing/);
    assert.throws(() => wrong({ atS: 1, node: 'm1', event: 'tamper', value: 40_000 }), /events\[0\].value/);
  });
});
