import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_TIMEOUT_MS = 10_000;

const running = new Set<ChildProcess>();
const folders = new Set<string>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Two pseudo terminals joined by socat like two serial ports by a cable; the paths stay the same when the cable is put back. */
export class PtyPair {
  readonly host: string;
  readonly device: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
    this.host = join(folder, 'host');
    this.device = join(folder, 'device');
  }

  /** Makes a pair with the cable plugged in. */
  static async start(): Promise<PtyPair> {
    const folder = mkdtempSync(join(tmpdir(), 'wattmesh-pty-'));
    folders.add(folder);
    const pair = new PtyPair(folder);
    await pair.plug();
    return pair;
  }

  /** Puts the cable back; resolves when both ports exist. */
  async plug(): Promise<void> {
    const end = (path: string): string => `PTY,raw,echo=0,link=${path}`;
    const child = spawn('socat', ['-d', '-d', end(this.host), end(this.device)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    let log = '';
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`socat ${why}:\n${log}`));
      const late = setTimeout(() => fail('did not start in time'), START_TIMEOUT_MS);
      child.once('error', reject);
      child.once('exit', () => fail('ended'));
      child.stderr.on('data', (text: Buffer) => {
        log += text;
        if (!log.includes('starting data transfer loop')) return;
        child.stderr.removeAllListeners('data').resume();
        clearTimeout(late);
        resolve();
      });
    });
  }

  /** Pulls the cable: both ports vanish. */
  async pull(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  }

  /** Pulls the cable for good and removes the folder of the ports. */
  async remove(): Promise<void> {
    await this.pull();
    rmSync(this.#folder, { recursive: true, force: true });
    folders.delete(this.#folder);
  }
}
