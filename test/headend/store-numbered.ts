import assert from 'node:assert/strict';
import type { CommitGroup, Store, StoredState } from '../../nodes/headend/store/store.ts';
import { keyA, keyB, sampleArrival, sampleLog, sampleRow, sampleSession } from './store-samples.ts';

/** Rows in each numbered group: of two nodes, in two runs each. */
const ROWS_PER_GROUP = 40;

/** Messages count as sent this many groups after their commit. */
const SENT_BEHIND = 3;

/** Group `number` (1, 2, ...): everything in it says its number, so that a half group shows. */
export function numberedGroup(number: number): CommitGroup {
  const rows = Array.from({ length: ROWS_PER_GROUP }, (_, index) => {
    const seq = (number - 1) * (ROWS_PER_GROUP / 2) + (index >> 1) + 1;
    return {
      row: sampleRow(seq, { key: index % 2 === 0 ? keyA : keyB }),
      arrival: { ...sampleArrival, session: number },
    };
  });
  const cumulative = number * (ROWS_PER_GROUP / 2);
  return {
    rows,
    nodes: [],
    sessions: [sampleSession({ highest: number, window: BigInt(number) })],
    clearedSessions: [],
    logs: [sampleLog({ cumulative, ranges: [], gaps: [] })],
    outboxSent: sentWith(number),
  };
}

function sentWith(number: number): number {
  return Math.max(0, number - SENT_BEHIND) * ROWS_PER_GROUP;
}

/** Checks that exactly the groups 1..n are in the store, whole, for some n >= `reported`; answers n. */
export async function checkNumbered(store: Store, state: StoredState, reported: number): Promise<number> {
  const number = state.sessions[0]?.highest ?? 0;
  assert.ok(number >= reported, `group ${reported} was reported, the store knows ${number}`);
  assert.equal(await store.count(), number * ROWS_PER_GROUP, 'whole groups of rows');
  assert.equal(state.logs[0]?.cumulative ?? 0, number * (ROWS_PER_GROUP / 2), 'the log state of the same group');
  const sent = sentWith(number);
  assert.deepEqual(
    state.outbox.map(({ id }) => id),
    Array.from({ length: number * ROWS_PER_GROUP - sent }, (_, index) => sent + index + 1),
    'every unsent message, once',
  );
  for (const { id, row, arrival } of state.outbox) {
    const group = Math.ceil(id / ROWS_PER_GROUP);
    assert.equal(arrival.session, group);
    assert.deepEqual(row, numberedGroup(group).rows[(id - 1) % ROWS_PER_GROUP]?.row);
  }
  const rows = await store.readings({});
  assert.equal(rows.length, number * ROWS_PER_GROUP);
  assert.equal(new Set(rows.map(({ key, seq }) => `${key}:${seq}`)).size, rows.length, 'no row twice');
  return number;
}
