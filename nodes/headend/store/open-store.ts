import { existsSync } from 'node:fs';
import { WattmeshError } from '../errors.ts';
import { JsonlStore } from './jsonl.ts';
import { MemoryStore } from './memory.ts';
import { SqliteStore } from './sqlite.ts';
import { type DriverName, findDriver as findInstalledDriver, noDriverText } from './sqlite-driver.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  /** Path of the SQLite file, `<network>.sqlite`; a JSONL store lies beside it as `<network>.jsonl`. */
  readonly file: string;
  /** `auto` (default): SQLite, or JSONL with a warning where no driver loads. */
  readonly kind?: 'auto' | 'sqlite' | 'jsonl' | 'memory';
  /** How a driver is looked for; replaced by tests. */
  readonly findDriver?: () => Promise<DriverName | undefined>;
}

/**
 * Chooses the store for a file; call `open()` on it next. Throws `noDriver` where SQLite is asked for, or an SQLite file exists, and no
 * driver loads: readings that are there already are never passed over silently. For the same reason a JSONL store that exists is kept in
 * use, with a warning, when a driver has become available.
 */
export async function openStore({
  file,
  kind = 'auto',
  findDriver = findInstalledDriver,
}: StoreOptions): Promise<Store> {
  if (kind === 'memory') return new MemoryStore();
  const jsonl = jsonlName(file);
  if (kind === 'jsonl') return new JsonlStore({ file: jsonl });
  const driver = await findDriver();
  if (kind === 'auto' && !existsSync(file)) {
    if (!driver) return new JsonlStore({ file: jsonl });
    if (existsSync(jsonl)) return new JsonlStore({ file: jsonl, warning: keptWarning(jsonl) });
  }
  if (!driver)
    throw new WattmeshError('noDriver', noDriverText(`the store ${file} is SQLite, but no driver for it loads`));
  return new SqliteStore({ file, driver });
}

function jsonlName(file: string): string {
  return file.endsWith('.jsonl') ? file : `${file.replace(/\.sqlite$/, '')}.jsonl`;
}

function keptWarning(jsonl: string): string {
  return `SQLite is available now, but this network's readings are in ${jsonl}, which stays in use: to start anew with SQLite, move that file away`;
}
