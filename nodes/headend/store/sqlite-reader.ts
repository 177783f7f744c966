import { parseArrivals } from './packed-arrivals.ts';
import { CELLS_PER_ROW, cell, type PackedRows, unpackRow } from './packed-rows.ts';
import type { ConflictRecord } from './row-content.ts';
import { queryLimit } from './row-content.ts';
import type { SqlDatabase, SqlRow } from './sqlite-driver.ts';
import { cellColumns, cellNames } from './sqlite-row-insert.ts';
import type {
  AdmissionRecord,
  Arrival,
  LogState,
  NodeRecord,
  OutboxEntry,
  ReadingQuery,
  ReadingRow,
  SessionRecord,
  StoredState,
} from './store.ts';

const readingColumns = `key, log_id, ${cellColumns}`;
const readingTables = 'logs ON logs.id = readings.log JOIN keys ON keys.id = logs.key_id';

/** What the file says of its owner and its outbox. */
export interface HeadRow {
  readonly ownerEpoch: number;
  readonly outboxSent: number;
  readonly rowCount: number;
  /** The last outbox id given out. */
  readonly lastId: number;
}

export function readHead(database: SqlDatabase): HeadRow {
  const [head] = database
    .prepare('SELECT owner_epoch, outbox_sent, row_count, (SELECT max(id) FROM readings) AS last_id FROM head')
    .all();
  return {
    ownerEpoch: Number(head?.owner_epoch),
    outboxSent: Number(head?.outbox_sent),
    rowCount: Number(head?.row_count),
    lastId: Math.max(Number(head?.outbox_sent), Number(head?.last_id ?? 0)),
  };
}

export function readState(database: SqlDatabase): StoredState {
  return {
    nodes: database
      .prepare('SELECT * FROM nodes JOIN keys ON keys.id = nodes.key_id ORDER BY keys.id')
      .all()
      .map(nodeOf),
    sessions: database
      .prepare('SELECT * FROM sessions JOIN keys ON keys.id = sessions.key_id ORDER BY keys.id, slot')
      .all()
      .map(sessionOf),
    logs: database
      .prepare('SELECT * FROM logs JOIN keys ON keys.id = logs.key_id WHERE cumulative IS NOT NULL ORDER BY logs.id')
      .all()
      .map(logOf),
    admissions: database
      .prepare('SELECT content FROM admissions ORDER BY key')
      .all()
      .map(({ content }) => JSON.parse(String(content)) as AdmissionRecord),
    secrets: database
      .prepare('SELECT name, sealed FROM secrets ORDER BY name')
      .all()
      .map(({ name, sealed }) => ({ name: String(name), sealed: String(sealed) })),
    outbox: readOutbox(database),
  };
}

/** Rows by time, then by identity. */
export function readReadings(database: SqlDatabase, query: ReadingQuery): PackedRows {
  const limit = queryLimit(query);
  const { key, fromMs, toMs, newestFirst = false } = query;
  const order = newestFirst ? 'DESC' : 'ASC';
  const conditions = ['true'];
  if (key !== undefined)
    conditions.push('readings.log IN (SELECT logs.id FROM logs JOIN keys ON keys.id = key_id WHERE key = ?)');
  if (fromMs !== undefined) conditions.push('measured_at_ms >= ?');
  if (toMs !== undefined) conditions.push('measured_at_ms < ?');
  // Without statistics the planner would read a node's whole log for a day of it.
  const wholeLog = key !== undefined && fromMs === undefined && toMs === undefined && !newestFirst;
  const index = wholeLog ? 'readings_identity' : 'readings_time';
  const rows = database
    .prepare(
      `SELECT ${readingColumns} FROM readings INDEXED BY ${index} JOIN ${readingTables} WHERE ${conditions.join(' AND ')}
       ORDER BY measured_at_ms ${order}, key ${order}, log_id ${order}, seq ${order} LIMIT ${limit}`,
    )
    .all([key, fromMs, toMs].filter((value) => value !== undefined));
  return packStored(rows);
}

