import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { storeLocked } from './store-failure.ts';

/** Tries against others that clear the same stale lock at the same moment. */
const TRIES_MAX = 5;

export interface LockFile {
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  /** When that process started, in the kernel's words; empty where the kernel does not tell. */
  readonly start: string;
  readonly token: string;
}

/**
 * Takes `<file>.lock` or throws `storeLocked`. The lock names a process by pid and start time, so that it dies with the process: a lock
 * whose process is gone, or whose pid belongs to a later process, is taken over. Limits: where the kernel does not tell start times
 * (anything but Linux) a re-used pid keeps the lock until the file is deleted by hand, and containers that share a folder but not their
 * process numbers do not see each other. SQLite's lease has neither limit.
 */
export async function takeLockFile(file: string): Promise<LockFile> {
  const lock = `${file}.lock`;
  const mine: Holder = { pid: process.pid, start: startOf(process.pid) ?? '', token: randomUUID() };
  const offered = `${lock}.${mine.token}`;
  await writeFile(offered, JSON.stringify(mine), { flush: true });
  try {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      if (await linked(offered, lock)) return { release: () => release(lock, mine.token) };
      const holder = await readHolder(lock);
      if (holder && isAlive(holder)) break;
      await setAside(lock, holder, `${offered}.stale`);
    }
  } finally {
    await rm(offered, { force: true });
  }
  throw storeLocked(file, `another process (see ${lock}; delete that file only if no such process runs)`);
}

/** A hard link is made as a whole or not at all. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a stale lock away. If somebody else's fresh lock was moved instead, it is put back. */
async function setAside(lock: string, stale: Holder | undefined, aside: string): Promise<void> {
  try {
    await rename(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = await readHolder(aside);
  if (moved && moved.token !== stale?.token) await linked(aside, lock);
  await rm(aside, { force: true });
}

async function release(lock: string, token: string): Promise<void> {
  const holder = await readHolder(lock);
  if (holder?.token === token) await rm(lock, { force: true });
}

async function readHolder(lock: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(lock, 'utf8')) as Holder;
  } catch (error) {
    // A lock is written before it gets its name: one that cannot be read is damaged, so nobody holds it.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive({ pid, start }: Holder): boolean {
  const found = startOf(pid);
  if (found !== undefined) return found === start;
  if (process.platform === 'linux') return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Boot and start time of a process, from Linux's proc(5): field 22 of `stat`, counted behind the name, which may hold anything. */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${boot}/${fields[19]}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
