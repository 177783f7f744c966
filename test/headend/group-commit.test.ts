import assert from 'node:assert/strict';
import { type Clock, ManualClock } from '../../nodes/headend/clock.ts';
import { GroupCommit } from '../../nodes/headend/group-commit.ts';

const DELAY_MS = 50;

/** Commits that end when the test says so. */
class Commits {
  readonly groups: (readonly string[])[] = [];
  #end: (() => void) | undefined;

  readonly commit = (items: readonly string[]): Promise<void> => {
    this.groups.push(items);
    return new Promise((resolve) => {
      this.#end = resolve;
    });
  };

  /** Resolves when whoever waited for the commit has gone on. */
  async end(): Promise<void> {
    this.#end?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('group commit', () => {
  it('commits what has come while another group was being committed', async () => {
    const clock = new ManualClock();
    const commits = new Commits();
    const group = new GroupCommit<string>(clock, DELAY_MS, commits.commit);
    group.add('a', 1);
    clock.advance(DELAY_MS);
    group.add('b', 1);
    clock.advance(DELAY_MS);
    assert.deepEqual(commits.groups, [['a']], 'one at a time');
    await commits.end();
    assert.deepEqual(commits.groups, [['a'], ['b']]);
  });

  it('goes on when its timer fires before the clock shows the time', async () => {
    const timers = new ManualClock();
    // Timers run by another clock than the one that is read: here that one is always a millisecond behind.
    const clock: Clock = {
      nowMs: () => timers.nowMs() - 1,
      after: (delayMs, callback) => timers.after(delayMs - 2, callback),
    };
    const commits = new Commits();
    const group = new GroupCommit<string>(clock, DELAY_MS, commits.commit);
    group.add('a', 1);
    timers.advance(DELAY_MS);
    group.add('b', 1);
    timers.advance(DELAY_MS - 2);
    await commits.end();
    group.add('c', 1);
    timers.advance(DELAY_MS);
    await commits.end();
    assert.deepEqual(commits.groups.flat(), ['a', 'b', 'c']);
  });
});
