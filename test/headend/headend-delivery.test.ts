import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LOG_GAPS_MAX, LOG_RANGES_MAX, newLog, withOldest, withRows } from '../../nodes/headend/delivery.ts';
import type { LogState } from '../../nodes/headend/store/store.ts';

const empty = newLog('key', 'log');

function spans({ cumulative, ranges, gaps }: LogState): unknown {
  return { cumulative, ranges, gaps };
}

function holds(list: readonly (readonly [number, number])[], seq: number): boolean {
  return list.some(([first, last]) => seq >= first && seq <= last);
}

describe('log state', () => {
  it('counts rows that come in order', () => {
    assert.deepEqual(spans(withRows(withRows(empty, 1, 5), 6, 6)), { cumulative: 6, ranges: [], gaps: [] });
  });

  it('keeps rows above a hole, and moves over them when it is filled', () => {
    const holed = withRows(withRows(empty, 1, 2), 5, 6);
    assert.deepEqual(spans(holed), { cumulative: 2, ranges: [[5, 6]], gaps: [] });
    assert.deepEqual(spans(withRows(holed, 3, 4)), { cumulative: 6, ranges: [], gaps: [] });
  });

  it('joins ranges that touch', () => {
    const log = withRows(withRows(withRows(empty, 10, 11), 14, 15), 12, 13);
    assert.deepEqual(spans(log), { cumulative: 0, ranges: [[10, 15]], gaps: [] });
  });

  it('records what the node no longer holds as a gap, once', () => {
    const log = withOldest(withRows(withRows(empty, 1, 2), 8, 9), 8);
    assert.deepEqual(spans(log), { cumulative: 9, ranges: [], gaps: [[3, 7]] });
    assert.equal(withOldest(log, 8), log);
    assert.equal(withOldest(log, 4), log);
  });

  it('splits a gap around stored rows', () => {
    const log = withOldest(withRows(withRows(empty, 3, 4), 7, 7), 10);
    assert.deepEqual(spans(log), {
      cumulative: 9,
      ranges: [],
      gaps: [
        [1, 2],
        [5, 6],
        [8, 9],
      ],
    });
  });

  it('shrinks a gap when a row arrives for it after all', () => {
    const log = withOldest(empty, 10);
    assert.deepEqual(spans(withRows(log, 4, 5)), {
      cumulative: 9,
      ranges: [],
      gaps: [
        [1, 3],
        [6, 9],
      ],
    });
    assert.deepEqual(spans(withRows(log, 8, 12)), { cumulative: 12, ranges: [], gaps: [[1, 7]] });
  });

  it('does not change for an empty batch or for rows it has', () => {
    const log = withRows(empty, 1, 5);
    assert.equal(withRows(log, 6, 5), log);
    assert.equal(withRows(log, 2, 5), log);
  });

  it('keeps a bounded number of ranges: the highest are forgotten', () => {
    let log = empty;
    for (let index = 0; index <= LOG_RANGES_MAX; index++) log = withRows(log, 10 + 2 * index, 10 + 2 * index);
    assert.equal(log.ranges.length, LOG_RANGES_MAX);
    assert.equal(log.ranges.at(-1)?.[0], 10 + 2 * (LOG_RANGES_MAX - 1));
  });

  it('keeps a bounded number of gaps: near ones are joined', () => {
    let log = empty;
    for (let index = 0; index <= LOG_GAPS_MAX; index++) {
      const first = 10 * (index + 1) + (index === 3 ? -5 : 0);
      log = withRows(withOldest(log, first), first, first);
    }
    assert.equal(log.gaps.length, LOG_GAPS_MAX);
    for (let seq = 1; seq <= log.cumulative; seq++) {
      if (seq % 10 !== 0 && seq !== 35) assert.ok(holds(log.gaps, seq), `row ${seq} was never stored`);
    }
  });

  it('never claims a row that was not stored, and claims what was while its lists have room', () => {
    const step = fc.record({
      first: fc.integer({ min: 1, max: 60 }),
      count: fc.nat(8),
      oldest: fc.integer({ min: 1, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const stored = new Set<number>();
        let oldestSeen = 1;
        let log = empty;
        for (const { first, count, oldest } of steps) {
          log = withOldest(withRows(log, first, first + count - 1), Math.min(oldest, first));
          for (let seq = first; seq < first + count; seq++) stored.add(seq);
          oldestSeen = Math.max(oldestSeen, Math.min(oldest, first));
        }
        for (let seq = 1; seq <= 80; seq++) {
          const gap = holds(log.gaps, seq);
          const claimed = seq <= log.cumulative ? !gap : holds(log.ranges, seq);
          assert.equal(claimed, stored.has(seq), `row ${seq}`);
          if (gap) assert.ok(seq < oldestSeen, `row ${seq} may still come`);
        }
      }),
    );
  });
});
