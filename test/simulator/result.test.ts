import assert from 'node:assert/strict';
import { RepairWatch } from '../../firmware/simulator/repair.ts';
import { type RunFigures, resultOf, VIOLATIONS_MAX } from '../../firmware/simulator/result.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { TrafficCounter } from '../../firmware/simulator/traffic.ts';
import { fromHex } from '../../nodes/headend/bytes.ts';
import { readingId } from '../../nodes/headend/metering/reading.ts';
import { nodeIdOf } from '../../nodes/headend/security/keys.ts';

const START_UTC_MS = Date.UTC(2026, 0, 15, 10);
const KEY = 'ab'.repeat(32);

/** A run with one meter: ten rows, one a minute; `stored` are there, the latency is that many seconds; `gone` are held no more. */
function figures(
  stored: readonly number[],
  gone: readonly number[] = [],
  changes: Partial<RunFigures> = {},
): RunFigures {
  const rows = Array.from({ length: 10 }, (_, index) => {
    const seq = index + 1;
    return {
      logId: '00000001',
      seq,
      measuredAtMs: START_UTC_MS + 60_000 * seq,
      intervalS: 60,
      quality: 'good' as const,
    };
  });
  const inStore = rows.filter((row) => stored.includes(row.seq)).map((row) => ({ key: KEY, ...row }));
  const traffic = new TrafficCounter();
  Object.assign(traffic.counts, { data: 10, beacon: 4, poll: 3, down: 2, join: 1, ack: 12 });
  return {
    peersReplaced: 0,
    events: { raised: 0, delivered: 0, latencyMs: { p50: 0, p95: 0, max: 0 }, latencyPerHopMs: { p50: 0, p95: 0 } },
    scenario: parseScenario({
      durationS: 600,
      warmupS: 180,
      nodes: [
        { id: 'gw', role: 'gateway', x: 0, y: 0 },
        { id: 'm1', role: 'meter', power: 'battery', x: 1, y: 1 },
      ],
    }),
    evidence: {
      seed: '1',
      startUtcMs: START_UTC_MS,
      meters: [
        {
          id: 'm1',
          nodeId: nodeIdOf(fromHex(KEY)),
          rows: rows.map((row) => ({ row, committedUs: 0, held: !gone.includes(row.seq) })),
          conflicts: [],
        },
      ],
      stored: inStore,
      messages: inStore.map((row) => ({ id: readingId(row), measuredAtMs: row.measuredAtMs, redelivered: false })),
    },
    receivedAtMs: new Map(inStore.map((row) => [readingId(row), row.measuredAtMs + 1000 * row.seq])),
    traffic,
    meanRouterMilliAmp: 100.123456,
    leaves: { awakeMilliJoule: 50, sleepMilliJoule: 70, years: 12.34567 },
    nodeEnergy: new Map([['m1', { txS: 1, rxS: 2.123456, sleepS: 3, wakeS: 4, flashS: 5, milliJoule: 120 }]]),
    joinTimesS: [3, 1, 2],
    time: { routerErrorMs: { p50: 1.23456, p99: 3, max: 4 }, leafErrorMs: { p50: 0, p99: 0, max: 0 } },
    repairS: 12.34567,
    reroutesS: [20, 30.12345, 10],
    metersThroughHubs: new Map([['h1', 7]]),
    violations: [],
    simS: 840,
    wallMs: 12.6,
    ...changes,
  };
}

