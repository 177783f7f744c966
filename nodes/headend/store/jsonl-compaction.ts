import { existsSync, statSync } from 'node:fs';
import { WattmeshError } from '../errors.ts';
import type { AppendOpener, AppendTarget } from './append-file.ts';
import { commitLine, effectsOf, JSONL_VERSION, type JsonlLine, lineText } from './jsonl-lines.ts';
import type { Effects, StoredRow, Tables } from './tables.ts';

/** Rows per line of a rewritten file. */
const ROWS_PER_LINE = 1_000;

/** The first line of every file. */
const headerLine: JsonlLine = { store: 'wattmesh', version: JSONL_VERSION };

/** Begins a new file; closes it again if that fails. */
export async function writeHeader(target: AppendTarget): Promise<void> {
  try {
    await target.append(lineText(headerLine));
  } catch (error) {
    await target.close();
    throw error;
  }
}

/** Makes one line read from the file true in `tables`. */
export function takeLine(file: string, tables: Tables, line: JsonlLine): void {
  if ('commit' in line) tables.apply(effectsOf(line.commit));
  else if ('epoch' in line) tables.ownerEpoch = line.epoch;
  else if ('snapshot' in line) {
    tables.ownerEpoch = line.snapshot.epoch;
    tables.outboxSent = line.snapshot.outboxSent;
    tables.lastId = line.snapshot.lastId;
    tables.archived = new Map(line.snapshot.archived);
  } else if (line.store !== 'wattmesh') {
    throw new WattmeshError('storeFailed', `${file} is a file of another program: choose another store file`);
  } else if (line.version > JSONL_VERSION) {
    const text = `the store ${file} was written by a newer release (version ${line.version}, this one knows ${JSONL_VERSION})`;
    throw new WattmeshError('storeFailed', `${text}: update this package`);
  }
}

/**
 * Moves rows to `<file>.archive`, one per line. After a crash in the middle a row may stand in the archive and in the file, or twice in
 * the archive; its identity tells.
 */
export async function archiveRows(
  tables: Tables,
  rows: readonly StoredRow[],
  file: string,
  openAppend: AppendOpener,
): Promise<void> {
  if (rows.length === 0) return;
  const archive = `${file}.archive`;
  const target = await openAppend(archive, existsSync(archive) ? statSync(archive).size : 0);
  try {
    for (const some of slices(rows)) await target.append(some.map(({ row }) => `${JSON.stringify(row)}\n`).join(''));
  } finally {
    await target.close();
  }
  tables.archive(rows);
}

/** Writes all that is in `tables`, and nothing that has been replaced, to a new file. */
export async function writeCompact(tables: Tables, file: string, openAppend: AppendOpener): Promise<void> {
  const target = await openAppend(file, 0);
  try {
    for (const line of compactLines(tables)) await target.append(lineText(line));
  } finally {
    await target.close();
  }
}

function* compactLines(tables: Tables): Generator<JsonlLine> {
  yield headerLine;
  const { ownerEpoch: epoch, outboxSent, lastId, archived } = tables;
  yield { snapshot: { epoch, outboxSent, lastId, archived: [...archived] } };
  const nothing: Effects = {
    rows: [],
    conflicts: [],
    nodes: [],
    sessions: [],
    clearedSessions: [],
    logs: [],
    outboxSent,
  };
  const { nodes, sessions, logs, admissions, secrets } = tables.state();
  const conflicts = [...tables.conflicts.values()].flat();
  yield commitLine({ ...nothing, nodes, sessions, logs, conflicts, admissions, secrets });
  const rows = [...tables.rows.values()].flatMap((log) => [...log.values()]).sort((a, b) => a.id - b.id);
  const unsent = new Map(tables.outbox.map((entry) => [entry.id, entry]));
  for (const some of slices(rows))
    yield commitLine({ ...nothing, rows: some.map((stored) => unsent.get(stored.id) ?? stored) });
}

function* slices(rows: readonly StoredRow[]): Generator<readonly StoredRow[]> {
  for (let from = 0; from < rows.length; from += ROWS_PER_LINE) yield rows.slice(from, from + ROWS_PER_LINE);
}
