import assert from 'node:assert/strict';
import type { Evidence, MessageEvidence } from '../../firmware/simulator/checkers/evidence.ts';
import { checkExactlyOnce } from '../../firmware/simulator/checkers/exactly-once.ts';
import { LOOP_VIOLATIONS_MAX, NoLoopChecker } from '../../firmware/simulator/checkers/no-loop.ts';
import { checkNothingLost } from '../../firmware/simulator/checkers/nothing-lost.ts';
import type { LoggedRow } from '../../firmware/simulator/meter-log.ts';
import { MeterLog } from '../../firmware/simulator/meter-log.ts';
import type { MeterRow } from '../../firmware/simulator/trace.ts';
import { fromHex } from '../../nodes/headend/bytes.ts';
import { readingId } from '../../nodes/headend/metering/reading.ts';
import { nodeIdOf } from '../../nodes/headend/security/keys.ts';
import type { ReadingRow } from '../../nodes/headend/store/store.ts';

const START_UTC_MS = Date.UTC(2026, 0, 15, 10);
const KEY = 'ab'.repeat(32);
const LOG_ID = '01020304';

function meterRow(seq: number, changes: Partial<MeterRow> = {}): MeterRow {
  const measuredAtMs = START_UTC_MS + 60_000 * seq;
  return {
    logId: LOG_ID,
    seq,
    measuredAtMs,
    intervalS: 60,
    quality: 'good',
    importDwh: 1000 + seq,
    powerDw: -5,
    ...changes,
  };
}

function stored(row: MeterRow): ReadingRow {
  return { key: KEY, ...row };
}

function messageOf(row: ReadingRow): MessageEvidence {
  return { id: readingId(row), measuredAtMs: row.measuredAtMs, redelivered: false };
}

/** A run in which three rows were measured, stored and sent, with what is to be doctored. */
function evidence(
  changes: {
    rows?: MeterRow[];
    held?: boolean;
    stored?: ReadingRow[];
    messages?: MessageEvidence[];
    conflicts?: LoggedRow[];
  } = {},
): Evidence {
  const rows = changes.rows ?? [meterRow(1), meterRow(2), meterRow(3)];
  const inStore = changes.stored ?? rows.map(stored);
  return {
    seed: '7',
    startUtcMs: START_UTC_MS,
    meters: [
      {
        id: 'm1',
        nodeId: nodeIdOf(fromHex(KEY)),
        rows: rows.map((row) => ({ row, committedUs: 0, held: changes.held ?? true })),
        conflicts: changes.conflicts ?? [],
      },
    ],
    stored: inStore,
    messages: changes.messages ?? inStore.map(messageOf),
  };
}

/** The one violation that is expected. */
function only(
  found: readonly { checker: string; what: string; who: string; atS: number; seed: string }[],
  what: RegExp,
): void {
  assert.equal(found.length, 1, JSON.stringify(found));
  assert.match(found[0]?.what ?? '', what);
  assert.equal(found[0]?.who, 'm1');
  assert.equal(found[0]?.seed, '7');
}

describe('exactly-once checker', () => {
  const rows = [1, 2, 3].map((seq) => stored(meterRow(seq)));
  const [first, second, third] = rows as [ReadingRow, ReadingRow, ReadingRow];

  it('is content with a run that kept its promises', () => {
    assert.deepEqual(checkExactlyOnce(evidence()), []);
  });

  it('is content with a row that is still on its way', () => {
    assert.deepEqual(checkExactlyOnce(evidence({ stored: [first, second] })), []);
  });

  it('fires for a row that was never measured', () => {
    const forged = stored(meterRow(9));
    const found = checkExactlyOnce(evidence({ stored: [...rows, forged] }));
    only(found, /row 01020304:9 is stored and was never measured/);
    assert.equal(found[0]?.atS, 540);
  });

  it('fires for a row that is stored twice', () => {
    only(
      checkExactlyOnce(evidence({ stored: [...rows, second], messages: rows.map(messageOf) })),
      /01020304:2 is stored twice/,
    );
  });

  it('fires for two rows of one moment', () => {
    const again = meterRow(4, { measuredAtMs: second.measuredAtMs });
    const run = evidence({ rows: [meterRow(1), meterRow(2), meterRow(3), again] });
    only(checkExactlyOnce(run), /two rows of this moment are stored, one is 01020304:4/);
  });

  it('fires for another value, another time and a register too many', () => {
    const doctored: [Partial<ReadingRow>, RegExp][] = [
      [{ powerDw: 5 }, /another powerDw/],
      [{ measuredAtMs: second.measuredAtMs + 1000 }, /another measuredAt/],
      [{ voltageDv: 2300 }, /another voltageDv/],
      [{ quality: 'clock' }, /another quality/],
    ];
    for (const [change, what] of doctored) {
      only(checkExactlyOnce(evidence({ stored: [first, { ...second, ...change }, third] })), what);
    }
  });

  it('fires for a row of a device that is no meter of the scenario', () => {
    const foreign = { ...first, key: 'cd'.repeat(32) };
    const found = checkExactlyOnce(evidence({ stored: [...rows, foreign] }));
    assert.deepEqual(
      found.map(({ who, what }) => [who, what]),
      [[nodeIdOf(fromHex(foreign.key)), 'row 01020304:1 is stored and was never measured']],
    );
  });

  it('fires for a message that is missing', () => {
    only(
      checkExactlyOnce(evidence({ messages: [first, third].map(messageOf) })),
      /:2 is stored and no message went out/,
    );
  });

  it('fires for a repeat that does not say so, and not for one that does', () => {
    const messages = rows.map(messageOf);
    only(
      checkExactlyOnce(evidence({ messages: [...messages, messageOf(second)] })),
      /:2 went out again and does not say so/,
    );
    const flagged = { ...messageOf(second), redelivered: true };
    assert.deepEqual(checkExactlyOnce(evidence({ messages: [...messages, flagged] })), []);
  });

  it('fires for a message without a row', () => {
    const messages = [...rows, stored(meterRow(9))].map(messageOf);
    only(checkExactlyOnce(evidence({ messages })), /:9 went out for a row that is not stored/);
  });

  it('fires for a meter that used an identity twice', () => {
    const log = new MeterLog();
    log.commit(meterRow(1), 0);
    assert.equal(log.commit(meterRow(1), 5), false);
    assert.deepEqual(log.conflicts, [], 'the same row traced again, as after a reboot');
    log.commit(meterRow(1, { powerDw: 1 }), 9);
    only(checkExactlyOnce(evidence({ conflicts: log.conflicts })), /row 01020304:1 was measured twice/);
  });
});

