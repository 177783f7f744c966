import { WattmeshError } from '../errors.ts';
import type { ConflictRecord } from './row-content.ts';
import {
  CONFLICTS_PER_NODE_MAX,
  checkGroup,
  checkOutboxSent,
  compareRows,
  compareText,
  identityOf,
  queryLimit,
  sameContent,
} from './row-content.ts';
import { holdsSeq, type SeqRange, withSeqs } from './seq-ranges.ts';
import type {
  AdmissionRecord,
  Arrival,
  CommitGroup,
  CommitResult,
  LogState,
  NodeRecord,
  OutboxEntry,
  ReadingQuery,
  ReadingRow,
  SecretRecord,
  SessionRecord,
  StoredState,
} from './store.ts';

/** A row with its outbox id. */
export interface StoredRow {
  readonly id: number;
  readonly row: ReadingRow;
}

/** What a commit changes, worked out before anything is changed. `arrival` is absent once the message has gone out. */
export interface Effects {
  readonly rows: readonly (StoredRow & { readonly arrival?: Arrival })[];
  readonly conflicts: readonly ConflictRecord[];
  readonly nodes: readonly NodeRecord[];
  readonly sessions: readonly SessionRecord[];
  readonly clearedSessions: CommitGroup['clearedSessions'];
  readonly logs: readonly LogState[];
  readonly outboxSent: number;
  readonly admissions?: readonly AdmissionRecord[];
  readonly droppedAdmissions?: readonly string[];
  readonly secrets?: readonly SecretRecord[];
  readonly droppedSecrets?: readonly string[];
}

/** Effects together with what the committer is told. */
export interface Judgement {
  readonly effects: Effects;
  readonly result: CommitResult;
}

/**
 * The content of a store in memory: what MemoryStore is, and what JsonlStore holds beside its file. `judge` only looks, `apply` only
 * changes: between the two a durable store writes the effects down.
 */
export class Tables {
  readonly nodes = new Map<string, NodeRecord>();
  readonly sessions = new Map<string, SessionRecord>();
  readonly logs = new Map<string, LogState>();
  readonly admissions = new Map<string, AdmissionRecord>();
  readonly secrets = new Map<string, SecretRecord>();
  readonly conflicts = new Map<string, ConflictRecord[]>();
  /** Rows by log, then by seq. */
  readonly rows = new Map<string, Map<number, StoredRow>>();
  /** Seqs by log of rows that were moved out of here: known, no longer held. */
  archived = new Map<string, readonly SeqRange[]>();
  readonly #rowsMax: number;
  outbox: OutboxEntry[] = [];
  outboxSent = 0;
  lastId = 0;
  ownerEpoch = 0;
  rowCount = 0;

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  /** Works out what a group would change; throws `badField` for a group that cannot be stored and `storeFailed` when it does not fit. */
  judge(group: CommitGroup): Judgement {
    checkGroup(group);
    checkOutboxSent(group.outboxSent, this.lastId);
    const fresh = new Map<string, OutboxEntry>();
    const conflicts: ConflictRecord[] = [];
    let duplicates = 0;
    for (const { row, arrival } of group.rows) {
      const identity = identityOf(row);
      const known = this.#known(row) ?? fresh.get(identity)?.row;
      if (!known) fresh.set(identity, { id: this.lastId + fresh.size + 1, row, arrival });
      else if (known === 'archived' || sameContent(known, row)) duplicates++;
      else conflicts.push({ row, receivedAtMs: arrival.receivedAtMs });
    }
    if (this.rowCount + fresh.size > this.#rowsMax) {
      throw new WattmeshError('storeFailed', `this store holds at most ${this.#rowsMax} rows: use an SQLite store`);
    }
    const outbox = [...fresh.values()];
    return {
      effects: { ...group, rows: outbox, conflicts },
      result: { outbox, duplicates, conflicts: conflicts.map((conflict) => conflict.row) },
    };
  }

