import { formatArrivals, storedArrivals, unpackArrivals } from './packed-arrivals.ts';
import { CELLS_PER_ROW, cell, type PackedRows, unpackRow } from './packed-rows.ts';
import { CONFLICTS_PER_NODE_MAX, checkOutboxSent, registerFields } from './row-content.ts';
import type { SqlDatabase, SqlStatement, SqlValue } from './sqlite-driver.ts';
import { fate, type PackedGroup, type PackedResult } from './sqlite-messages.ts';
import { logsTarget, nodesTarget, sessionsTarget } from './sqlite-records.ts';
import { cellColumns, cellNames, cellValue, RowInsert } from './sqlite-row-insert.ts';
import { placeholders, ROWS_PER_STATEMENT, Upsert, type UpsertTarget } from './sqlite-upsert.ts';
import type { Arrival } from './store.ts';

/** Most ids of keys and logs remembered between commits; past it they are looked up again. */
const IDS_MAX = 100_000;

const admissionsTarget: UpsertTarget = { table: 'admissions', identity: ['key'], content: ['content'] };

const secretsTarget: UpsertTarget = { table: 'secrets', identity: ['name'], content: ['sealed'] };

/** Writes commit groups. Whoever calls `write` holds the transaction; after a rollback `forget` must be called. */
export class SqliteWriter {
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #readings: RowInsert;
  readonly #nodes: Upsert;
  readonly #sessions: Upsert;
  readonly #logs: Upsert;
  readonly #admissions: Upsert;
  readonly #secrets: Upsert;
  readonly #keyIds = new Map<string, number>();
  readonly #logIds = new Map<string, number>();

  constructor(database: SqlDatabase) {
    this.#statements = prepareStatements(database);
    this.#readings = new RowInsert(database);
    this.#nodes = new Upsert(database, nodesTarget);
    this.#sessions = new Upsert(database, sessionsTarget);
    this.#logs = new Upsert(database, logsTarget);
    this.#admissions = new Upsert(database, admissionsTarget);
    this.#secrets = new Upsert(database, secretsTarget);
  }

  /** Writes one group inside the caller's transaction. `lastId` is the last outbox id given out so far. */
  write(group: PackedGroup, lastId: number): PackedResult {
    checkOutboxSent(group.outboxSent, lastId);
    if (this.#keyIds.size > IDS_MAX || this.#logIds.size > IDS_MAX) this.forget();
    const fates = this.#writeRows(group, lastId);
    const stored = fates.reduce((count, one) => count + (one === fate.stored ? 1 : 0), 0);
    if (stored > 0) this.#statements.outbox.run([lastId + stored, lastId + 1, arrivalsText(group, fates, stored)]);
    this.#statements.head.run([group.outboxSent, stored]);
    this.#statements.sent.run([group.outboxSent]);
    this.#upsert(this.#nodes, group.records.nodes);
    for (const { key, slot } of group.clearedSessions) this.#statements.clearSession.run([this.#keyId(key), slot]);
    this.#upsert(this.#sessions, group.records.sessions);
    this.#upsert(this.#logs, group.records.logs);
    this.#writeAdmissions(group);
    return { fates, stored, firstId: lastId + 1 };
  }

  #writeAdmissions({ admissions = [], droppedAdmissions = [], secrets = [], droppedSecrets = [] }: PackedGroup): void {
    for (const key of droppedAdmissions) this.#statements.dropAdmission.run([key]);
    this.#admissions.run(admissions.flatMap((admission) => [admission.key, JSON.stringify(admission)]));
    for (const name of droppedSecrets) this.#statements.dropSecret.run([name]);
    this.#secrets.run(secrets.flatMap(({ name, sealed }) => [name, sealed]));
  }

