import { WattmeshError } from '../errors.ts';
import type { CommitGroup, ReadingQuery, ReadingRow } from './store.ts';
import { READINGS_PER_QUERY_MAX } from './store.ts';

/** The registers a row may carry; an absent one is absent everywhere, never 0. */
export const registerFields = [
  'importDwh',
  'exportDwh',
  'powerDw',
  'voltageDv',
  'currentCa',
  'frequencyChz',
  'powerFactorPct',
] as const;

/** Quality as stored in columns: the index in this list. */
export const qualities = ['good', 'clock', 'estimated'] as const;

/** A row whose identity was stored already with other content. */
export interface ConflictRecord {
  readonly row: ReadingRow;
  readonly receivedAtMs: number;
}

/** Most conflicting rows kept aside per node; later ones are still reported by `commit`, but no longer kept. */
export const CONFLICTS_PER_NODE_MAX = 100;

/** True when two rows of one identity say the same. */
export function sameContent(a: ReadingRow, b: ReadingRow): boolean {
  return (
    a.measuredAtMs === b.measuredAtMs &&
    a.intervalS === b.intervalS &&
    a.quality === b.quality &&
    registerFields.every((field) => a[field] === b[field])
  );
}

/** Order of `readings`: by time, then by identity, so that every kind of store answers alike. */
export function compareRows(a: ReadingRow, b: ReadingRow): number {
  return a.measuredAtMs - b.measuredAtMs || compareText(a.key, b.key) || compareText(a.logId, b.logId) || a.seq - b.seq;
}

/** Order of texts as SQLite has it. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Throws `badField` for a group that no store could give back unchanged. */
export function checkGroup(group: CommitGroup): void {
  for (const { row } of group.rows) {
    checkInteger(row, 'seq');
    checkInteger(row, 'measuredAtMs');
    checkInteger(row, 'intervalS');
    if (!qualities.includes(row.quality)) {
      throw new WattmeshError('badField', `quality of reading ${identityOf(row)} is none of ${qualities.join(', ')}`);
    }
    for (const field of registerFields) if (row[field] !== undefined) checkInteger(row, field);
  }
  for (const { key, window } of group.sessions) {
    if (BigInt.asUintN(64, window) !== window) {
      throw new WattmeshError(
        'badField',
        `the replay window of node ${key} is not an unsigned 64-bit integer: ${window}`,
      );
    }
  }
}

type NumberField = 'seq' | 'measuredAtMs' | 'intervalS' | (typeof registerFields)[number];

function checkInteger(row: ReadingRow, field: NumberField): void {
  if (Number.isSafeInteger(row[field])) return;
  throw new WattmeshError('badField', `${field} of reading ${identityOf(row)} is no exact integer: ${row[field]}`);
}

/** The identity as text, as in `msg.wattmesh.id`. */
export function identityOf(row: ReadingRow): string {
  return `${row.key}:${row.logId}:${row.seq}`;
}

/** Throws `badField` when more messages are called sent than there are: a row stored later would never go out. */
export function checkOutboxSent(outboxSent: number, lastId: number): void {
  if (Number.isSafeInteger(outboxSent) && outboxSent >= 0 && outboxSent <= lastId) return;
  throw new WattmeshError('badField', `outbox entry ${outboxSent} cannot have been sent: the last one is ${lastId}`);
}

/** The epoch to take (PROTOCOL.md, owner epoch: 32 bits): max(stored + 1, `utcS`); throws `badField` where none is left. */
export function nextEpoch(stored: number, utcS: number): number {
  const epoch = Math.max(stored + 1, utcS);
  if (Number.isInteger(epoch) && epoch <= 0xffff_ffff) return epoch;
  throw new WattmeshError('badField', `owner epoch ${epoch} does not fit 32 bits: correct the clock of this machine`);
}

/** The limit of a query in rows: what is asked for, never above READINGS_PER_QUERY_MAX. */
export function queryLimit(query: ReadingQuery): number {
  const limit = query.limit ?? READINGS_PER_QUERY_MAX;
  if (!Number.isInteger(limit) || limit < 0) {
    throw new WattmeshError('badField', `a query's limit is a whole number of rows, not ${limit}`);
  }
  return Math.min(limit, READINGS_PER_QUERY_MAX);
}