export function readConflicts(database: SqlDatabase): ConflictRecord[] {
  return database
    .prepare('SELECT key, content, received_at_ms FROM conflicts JOIN keys ON keys.id = key_id ORDER BY conflicts.id')
    .all()
    .map(({ key, content, received_at_ms }) => ({
      row: { key: String(key), ...JSON.parse(String(content)) } as ReadingRow,
      receivedAtMs: Number(received_at_ms),
    }));
}

/** Rows of `readingColumns` as packed rows. */
function packStored(rows: readonly SqlRow[]): PackedRows {
  const cells = new Float64Array(rows.length * CELLS_PER_ROW);
  const logs: [string, string][] = [];
  const indices = new Map<string, number>();
  rows.forEach((row, number) => {
    const name = `${row.key}:${row.log_id}`;
    if (!indices.has(name)) indices.set(name, logs.push([String(row.key), String(row.log_id)]) - 1);
    const at = number * CELLS_PER_ROW;
    cells[at + cell.log] = indices.get(name) as number;
    cellNames.forEach((column, index) => {
      cells[at + cell.seq + index] = (row[column] ?? Number.NaN) as number;
    });
  });
  return { logs, cells };
}

/** Unsent entries: the readings above `outbox_sent`, with their arrivals from the runs. */
function readOutbox(database: SqlDatabase): OutboxEntry[] {
  const { outboxSent } = readHead(database);
  const rows = database
    .prepare(
      `SELECT readings.id AS id, ${readingColumns} FROM readings JOIN ${readingTables} WHERE readings.id > ? ORDER BY readings.id`,
    )
    .all([outboxSent]);
  const packed = packStored(rows);
  const arrivals = readArrivals(database);
  return rows.map(({ id }, index) => ({
    id: Number(id),
    row: unpackRow(packed, index * CELLS_PER_ROW),
    arrival: arrivals.get(Number(id)) as Arrival,
  }));
}

function readArrivals(database: SqlDatabase): Map<number, Arrival> {
  const arrivals = new Map<number, Arrival>();
  for (const group of database.prepare('SELECT first_id, arrivals FROM outbox ORDER BY last_id').all()) {
    let id = Number(group.first_id);
    for (const arrival of parseArrivals(String(group.arrivals))) arrivals.set(id++, arrival);
  }
  return arrivals;
}

function nodeOf(row: SqlRow): NodeRecord {
  return {
    key: String(row.key),
    nodeId: String(row.node_id),
    meter: String(row.meter),
    name: String(row.name),
    role: row.role as NodeRecord['role'],
    shortId: Number(row.short_id),
    localHubId: Number(row.local_hub_id),
    handshake: Number(row.handshake),
    intervalS: Number(row.interval_s),
    pollCycleS: Number(row.poll_cycle_s),
    firmware: String(row.firmware),
    lastSeenMs: Number(row.last_seen_ms),
    energy: row.energy as NodeRecord['energy'],
    relay: row.relay === 1,
    suite: Number(row.suite),
  };
}

function sessionOf(row: SqlRow): SessionRecord {
  return {
    key: String(row.key),
    slot: row.slot as SessionRecord['slot'],
    sessionId: Number(row.session_id),
    suite: Number(row.suite),
    highest: Number(row.highest),
    window: BigInt(String(row.replay_window)),
    downCounter: Number(row.down_counter),
    handshakeHash: String(row.handshake_hash),
    logId: String(row.log_id),
    beganMs: Number(row.began_ms),
    sealedKeys: String(row.sealed_keys),
  };
}

function logOf(row: SqlRow): LogState {
  return {
    key: String(row.key),
    logId: String(row.log_id),
    cumulative: Number(row.cumulative),
    ranges: JSON.parse(String(row.ranges)),
    gaps: JSON.parse(String(row.gaps)),
  };
}
