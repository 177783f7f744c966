import assert from 'node:assert/strict';
import type { ReadingMessage } from '../../nodes/headend/messages.ts';
import { identityOf, type Measured } from './mesh.ts';
import type { StoredRow } from './stored.ts';

/** Register units per unit of a message field: fixed-point decimals of PROTOCOL.md, written down here a second time. */
const FIELDS = {
  importDwh: ['energy_import_kwh', 10_000],
  exportDwh: ['energy_export_kwh', 10_000],
  powerDw: ['power_w', 10],
  voltageDv: ['voltage_v', 10],
  currentCa: ['current_a', 100],
  frequencyChz: ['frequency_hz', 100],
  powerFactorPct: ['power_factor', 100],
} as const;
type Register = keyof typeof FIELDS;
const REGISTERS = Object.keys(FIELDS) as Register[];

/** Identity of a message's reading. */
export function messageIdentity({ wattmesh }: ReadingMessage): string {
  const [, logId = '', seq = ''] = wattmesh.id.split(':');
  return identityOf({ nodeId: wattmesh.nodeId, logId, seq: Number(seq) });
}

/** What was measured and has not gone out as a message. */
export function missing(measured: readonly Measured[], messages: readonly ReadingMessage[]): string[] {
  const told = new Set(messages.map(messageIdentity));
  return measured.map(identityOf).filter((identity) => !told.has(identity));
}

/** Asserts that the store holds every measured row exactly once, with its values and its moment, and nothing else. */
export function assertStoredExactlyOnce(measured: readonly Measured[], stored: readonly StoredRow[]): void {
  const wanted = new Map(measured.map((row) => [identityOf(row), storedForm(row)]));
  assert.equal(stored.length, new Set(stored.map(identityOf)).size, 'some rows are stored twice');
  const moments = new Set(stored.map(({ nodeId, measuredAtMs }) => `${nodeId} ${measuredAtMs}`));
  assert.equal(stored.length, moments.size, 'two rows of the same moment are stored');
  const found = new Map(stored.map((row) => [identityOf(row), row]));
  const lost = [...wanted.keys()].filter((identity) => !found.has(identity));
  assert.deepEqual(lost, [], 'measured and not stored');
  for (const [identity, row] of found) assert.deepEqual(row, wanted.get(identity), `stored row ${identity}`);
}

/**
 * Asserts that every measured row went out as a message with its values and its moment, and that whatever went out again said so and said the
 * same. Returns how many were repeats.
 */
export function assertTold(measured: readonly Measured[], messages: readonly ReadingMessage[]): number {
  assert.deepEqual(missing(measured, messages), [], 'measured, and never a message');
  const wanted = new Map(measured.map((row) => [identityOf(row), messageForm(row)]));
  const told = new Set<string>();
  let repeats = 0;
  for (const message of messages) {
    const identity = messageIdentity(message);
    const { interval_s, measuredAt } = message.payload;
    const values = REGISTERS.map((register) => message.payload[FIELDS[register][0]]);
    assert.deepEqual({ measuredAt, interval_s, values }, wanted.get(identity), `message of ${identity}`);
    if (told.has(identity)) {
      assert.equal(message.wattmesh.redelivered, true, `${identity} went out again without saying so`);
      repeats++;
    }
    told.add(identity);
  }
  return repeats;
}

function storedForm({ nodeId, logId, seq, measuredAtMs, intervalS, ...row }: Measured): StoredRow {
  const values = REGISTERS.filter((register) => row[register] !== undefined).map((register) => [
    register,
    row[register],
  ]);
  return { nodeId, logId, seq, measuredAtMs, intervalS, values: Object.fromEntries(values) as Record<string, number> };
}

function messageForm(row: Measured) {
  const values = REGISTERS.map((register) => {
    const value = row[register];
    return value === undefined ? undefined : value / FIELDS[register][1];
  });
  return { measuredAt: new Date(row.measuredAtMs).toISOString(), interval_s: row.intervalS, values };
}
