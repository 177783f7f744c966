import assert from 'node:assert/strict';
import { type ErrorName, errorCodes, WattmeshError } from '../../nodes/headend/errors.ts';
import type { NetworkState } from '../../nodes/headend/messages.ts';
import { BADGE_CHARS_MAX, broken, compact, shorten } from '../../nodes/shared/badges.ts';
import { errorBadge } from '../../nodes/shared/funnel.ts';
import { droppedCount, RowBadge } from '../../nodes/shared/row-badge.ts';
import { RowRate } from '../../nodes/shared/row-rate.ts';

const NOON_MS = Date.UTC(2026, 5, 1, 12);

describe('badges', () => {
  it('shortens long texts to less than 20 characters', () => {
    assert.equal(shorten('0123456789012345678'), '0123456789012345678');
    assert.equal(shorten('01234567890123456789'), '012345678901234567…');
    assert.equal(broken('the cable has been pulled out').text.length, BADGE_CHARS_MAX);
  });

  it('writes counts in at most four characters', () => {
    assert.deepEqual([0, 999, 1000, 12_345, 999_999, 3_000_000, 45e9].map(compact), [
      '0',
      '999',
      '1k',
      '12k',
      '999k',
      '3M',
      '45G',
    ]);
  });

  it('has a red badge that fits for every error', () => {
    for (const reason of Object.keys(errorCodes) as ErrorName[]) {
      const badge = errorBadge(new WattmeshError(reason, 'what is wrong, and what to do'));
      assert.deepEqual([badge.fill, badge.shape], ['red', 'ring']);
      assert.ok(!badge.text.endsWith('…'), badge.text);
    }
    assert.equal(errorBadge(new Error('anything')).text, 'failed: see log');
  });
});

describe('rows per minute', () => {
  it('counts the last minute and forgets what is older', () => {
    const rate = new RowRate();
    for (let second = 0; second < 60; second++) rate.add(NOON_MS + second * 1000);
    assert.equal(rate.perMinute(NOON_MS + 59_000), 60);
    assert.equal(rate.perMinute(NOON_MS + 89_000), 30);
    assert.equal(rate.perMinute(NOON_MS + 200_000), 0);
  });

  it('starts afresh when the clock is set back', () => {
    const rate = new RowRate();
    rate.add(NOON_MS);
    assert.equal(rate.perMinute(NOON_MS - 3_600_000), 0);
    rate.add(NOON_MS - 3_600_000);
    assert.equal(rate.perMinute(NOON_MS - 3_600_000), 1);
  });

  it('shows the rate, then the time of the last row, and what was dropped', () => {
    const rows = new RowBadge();
    assert.deepEqual(rows.badge(NOON_MS), { fill: 'yellow', shape: 'ring', text: 'no rows yet' });
    for (let row = 0; row < 12; row++) rows.add(NOON_MS);
    assert.deepEqual(rows.badge(NOON_MS), { fill: 'green', shape: 'dot', text: '12 rows/min' });
    assert.equal(rows.badge(NOON_MS, 3).text, '12/min, 3 bad');
    assert.match(rows.badge(NOON_MS + 600_000).text, /^last \d\d:\d\d$/);
  });

  it('does not call bad what a healthy mesh drops', () => {
    const errors = {
      replay: 5,
      staleHandshake: 2,
      notJoined: 1,
      queueFull: 3,
      badCrc: 1,
      badTag: 2,
      readingConflict: 4,
    };
    assert.equal(droppedCount({ errors } as unknown as NetworkState), 7);
  });
});
