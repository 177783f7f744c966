import assert from 'node:assert/strict';
import { ManualClock } from '../../nodes/headend/clock.ts';
import { Outbox, SENT_AFTER_MS } from '../../nodes/headend/outbox.ts';
import type { OutboxEntry } from '../../nodes/headend/store/store.ts';
import { sampleRow } from './store-samples.ts';

function makeOutbox() {
  const clock = new ManualClock();
  const told: string[] = [];
  const counts: number[] = [];
  const outbox: Outbox = new Outbox(
    clock,
    ({ id }, redelivered) => told.push(redelivered ? `${id} again` : `${id}`),
    () => counts.push(outbox.sent),
  );
  return { clock, outbox, told, counts };
}

function entries(...ids: number[]): OutboxEntry[] {
  const arrival = { receivedAtMs: 0, gateway: 'gw', rssiDbm: 0, route: [], session: 1, suite: 0 };
  return ids.map((id) => ({ id, row: sampleRow(id), arrival }));
}

describe('outbox', () => {
  it('keeps messages until it is open, and while it is closed again', () => {
    const { outbox, told } = makeOutbox();
    outbox.add(entries(1, 2), true);
    assert.deepEqual(told, []);
    outbox.open();
    outbox.add(entries(3), false);
    assert.deepEqual(told, ['1 again', '2 again', '3']);
    outbox.close();
    outbox.add(entries(4), false);
    assert.equal(told.length, 3);
    outbox.open();
    assert.equal(told.at(-1), '4');
  });

  it('counts a message as sent only when whoever took it has had time to hand it on', () => {
    const { clock, outbox, counts } = makeOutbox();
    outbox.open();
    outbox.add(entries(1, 2), false);
    assert.equal(outbox.sent, 0, 'a crash now would lose it');
    clock.advance(SENT_AFTER_MS - 1);
    outbox.add(entries(3), false);
    clock.advance(1);
    assert.equal(outbox.sent, 2, 'not the one that went out a moment ago');
    clock.advance(SENT_AFTER_MS);
    assert.equal(outbox.sent, 3);
    clock.advance(10 * SENT_AFTER_MS);
    assert.deepEqual(counts, [2, 3], 'told once each');
  });

  it('counts what has gone out at once when it ends', () => {
    const { clock, outbox, counts } = makeOutbox();
    outbox.open();
    outbox.add(entries(1), false);
    outbox.end();
    outbox.add(entries(2), false);
    assert.equal(outbox.sent, 2);
    clock.advance(10 * SENT_AFTER_MS);
    assert.deepEqual(counts, [1, 2]);
  });
});
