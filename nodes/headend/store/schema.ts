import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { WattmeshError } from '../errors.ts';
import type { SqlDatabase } from './sqlite-driver.ts';

/** `PRAGMA application_id` of our files ("WMSH"): a foreign SQLite file is refused, not altered. */
export const APPLICATION_ID = 0x574d5348;

/**
 * Version 1. Keys are hex text, once per node; rows carry the small integer of their log. The 64-bit replay window is decimal text, for no
 * driver gives integers beyond 2^53 back alike. `readings.id` is the outbox id: ids ascend in the order of commit, a message is unsent
 * while its row's id is above `head.outbox_sent`. `outbox` has one row per commit: how its rows came in, as runs [rows, arrival].
 */
const version1 = `
CREATE TABLE head (
  one INTEGER PRIMARY KEY CHECK (one = 1), owner_epoch INTEGER NOT NULL, outbox_sent INTEGER NOT NULL, row_count INTEGER NOT NULL
) STRICT;
INSERT INTO head VALUES (1, 0, 0, 0);
CREATE TABLE keys (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE nodes (
  key_id INTEGER PRIMARY KEY REFERENCES keys (id), node_id TEXT NOT NULL, meter TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
  short_id INTEGER NOT NULL, local_hub_id INTEGER NOT NULL, handshake INTEGER NOT NULL, interval_s INTEGER NOT NULL,
  poll_cycle_s INTEGER NOT NULL, firmware TEXT NOT NULL, last_seen_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE sessions (
  key_id INTEGER NOT NULL REFERENCES keys (id), slot TEXT NOT NULL, session_id INTEGER NOT NULL, suite INTEGER NOT NULL,
  highest INTEGER NOT NULL, replay_window TEXT NOT NULL, down_counter INTEGER NOT NULL, handshake_hash TEXT NOT NULL,
  PRIMARY KEY (key_id, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE logs (
  id INTEGER PRIMARY KEY, key_id INTEGER NOT NULL REFERENCES keys (id), log_id TEXT NOT NULL,
  cumulative INTEGER, ranges TEXT, gaps TEXT, UNIQUE (key_id, log_id)
) STRICT;
CREATE TABLE readings (
  id INTEGER PRIMARY KEY, log INTEGER NOT NULL REFERENCES logs (id), seq INTEGER NOT NULL, measured_at_ms INTEGER NOT NULL,
  interval_s INTEGER NOT NULL, quality INTEGER NOT NULL, import_dwh INTEGER, export_dwh INTEGER, power_dw INTEGER,
  voltage_dv INTEGER, current_ca INTEGER, frequency_chz INTEGER, power_factor_pct INTEGER
) STRICT;
CREATE UNIQUE INDEX readings_identity ON readings (log, seq);
CREATE INDEX readings_time ON readings (measured_at_ms, log);
CREATE TABLE outbox (last_id INTEGER PRIMARY KEY, first_id INTEGER NOT NULL, arrivals TEXT NOT NULL) STRICT;
CREATE TABLE conflicts (
  id INTEGER PRIMARY KEY, key_id INTEGER NOT NULL REFERENCES keys (id), content TEXT NOT NULL, received_at_ms INTEGER NOT NULL,
  UNIQUE (key_id, content)
) STRICT;
`;

/** Version 2: sessions have keys and a beginning, devices are admitted by the operator, and there is a table of sealed secrets. */
const version2 = `
ALTER TABLE nodes ADD COLUMN energy TEXT NOT NULL DEFAULT 'mains';
ALTER TABLE nodes ADD COLUMN relay INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN suite INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN log_id TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN began_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN sealed_keys TEXT NOT NULL DEFAULT '';
CREATE TABLE admissions (key TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE secrets (name TEXT PRIMARY KEY, sealed TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** `migrations[n]` leads from version n to n + 1; the first makes an empty file ours. Released ones are never edited. */
export const migrations: readonly string[] = [version1, version2];

/**
 * Brings the file to the newest version, in one transaction. A file that holds something is first copied to `<file>.v<version>.bak`.
 * Throws `storeFailed` for a file that is newer than this program or not a store at all; such a file is left as it is.
 */
export function migrate(database: SqlDatabase, file: string, steps: readonly string[] = migrations): void {
  const version = pragma(database, 'user_version');
  if (version === 0) refuseForeign(database, file);
  else if (pragma(database, 'application_id') !== APPLICATION_ID) throw foreign(file);
  if (version > steps.length) {
    throw new WattmeshError(
      'storeFailed',
      `the store ${file} was written by a newer release (schema ${version}, this one knows up to ${steps.length}): ` +
        `update this package, or restore the backup ${backupName(file, steps.length)} if there is one`,
    );
  }
  if (version === steps.length) return;
  if (version > 0) backUp(database, backupName(file, version));
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const step of steps.slice(version)) database.exec(step);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${steps.length}`);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** Where the copy made before a migration lies. */
export function backupName(file: string, version: number): string {
  return `${file}.v${version}.bak`;
}

/** Copies by SQLite itself: opening the file by other means would end this process's locks on it (POSIX). */
function backUp(database: SqlDatabase, target: string): void {
  const unfinished = `${target}.part`;
  rmSync(unfinished, { force: true });
  database.exec(`VACUUM INTO '${unfinished.replaceAll("'", "''")}'`);
  const handle = openSync(unfinished, 'r+');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(unfinished, target);
}

function refuseForeign(database: SqlDatabase, file: string): void {
  const [count] = database.prepare('SELECT count(*) AS n FROM sqlite_schema').all();
  if (count?.n !== 0) throw foreign(file);
}

function foreign(file: string): WattmeshError {
  return new WattmeshError('storeFailed', `${file} is a database of another program: choose another store file`);
}

function pragma(database: SqlDatabase, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).all()[0]?.[name]);
}
