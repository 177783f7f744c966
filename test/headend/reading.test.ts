import assert from 'node:assert/strict';
import {
  lateAfterMs,
  type Reading,
  type ReadingContext,
  readingMessage,
  rowOf,
} from '../../nodes/headend/metering/reading.ts';
import { BASE_S, ScriptedNode } from './support/scripted-node.ts';

const reading: Reading = {
  key: 'ab'.repeat(32),
  logId: 'a0a0a0a0',
  seq: 7,
  measuredAtMs: Date.UTC(2026, 0, 1, 12),
  intervalS: 60,
  quality: 'clock',
  importDwh: 12_345,
  powerDw: -5,
};
const context: ReadingContext = {
  meter: 'flat-3',
  name: 'Flat 3',
  pollCycleS: 60,
  receivedAtMs: reading.measuredAtMs + 2000,
  network: 'home',
  nodeId: '010203040506',
  hub: 'hub-1',
  localHubId: 1,
  gateway: 'gateway-1',
  hops: 2,
  path: ['hub-1', 'gateway-1'],
  rssi_dbm: -70,
  session: 3,
  suite: 'none',
  redelivered: false,
};

describe('message of a reading', () => {
  it('has exactly the promised fields', () => {
    assert.deepEqual(readingMessage(reading, context), {
      topic: 'home/flat-3',
      payload: {
        meter: 'flat-3',
        name: 'Flat 3',
        measuredAt: '2026-01-01T12:00:00.000Z',
        receivedAt: '2026-01-01T12:00:02.000Z',
        interval_s: 60,
        power_w: -0.5,
        energy_import_kwh: 1.2345,
        quality: 'clock',
      },
      wattmesh: {
        id: `${'ab'.repeat(32)}:a0a0a0a0:7`,
        network: 'home',
        nodeId: '010203040506',
        hub: 'hub-1',
        localHubId: 1,
        gateway: 'gateway-1',
        hops: 2,
        path: ['hub-1', 'gateway-1'],
        rssi_dbm: -70,
        seq: 7,
        session: 3,
        suite: 'none',
        late: false,
        redelivered: false,
      },
    });
  });

  it('is late beyond two poll cycles or two intervals, whichever is longer', () => {
    assert.equal(lateAfterMs(60, 900), 1_800_000);
    assert.equal(lateAfterMs(900, 60), 1_800_000);
    const at = (ageMs: number) => readingMessage(reading, { ...context, receivedAtMs: reading.measuredAtMs + ageMs });
    assert.equal(at(120_000).wattmesh.late, false);
    assert.equal(at(120_001).wattmesh.late, true);
    assert.equal(at(-5000).wattmesh.late, false);
  });
});

describe('rows of a batch', () => {
  it('are evenly spaced, with their own seq', () => {
    const node = new ScriptedNode({ seed: 'meter', intervalS: 900 });
    const batch = node.readings(5, 6);
    const rows = batch.rows.map((_, index) => rowOf('key', batch, index));
    assert.deepEqual(
      rows.map(({ seq, measuredAtMs }) => [seq, measuredAtMs / 1000 - BASE_S]),
      [
        [5, 4500],
        [6, 5400],
      ],
    );
    assert.deepEqual(rows[0], {
      key: 'key',
      logId: node.logId,
      seq: 5,
      measuredAtMs: (BASE_S + 4500) * 1000,
      intervalS: 900,
      quality: 'good',
      importDwh: 1_000_250,
      powerDw: 3005,
    });
  });
});
