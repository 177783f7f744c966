import { isBuiltin } from 'node:module';
import { WattmeshError } from '../errors.ts';

/** `node:sqlite` comes with Node >= 22.13, `libsql` is an optional package. */
export type DriverName = 'node:sqlite' | 'libsql';

/** What the schema is made of: no blobs and no integers beyond 2^53, which the two drivers give back differently. */
export type SqlValue = number | string | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

export interface SqlStatement {
  /** Runs it; rows changed. */
  run(values: readonly SqlValue[]): number;
  all(values?: readonly SqlValue[]): SqlRow[];
}

/** The little that both drivers do alike. */
export interface SqlDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  close(): void;
}

export type SqlOpener = (file: string) => SqlDatabase;

/** Node's first release in which `node:sqlite` needs no flag. */
const NODE_SQLITE_SINCE = [22, 13] as const;

/** The driver to use here, or undefined where none loads. */
export async function findDriver(): Promise<DriverName | undefined> {
  if (hasNodeSqlite()) return 'node:sqlite';
  try {
    await loadDriver('libsql');
    return 'libsql';
  } catch (error) {
    if (error instanceof WattmeshError && error.reason === 'noDriver') return undefined;
    throw error;
  }
}

/** True where `node:sqlite` can be loaded; it is not loaded here, because the first load prints a warning on some releases. */
export function hasNodeSqlite(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const recent = major > NODE_SQLITE_SINCE[0] || (major === NODE_SQLITE_SINCE[0] && minor >= NODE_SQLITE_SINCE[1]);
  return recent && isBuiltin('node:sqlite');
}

/** Loads a driver; throws `noDriver` where it does not load. */
export async function loadDriver(name: DriverName): Promise<SqlOpener> {
  try {
    return name === 'libsql' ? await loadLibsql() : await loadNodeSqlite();
  } catch (cause) {
    throw new WattmeshError('noDriver', noDriverText(`${name} does not load`), { cause });
  }
}

/** What is missing and what to do. */
export function noDriverText(problem: string): string {
  return `${problem}: install the optional package libsql, or use Node.js ${NODE_SQLITE_SINCE.join('.')} or later`;
}

interface NativeDatabase<Statement> {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

type NativeOpener<Statement> = new (file: string) => NativeDatabase<Statement>;

interface NodeStatement {
  run(...values: SqlValue[]): { changes: number | bigint };
  all(...values: SqlValue[]): SqlRow[];
}

async function loadNodeSqlite(): Promise<SqlOpener> {
  // The name is a variable because the types of the oldest supported Node do not know this module.
  const name = 'node:sqlite';
  const { DatabaseSync } = (await import(name)) as { DatabaseSync: NativeOpener<NodeStatement> };
  return (file) =>
    adapt(new DatabaseSync(file), (statement) => ({
      run: (values) => Number(statement.run(...values).changes),
      all: (values = []) => statement.all(...values),
    }));
}

/** libsql takes the values as one array faster than as arguments. */
interface LibsqlStatement {
  run(values: readonly SqlValue[]): { changes: number };
  all(values: readonly SqlValue[]): SqlRow[];
}

async function loadLibsql(): Promise<SqlOpener> {
  const name = 'libsql';
  const { default: Database } = (await import(name)) as { default: NativeOpener<LibsqlStatement> };
  return (file) =>
    adapt(new Database(file), (statement) => ({
      run: (values) => statement.run(values).changes,
      all: (values = []) => statement.all(values),
    }));
}

function adapt<Statement>(
  database: NativeDatabase<Statement>,
  adaptStatement: (statement: Statement) => SqlStatement,
): SqlDatabase {
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => adaptStatement(database.prepare(sql)),
    close: () => database.close(),
  };
}
