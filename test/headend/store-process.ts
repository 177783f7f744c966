import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
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

/** Starts `store-child` with these arguments. */
export function startStoreProcess(args: readonly string[]): StoreProcess {
  const script = fileURLToPath(new URL('./store-child.js', import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
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
