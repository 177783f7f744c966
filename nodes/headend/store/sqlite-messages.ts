import type { ErrorName } from '../errors.ts';
import type { PackedArrivals } from './packed-arrivals.ts';
import type { PackedRows } from './packed-rows.ts';
import type { ConflictRecord } from './row-content.ts';
import type { DriverName } from './sqlite-driver.ts';
import type { PackedRecords } from './sqlite-records.ts';
import type { CommitGroup, ReadingQuery, StoredState } from './store.ts';

/** A commit group as it goes to the worker: one message. */
export interface PackedGroup extends Omit<CommitGroup, 'rows' | keyof PackedRecords> {
  readonly rows: PackedRows;
  readonly arrivals: PackedArrivals;
  readonly records: PackedRecords;
}

/** What became of each row, in the order given. */
export const fate = { stored: 0, duplicate: 1, conflict: 2 } as const;

export interface PackedResult {
  readonly fates: Uint8Array<ArrayBuffer>;
  /** Rows stored. */
  readonly stored: number;
  /** Outbox id of the first row stored; the others follow without a gap. */
  readonly firstId: number;
}

/** What the worker can be asked, with argument and answer. */
export interface WorkerCalls {
  open: { argument: { readonly file: string; readonly driver: DriverName }; answer: StoredState };
  takeEpoch: { argument: number; answer: number };
  commit: { argument: PackedGroup; answer: PackedResult };
  readings: { argument: ReadingQuery; answer: PackedRows };
  count: { argument: undefined; answer: number };
  conflicts: { argument: undefined; answer: ConflictRecord[] };
  close: { argument: undefined; answer: undefined };
}

export type WorkerCall = keyof WorkerCalls;

export interface WorkerRequest<Call extends WorkerCall = WorkerCall> {
  readonly id: number;
  readonly call: Call;
  readonly argument: WorkerCalls[Call]['argument'];
}

/** Errors cross threads by name and text: a class would not survive. */
export type WorkerReply =
  | { readonly id: number; readonly answer: WorkerCalls[WorkerCall]['answer'] }
  | { readonly id: number; readonly failed: { readonly reason: ErrorName; readonly message: string } };
