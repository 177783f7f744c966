import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** A running `store-child`. */
export interface StoreProcess {
  readonly lines: string[];
  /** Resolves with the first line (printed already or to come) that `wanted` accepts; rejects when the process ends without one. */
  line(wanted: (line: string) => boolean): Promise<string>;
  /** Kills it at once (SIGKILL) and waits until all it printed has been read. */
  kill(): Promise<void>;
  ended(): Promise<void>;
}

/** Starts `store-child` with these arguments, as another user if `uid` is given. */
export function startStoreProcess(args: readonly string[], uid?: number): StoreProcess {
  const script = fileURLToPath(new URL('./store-child.js', import.meta.url));
  const options = {
    stdio: ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid }),
  };
  const child: ChildProcessByStdio<null, Readable, null> = spawn(process.execPath, [script, ...args], options);
  const closed = once(child, 'close');
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface(child.stdout).on('line', (text) => {
    lines.push(text);
    for (const look of waiting) look();
  });
  return {
    lines,
    line: (wanted) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find(wanted);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void closed.then(() => reject(new Error(`the process ended after: ${lines.join(' | ')}`)));
      }),
    async kill() {
      child.kill('SIGKILL');
      await closed;
    },
    async ended() {
      await closed;
    },
  };
}
