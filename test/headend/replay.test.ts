import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  acceptCounter,
  emptyWindow,
  judgeCounter,
  REPLAY_WINDOW_BITS,
  type ReplayWindow,
  windowBits,
  windowFromBits,
} from '../../nodes/headend/security/replay.ts';

function accepted(...counters: number[]): ReplayWindow {
  return counters.reduce(acceptCounter, emptyWindow);
}

describe('replay window', () => {
  it('takes the first counter, whatever it is', () => {
    assert.equal(judgeCounter(emptyWindow, 0), 'new');
    assert.equal(judgeCounter(emptyWindow, 0xffff_ffff), 'new');
    assert.equal(windowBits(accepted(0)), 1n);
    assert.equal(windowBits(accepted(5)), 1n);
  });

  it('knows a replay at once, 63 counters later and not 64 counters later', () => {
    assert.equal(judgeCounter(accepted(100), 100), 'seen');
    assert.equal(judgeCounter(accepted(100, 163), 100), 'seen');
    assert.equal(judgeCounter(accepted(100, 164), 100), 'below');
  });

  it('takes a late counter inside the window once', () => {
    const window = accepted(100, 163);
    for (const counter of [101, 131, 132, 162]) {
      assert.equal(judgeCounter(window, counter), 'new');
      assert.equal(judgeCounter(acceptCounter(window, counter), counter), 'seen');
    }
  });

  it('forgets everything after a jump', () => {
    assert.equal(windowBits(accepted(1, 2, 3, 0xffff_ffff)), 1n);
  });

  it('survives the store', () => {
    const window = accepted(0, 1, 40, 63);
    assert.deepEqual(windowFromBits(window.highest, windowBits(window)), window);
  });

  it('agrees with a plain set for any order of counters', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 120 }), (counters) => {
        const seen = new Set<number>();
        let window = emptyWindow;
        for (const counter of counters) {
          const highest = Math.max(-1, ...seen);
          const below = highest - counter >= REPLAY_WINDOW_BITS;
          const expected = below ? 'below' : seen.has(counter) ? 'seen' : 'new';
          assert.equal(judgeCounter(window, counter), expected);
          if (expected !== 'new') continue;
          seen.add(counter);
          window = acceptCounter(window, counter);
        }
      }),
    );
  });
});