describe('result of a run', () => {
  it('counts readings measured after the warm-up', () => {
    const result = resultOf(figures([1, 4, 5, 6, 7, 8], [2, 9, 10]));
    assert.deepEqual(result.readings, { measured: 7, delivered: 5, duplicates: 0, lost: 2, pending: 0 });
    assert.equal(result.pdr, 0.7143);
    assert.deepEqual(resultOf(figures([4, 5], [10])).readings, {
      measured: 7,
      delivered: 2,
      duplicates: 0,
      lost: 1,
      pending: 4,
    });
  });

  it('counts what arrived within three poll cycles', () => {
    const run = figures([4, 5, 6]);
    const [first, second, third] = [...run.receivedAtMs.keys()];
    assert.ok(first && second && third);
    const rowMs = (seq: number): number => START_UTC_MS + 60_000 * seq;
    const receivedAtMs = new Map([
      [first, rowMs(4) + 180_000],
      [second, rowMs(5) + 180_001],
      [third, rowMs(6)],
    ]);
    assert.equal(resultOf({ ...run, receivedAtMs }).inThreeCycles, 2);
  });

  it('measures latency from measurement to commit, by nearest rank', () => {
    assert.deepEqual(resultOf(figures([1, 4, 5, 6, 7])).latencyMs, { p50: 5000, p95: 7000, p99: 7000, max: 7000 });
  });

  it('has every field in its place, rounded', () => {
    const result = resultOf(figures([4, 5, 6, 7, 8, 9, 10]));
    assert.equal(
      JSON.stringify(result),
      JSON.stringify({
        readings: { measured: 7, delivered: 7, duplicates: 0, lost: 0, pending: 0 },
        pdr: 1,
        inThreeCycles: 7,
        latencyMs: { p50: 7000, p95: 10000, p99: 10000, max: 10000 },
        frames: { perReading: 2.8571, withMacAcks: 4.5714, data: 10, beacon: 4, poll: 3, down: 2, join: 1, ack: 12 },
        energy: {
          meanRouterMilliAmp: 100.1235,
          leafMilliJoulePerReading: 7.1429,
          leafSleepMilliJoulePerReading: 10,
          leafYears: 12.3457,
          nodes: { m1: { txS: 1, rxS: 2.1235, sleepS: 3, wakeS: 4, flashS: 5, milliJoule: 120 } },
        },
        joinS: { p50: 2, max: 3 },
        time: { routerErrorMs: { p50: 1.2346, p99: 3, max: 4 }, leafErrorMs: { p50: 0, p99: 0, max: 0 } },
        repairS: 12.3457,
        reroutedS: { meters: 3, p50: 20, max: 30.1235 },
        metersThroughHubs: { h1: 7 },
        violations: [],
        nodes: 2,
        simS: 840,
        wallMs: 13,
      }),
    );
  });

  it('counts doubled rows and repeats that do not say so', () => {
    const run = figures([4, 5]);
    const [first, second] = run.evidence.messages;
    assert.ok(first && second);
    const messages = [first, second, first, { ...second, redelivered: true }];
    const [row] = run.evidence.stored;
    assert.ok(row);
    const doctored = { ...run.evidence, messages, stored: [...run.evidence.stored, { ...row, logId: '00000002' }] };
    assert.equal(resultOf({ ...run, evidence: doctored }).readings.duplicates, 2);
  });

  it('shows a limited number of violations', () => {
    const violation = { checker: 'no-loop', what: 'a loop', who: 'm1', atS: 1, seed: '1' } as const;
    const { violations } = resultOf(figures([], [], { violations: new Array(VIOLATIONS_MAX + 5).fill(violation) }));
    assert.equal(violations.length, VIOLATIONS_MAX + 1);
    assert.equal(violations.at(-1)?.what, 'and 5 further violations');
  });
});

describe('repair watch', () => {
  it('waits for every meter whose packets went through the killed node', () => {
    const watch = new RepairWatch();
    watch.heard('m1', ['h1'], 10);
    watch.heard('m2', ['m1', 'h1'], 11);
    watch.heard('m3', ['h2'], 12);
    watch.killed('h1', 100);
    watch.heard('m3', ['h2'], 101);
    watch.heard('m1', ['h2'], 130);
    assert.equal(watch.longestS(150), 50, 'm2 is still missing');
    watch.heard('m2', ['m1', 'h1', 'h2'], 140);
    assert.equal(watch.longestS(150), 50, 'that came out of the queue behind it');
    watch.heard('m2', ['m1', 'h2'], 160);
    assert.equal(watch.longestS(1000), 60);
  });

  it('tells how long each meter of a killed node took, one that is not heard up to now', () => {
    const watch = new RepairWatch();
    for (const meter of ['m1', 'm2', 'm3']) watch.heard(meter, ['h1', 'gw'], 10);
    watch.heard('m4', ['h2', 'gw'], 10);
    assert.equal(watch.metersThrough('h1'), 3);
    watch.killed('h1', 100);
    watch.killed('h2', 120);
    watch.heard('m2', ['gw'], 130);
    watch.heard('m1', ['gw'], 140);
    watch.heard('m1', ['gw'], 200);
    assert.deepEqual(watch.reroutesS(new Set(['h1']), 1000), [30, 40, 900]);
    assert.deepEqual(watch.reroutesS(new Set(['h3']), 1000), []);
  });

  it('waits for everybody when the gateway was killed, and for none that is dead itself', () => {
    const watch = new RepairWatch();
    watch.heard('m1', ['gw'], 1);
    watch.heard('m2', ['h1', 'gw'], 1);
    watch.killed('gw', 10);
    watch.killed('m1', 12);
    watch.revived('gw');
    watch.heard('m2', ['h1', 'gw'], 45);
    assert.equal(watch.longestS(1000), 35);
  });

  it('is 0 without a kill', () => {
    assert.equal(new RepairWatch().longestS(1000), 0);
  });
});
