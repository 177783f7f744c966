import assert from 'node:assert/strict';
import { Random } from '../../firmware/simulator/random.ts';
import { MAX_PENDING_EVENTS, Schedule } from '../../firmware/simulator/schedule.ts';

describe('schedule', () => {
  it('runs events by time and equal times by insertion', () => {
    const schedule = new Schedule();
    const seen: string[] = [];
    for (const [name, timeUs] of [
      ['c', 20],
      ['a', 10],
      ['d', 20],
      ['b', 10],
      ['e', 20],
    ] as const) {
      schedule.at(timeUs, () => seen.push(`${name}@${schedule.nowUs}`));
    }
    assert.equal(schedule.next(), 10);
    schedule.run(20);
    assert.deepEqual(seen, ['a@10', 'b@10', 'c@20', 'd@20', 'e@20']);
    assert.equal(schedule.next(), undefined);
    assert.equal(schedule.step(), false);
  });

  it('keeps the order of a sorted list through random insertions and cancellations', () => {
    const schedule = new Schedule();
    const random = new Random('heap');
    const expected: { timeUs: number; number: number }[] = [];
    const seen: number[] = [];
    const handles: number[] = [];
    for (let number = 0; number < 5000; number++) {
      const timeUs = random.int(500);
      handles.push(schedule.at(timeUs, () => seen.push(number)));
      expected.push({ timeUs, number });
    }
    const kept = expected.filter(({ number }) => {
      const drop = random.int(3) === 0;
      if (drop) assert.equal(schedule.cancel(handles[number] as number), true);
      return !drop;
    });
    assert.equal(schedule.pending, kept.length);
    schedule.run(1000);
    kept.sort((a, b) => a.timeUs - b.timeUs || a.number - b.number);
    assert.deepEqual(
      seen,
      kept.map(({ number }) => number),
    );
  });

  it('recognises a handle whose event has run or was cancelled, also when its slot is in use again', () => {
    const schedule = new Schedule();
    let ran = 0;
    const first = schedule.at(1, () => ran++);
    schedule.run(1);
    const second = schedule.at(2, () => ran++);
    assert.equal(schedule.cancel(first), false);
    assert.equal(schedule.cancel(second), true);
    assert.equal(schedule.cancel(second), false);
    schedule.run(5);
    assert.equal(ran, 1);
  });

  it('runs what an event adds up to the limit, and stops the clock there', () => {
    const schedule = new Schedule();
    const times: number[] = [];
    const tick = (): void => {
      times.push(schedule.nowUs);
      schedule.at(schedule.nowUs + 10, tick);
    };
    schedule.at(0, tick);
    schedule.run(35);
    assert.deepEqual(times, [0, 10, 20, 30]);
    assert.equal(schedule.nowUs, 35);
    assert.equal(schedule.next(), 40);
  });

  it('refuses times that are past or not whole', () => {
    const schedule = new Schedule();
    schedule.run(100);
    for (const timeUs of [99, 100.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => schedule.at(timeUs, () => {}), RangeError);
      assert.throws(() => schedule.run(timeUs), RangeError);
    }
  });

  it('refuses more events than its limit', () => {
    const schedule = new Schedule();
    const nothing = (): void => {};
    for (let i = 0; i < MAX_PENDING_EVENTS; i++) schedule.at(i, nothing);
    assert.throws(() => schedule.at(0, nothing), /pending/);
  });
});