describe('nothing-lost checker', () => {
  it('is content with rows that are stored or still held', () => {
    assert.deepEqual(checkNothingLost(evidence({ stored: [] })), []);
    assert.deepEqual(checkNothingLost(evidence({ held: false })), []);
  });

  it('fires for a row that is neither', () => {
    const found = checkNothingLost(evidence({ held: false, stored: [stored(meterRow(1)), stored(meterRow(3))] }));
    only(found, /row 01020304:2 is neither stored nor held/);
    assert.deepEqual([found[0]?.checker, found[0]?.atS], ['nothing-lost', 120]);
  });

  it('follows what the meter overwrites', () => {
    const log = new MeterLog();
    for (const seq of [1, 2, 3]) log.commit(meterRow(seq), 0);
    log.overwritten(LOG_ID, 1, 2);
    assert.deepEqual(
      log.rows().map(({ held }) => held),
      [false, false, true],
    );
  });
});

describe('no-loop checker', () => {
  it('is content with a tree that changes', () => {
    const checker = new NoLoopChecker('7');
    checker.parentChanged('h1', 'gw', 1);
    checker.parentChanged('m1', 'h1', 2);
    checker.parentChanged('m2', 'm1', 3);
    checker.parentChanged('m1', undefined, 4);
    checker.parentChanged('m2', 'h1', 5);
    checker.parentChanged('m1', 'm2', 6);
    checker.passed(['m1', 'm2', 'h1'], 7);
    assert.deepEqual(checker.violations, []);
  });

  it('fires when a node chooses a descendant', () => {
    const checker = new NoLoopChecker('7');
    checker.parentChanged('m1', 'h1', 1);
    checker.parentChanged('m2', 'm1', 2);
    checker.parentChanged('h1', 'm2', 3);
    const what = 'its parents form a loop: h1 > m2 > m1 > h1';
    assert.deepEqual(checker.violations, [{ checker: 'no-loop', what, who: 'h1', atS: 3, seed: '7' }]);
  });

  it('counts no node without power', () => {
    const checker = new NoLoopChecker('7');
    checker.parentChanged('m1', 'h1', 1);
    checker.poweredOff('m1', 2);
    checker.parentChanged('h1', 'm1', 2);
    assert.deepEqual(checker.violations, []);
  });

  it('gives loops over several gateways their time, and no more', () => {
    const checker = new NoLoopChecker('7', 10);
    const close = (atS: number): void => {
      checker.parentChanged('m1', 'm2', atS);
      checker.parentChanged('m2', 'm1', atS + 1);
    };
    close(100);
    checker.parentChanged('m1', 'gw', 110);
    checker.check(200);
    close(300);
    checker.poweredOff('m1', 305);
    checker.check(400);
    close(500);
    checker.check(509.9);
    assert.deepEqual(checker.violations, []);
    checker.check(510);
    assert.deepEqual(
      checker.violations.map(({ who, atS }) => [who, atS]),
      [['m1', 510]],
    );
  });

  it('fires for a packet that passed a node three times while the tree stood still', () => {
    const checker = new NoLoopChecker('7');
    checker.parentChanged('m2', 'h1', 1);
    checker.passed(['m1', 'm2', 'h1', 'm2', 'h2'], 1000);
    checker.passed(['m1', 'm2', 'h1', 'm2', 'h1', 'm2'], 1000);
    assert.deepEqual(
      checker.violations.map(({ who, what }) => [who, what]),
      [['m1', 'a packet of it passed m2 again and again: m1 > m2 > h1 > m2 > h1 > m2']],
    );
  });

  it('excuses a packet that waited where the tree changed, and nodes without a name', () => {
    const checker = new NoLoopChecker('7');
    checker.parentChanged('h1', 'm3', 990);
    checker.passed(['m1', 'm2', 'h1', 'm2', 'h1', 'm2'], 1000);
    checker.passed(['0', 'm2', '0', 'm3', '0'], 1000);
    assert.deepEqual(checker.violations, []);
  });

  it('keeps a limited number', () => {
    const checker = new NoLoopChecker('7');
    for (let packet = 0; packet < 2 * LOOP_VIOLATIONS_MAX; packet++) checker.passed(['m1', 'm1', 'm1'], packet);
    assert.equal(checker.violations.length, LOOP_VIOLATIONS_MAX);
  });
});
