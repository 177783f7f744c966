import assert from 'node:assert/strict';
import { ManualClock } from '../../nodes/headend/clock.ts';
import { BACKOFF_MAX_MS, BACKOFF_MIN_MS, Backoff, formatWait, STEADY_MS } from '../../nodes/headend/link/backoff.ts';

/** Waits of `count` attempts that fail at once. */
function waits(backoff: Backoff, clock: ManualClock, count: number): number[] {
  return Array.from({ length: count }, () => {
    let fired = 0;
    const waitMs = backoff.schedule(() => fired++);
    clock.advance(waitMs - 1);
    assert.equal(fired, 0);
    clock.advance(1);
    assert.equal(fired, 1);
    return waitMs;
  });
}

describe('back-off of links', () => {
  it('doubles from half a second to half a minute and stays there', () => {
    const clock = new ManualClock();
    assert.deepEqual(
      waits(new Backoff(clock, () => 1), clock, 9),
      [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000],
    );
  });

  it('draws the upper half of each wait', () => {
    const clock = new ManualClock();
    assert.equal(waits(new Backoff(clock, () => 0), clock, 1)[0], BACKOFF_MIN_MS / 2);
    assert.equal(waits(new Backoff(clock, () => 0.5), clock, 1)[0], BACKOFF_MIN_MS * 0.75);
    assert.equal(waits(new Backoff(clock, () => 0), clock, 20).at(-1), BACKOFF_MAX_MS / 2);
  });

  it('starts over after a link that held, not after one that broke at once', () => {
    const clock = new ManualClock();
    const backoff = new Backoff(clock, () => 1);
    waits(backoff, clock, 3);
    backoff.opened();
    clock.advance(STEADY_MS - 1);
    assert.deepEqual(waits(backoff, clock, 1), [4_000]);
    backoff.opened();
    clock.advance(STEADY_MS);
    assert.deepEqual(waits(backoff, clock, 2), [500, 1_000]);
  });

  it('keeps one attempt at most, and none after cancel', () => {
    const clock = new ManualClock();
    const backoff = new Backoff(clock);
    const fired: string[] = [];
    backoff.schedule(() => fired.push('first'));
    backoff.schedule(() => fired.push('second'));
    clock.advance(BACKOFF_MAX_MS);
    assert.deepEqual(fired, ['second']);
    backoff.schedule(() => fired.push('third'));
    backoff.cancel();
    clock.advance(BACKOFF_MAX_MS);
    assert.deepEqual(fired, ['second']);
  });

  it('is told to people in seconds', () => {
    assert.deepEqual([500, 1_250, 9_949, 9_950, 29_600].map(formatWait), ['0.5 s', '1.3 s', '9.9 s', '10 s', '30 s']);
  });
});