  /** Makes the effects true. */
  apply(effects: Effects): void {
    this.markSent(effects.outboxSent);
    for (const { id, row, arrival } of effects.rows) {
      this.#insert({ id, row });
      if (arrival && id > this.outboxSent) this.outbox.push({ id, row, arrival });
    }
    for (const conflict of effects.conflicts) this.#keepAside(conflict);
    for (const node of effects.nodes) this.nodes.set(node.key, node);
    for (const { key, slot } of effects.clearedSessions) this.sessions.delete(`${key}:${slot}`);
    for (const session of effects.sessions) this.sessions.set(`${session.key}:${session.slot}`, session);
    for (const log of effects.logs) this.logs.set(logKeyOf(log), log);
    for (const key of effects.droppedAdmissions ?? []) this.admissions.delete(key);
    for (const admission of effects.admissions ?? []) this.admissions.set(admission.key, admission);
    for (const name of effects.droppedSecrets ?? []) this.secrets.delete(name);
    for (const secret of effects.secrets ?? []) this.secrets.set(secret.name, secret);
  }

  /** Notes that messages up to and including `id` have gone out. */
  markSent(id: number): void {
    this.outboxSent = Math.max(this.outboxSent, id);
    if (this.outbox[0] && this.outbox[0].id <= this.outboxSent) {
      this.outbox = this.outbox.filter((entry) => entry.id > this.outboxSent);
    }
  }

  state(): StoredState {
    return {
      nodes: [...this.nodes.values()],
      sessions: [...this.sessions.values()],
      logs: [...this.logs.values()],
      admissions: [...this.admissions.values()].sort((a, b) => compareText(a.key, b.key)),
      secrets: [...this.secrets.values()].sort((a, b) => compareText(a.name, b.name)),
      outbox: [...this.outbox],
    };
  }

  readings(query: ReadingQuery): ReadingRow[] {
    const limit = queryLimit(query);
    const { key, fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = query;
    const found: ReadingRow[] = [];
    for (const log of this.rows.values()) {
      for (const { row } of log.values()) {
        if (key !== undefined && row.key !== key) break;
        if (row.measuredAtMs >= fromMs && row.measuredAtMs < toMs) found.push(row);
      }
    }
    const order = query.newestFirst ? -1 : 1;
    return found.sort((a, b) => order * compareRows(a, b)).slice(0, limit);
  }

  /** The oldest rows whose message has gone out, `countMax` at most, in the order of their ids. */
  oldestSent(countMax: number): StoredRow[] {
    const sent = [...this.rows.values()].flatMap((log) => [...log.values()].filter(({ id }) => id <= this.outboxSent));
    return sent.sort((a, b) => a.id - b.id).slice(0, countMax);
  }

  /** Lets go of rows that are kept elsewhere now; they stay known by identity. */
  archive(rows: readonly StoredRow[]): void {
    const seqs = new Map<string, number[]>();
    for (const { row } of rows) {
      const log = logKeyOf(row);
      if (!this.rows.get(log)?.delete(row.seq)) continue;
      this.rowCount--;
      const gone = seqs.get(log);
      if (gone) gone.push(row.seq);
      else seqs.set(log, [row.seq]);
    }
    for (const [log, gone] of seqs) {
      if (this.rows.get(log)?.size === 0) this.rows.delete(log);
      this.archived.set(log, withSeqs(this.archived.get(log) ?? [], gone));
    }
  }

  #known(row: ReadingRow): ReadingRow | 'archived' | undefined {
    const log = logKeyOf(row);
    const stored = this.rows.get(log)?.get(row.seq)?.row;
    if (stored) return stored;
    return holdsSeq(this.archived.get(log) ?? [], row.seq) ? 'archived' : undefined;
  }

  #insert(stored: StoredRow): void {
    const log = logKeyOf(stored.row);
    const rows = this.rows.get(log) ?? new Map<number, StoredRow>();
    this.rows.set(log, rows);
    rows.set(stored.row.seq, stored);
    this.rowCount++;
    this.lastId = Math.max(this.lastId, stored.id);
  }

  #keepAside(conflict: ConflictRecord): void {
    const kept = this.conflicts.get(conflict.row.key) ?? [];
    this.conflicts.set(conflict.row.key, kept);
    const same = ({ row }: ConflictRecord) =>
      identityOf(row) === identityOf(conflict.row) && sameContent(row, conflict.row);
    if (kept.length < CONFLICTS_PER_NODE_MAX && !kept.some(same)) kept.push(conflict);
  }
}

/** One log of one node as a map key. */
export function logKeyOf(log: { readonly key: string; readonly logId: string }): string {
  return `${log.key}:${log.logId}`;
}
