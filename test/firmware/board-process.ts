import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { SerialPortLike } from '../../nodes/headend/link/serial.ts';

/** What a board's process ends with when the firmware restarts the chip. */
const RESTART_CODE = 75;

export interface BoardOptions {
  readonly program: string;
  /** Of the air and the flash; boards of one folder hear each other. */
  readonly folder: string;
  /** Last byte of its MAC address. */
  readonly number: number;
  /** How many times faster than the machine's clock. */
  readonly speed: number;
  /** How far apart pulses on its line are, in its own time; 0: none. */
  readonly pulseMs?: number;
}

/** A board that is switched on. Switched on again it has the same flash. */
export class BoardProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Set<() => void>();
  #text = '';

  constructor({ program, folder, number, speed, pulseMs = 0 }: BoardOptions) {
    const words = [folder, String(number), String(speed), String(pulseMs * 1000)];
    this.#child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    // A board that has restarted takes no more.
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdout.on('data', (bytes: Buffer) => {
      this.#text += bytes.toString('latin1');
      for (const look of this.#waiting) look();
    });
  }

  /** Types a line at the console and resolves with what stands between it and its answer's last line, that one included. */
  async ask(line: string): Promise<string[]> {
    this.#text = '';
    this.#child.stdin.write(`${line}\n`);
    const answer = await this.heard(/^(ok|error: ).*\r\n/m);
    return answer.trimEnd().split('\r\n');
  }

  /** Resolves with all that was heard since the last question, once `pattern` is in it. */
  async heard(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#text)) {
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
    return this.#text;
  }

  /** Resolves when the firmware has restarted the chip. Throws when it ended in another way. */
  async restarted(): Promise<void> {
    const code = this.#child.exitCode ?? ((await once(this.#child, 'exit')) as [number | null])[0];
    if (code !== RESTART_CODE) throw new Error(`the board ended with code ${code}`);
  }

  async off(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  /** Its serial line as a port of the host. */
  port(): SerialPortLike {
    const child = this.#child;
    return {
      isOpen: true,
      open: (callback) => callback(null),
      write: (bytes, callback) => child.stdin.write(bytes, callback),
      close: (callback) => callback(null),
      on: (event: string, listener: (bytes: Uint8Array) => void) => {
        if (event === 'data') child.stdout.on('data', listener);
      },
    } as SerialPortLike;
  }
}