  /** Writes packed records, with their keys' ids in place of the keys. */
  #upsert(table: Upsert, values: SqlValue[]): void {
    for (let at = 0; at < values.length; at += table.width) values[at] = this.#keyId(values[at] as string);
    table.run(values);
  }

  /** Forgets ids that a rollback may have undone. */
  forget(): void {
    this.#keyIds.clear();
    this.#logIds.clear();
  }

  #writeRows({ rows, arrivals }: PackedGroup, lastId: number): Uint8Array<ArrayBuffer> {
    const logIds = rows.logs.map(([key, logId]) => this.#logId(key, logId));
    const fates = new Uint8Array(rows.cells.length / CELLS_PER_ROW);
    let id = lastId;
    let arrivedAt: Arrival[] | undefined;
    for (let from = 0; from < fates.length; from += ROWS_PER_STATEMENT) {
      const isWhole = from + ROWS_PER_STATEMENT <= fates.length;
      if (isWhole && this.#insertedAll(rows, logIds, from, id + 1)) {
        id += ROWS_PER_STATEMENT;
        continue;
      }
      for (let index = from; index < Math.min(from + ROWS_PER_STATEMENT, fates.length); index++) {
        const verdict = this.#writeRow(id + 1, readingValues(rows, logIds, index));
        fates[index] = verdict;
        if (verdict === fate.stored) id++;
        else if (verdict === fate.conflict) {
          arrivedAt ??= unpackArrivals(arrivals);
          this.#keepAside(rows, index * CELLS_PER_ROW, arrivedAt[index]?.receivedAtMs ?? arrivals.baseMs);
        }
      }
    }
    return fates;
  }

  /** Inserts ROWS_PER_STATEMENT readings at once; false, and nothing inserted, when one of their identities is known. */
  #insertedAll(rows: PackedRows, logIds: readonly number[], from: number, firstId: number): boolean {
    try {
      this.#readings.run(rows, logIds, from, firstId);
      return true;
    } catch (error) {
      if (error instanceof Error && /UNIQUE constraint failed: readings\.log/.test(error.message)) return false;
      throw error;
    }
  }

  /** Inserts one reading unless its identity is known: log, then the cells from seq on. */
  #writeRow(id: number, values: readonly SqlValue[]): number {
    const [stored] = this.#statements.storedReading.all(values.slice(0, 2));
    if (!stored) {
      this.#statements.reading.run([id, ...values]);
      return fate.stored;
    }
    return cellNames.every((name, index) => stored[name] === values[1 + index]) ? fate.duplicate : fate.conflict;
  }

  #keepAside(rows: PackedRows, at: number, receivedAtMs: number): void {
    const row = unpackRow(rows, at);
    const keyId = this.#keyId(row.key);
    this.#statements.conflict.run([keyId, conflictContent(row), receivedAtMs, keyId, CONFLICTS_PER_NODE_MAX]);
  }

  #keyId(key: string): number {
    const known = this.#keyIds.get(key);
    if (known !== undefined) return known;
    const id = idOf(this.#statements.newKey, this.#statements.findKey, key);
    this.#keyIds.set(key, id);
    return id;
  }

  #logId(key: string, logId: string): number {
    const name = `${key}:${logId}`;
    const known = this.#logIds.get(name);
    if (known !== undefined) return known;
    const id = idOf(this.#statements.newLog, this.#statements.findLog, this.#keyId(key), logId);
    this.#logIds.set(name, id);
    return id;
  }
}

/** Values of one reading: log, then the cells from seq on. */
function readingValues({ cells }: PackedRows, logIds: readonly number[], index: number): SqlValue[] {
  const at = index * CELLS_PER_ROW;
  const values: SqlValue[] = [logIds[cells[at + cell.log] as number] as number];
  for (let offset = cell.seq; offset < CELLS_PER_ROW; offset++) values.push(cellValue(cells[at + offset] as number));
  return values;
}

function idOf(insert: SqlStatement, find: SqlStatement, ...values: SqlValue[]): number {
  insert.run(values);
  return Number(find.all(values)[0]?.id);
}

/** The content of a conflicting row as text: its fields in a fixed order, so that a repetition is recognised. */
function conflictContent(row: ReturnType<typeof unpackRow>): string {
  const { logId, seq, measuredAtMs, intervalS, quality } = row;
  const registers = Object.fromEntries(registerFields.map((field) => [field, row[field]]));
  return JSON.stringify({ logId, seq, measuredAtMs, intervalS, quality, ...registers });
}

/** How the stored rows of a group came in. */
function arrivalsText({ arrivals }: PackedGroup, fates: Uint8Array, stored: number): string {
  const isWhole = stored === fates.length;
  return formatArrivals(isWhole ? arrivals : storedArrivals(arrivals, (row) => fates[row] === fate.stored));
}

function prepareStatements(database: SqlDatabase) {
  return {
    reading: database.prepare(
      `INSERT INTO readings (id, log, ${cellColumns}) VALUES ${placeholders(2 + cellNames.length, 1)}`,
    ),
    storedReading: database.prepare(`SELECT ${cellColumns} FROM readings WHERE log = ? AND seq = ?`),
    conflict: database.prepare(
      `INSERT INTO conflicts (key_id, content, received_at_ms) SELECT ?, ?, ?
       WHERE (SELECT count(*) FROM conflicts WHERE key_id = ?) < ? ON CONFLICT DO NOTHING`,
    ),
    outbox: database.prepare('INSERT INTO outbox (last_id, first_id, arrivals) VALUES (?, ?, ?)'),
    head: database.prepare('UPDATE head SET outbox_sent = max(outbox_sent, ?), row_count = row_count + ?'),
    sent: database.prepare('DELETE FROM outbox WHERE last_id <= ?'),
    clearSession: database.prepare('DELETE FROM sessions WHERE key_id = ? AND slot = ?'),
    dropAdmission: database.prepare('DELETE FROM admissions WHERE key = ?'),
    dropSecret: database.prepare('DELETE FROM secrets WHERE name = ?'),
    newKey: database.prepare('INSERT INTO keys (key) VALUES (?) ON CONFLICT DO NOTHING'),
    findKey: database.prepare('SELECT id FROM keys WHERE key = ?'),
    newLog: database.prepare('INSERT INTO logs (key_id, log_id) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    findLog: database.prepare('SELECT id FROM logs WHERE key_id = ? AND log_id = ?'),
  };
}
