import type { SqlDatabase, SqlOpener } from './sqlite-driver.ts';
import { storeFailure, storeLocked } from './store-failure.ts';

export interface Lease {
  release(): void;
}

/**
 * Takes the exclusive lease of a store file, or throws `storeLocked`. The lease is an exclusive transaction on an empty database beside
 * the store: the operating system ends it with the process, however that dies, and nothing stale is ever left. It is not a lock on the
 * store itself, so other programs may read the readings while the head-end runs.
 */
export function takeLease(open: SqlOpener, file: string): Lease {
  let database: SqlDatabase | undefined;
  try {
    database = open(`${file}-lease`);
    // The write is never committed. It shows that the lock was granted: a transaction on a read-only file begins without one.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE; PRAGMA user_version = 1');
  } catch (error) {
    database?.close();
    if (error instanceof Error && /database is locked/.test(error.message)) {
      throw storeLocked(file, 'another head-end (a second Node-RED, a second network node or a wattmesh command)');
    }
    throw storeFailure(`${file}-lease`, error);
  }
  return {
    release() {
      database.exec('ROLLBACK');
      database.close();
    },
  };
}
