import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { fromHex, toHex } from '../../nodes/headend/bytes.ts';
import { decodeHostEnvelope, encodeGatewayEnvelope, type HostEnvelope } from '../../nodes/headend/frame/envelope.ts';

/** A message that a head-end told. */
export interface Told {
  readonly id: string;
  readonly redelivered: boolean;
}

/** What an event of a running head-end is waited for at most, ms. */
const PATIENCE_MS = 20_000;

/** A running `headend-child`, with the test as its one gateway. */
export class HeadEndProcess {
  readonly told: Told[] = [];
  readonly downs: HostEnvelope[] = [];
  readonly problems: string[] = [];
  /** Called with every envelope that comes down. */
  onDown: (envelope: HostEnvelope) => void = () => undefined;
  readonly #child: ReturnType<typeof start>;
  readonly #closed: Promise<unknown>;
  #isOpen = false;
  #changed: () => void = () => undefined;

  private constructor(args: readonly string[]) {
    this.#child = start(args);
    this.#closed = once(this.#child, 'close');
    createInterface(this.#child.stdout).on('line', (line) => this.#line(line));
    // What is written to a process that has just been killed is lost, as it should be.
    this.#child.stdin.on('error', () => undefined);
  }

  /** Starts one on a store; resolves once it is open. */
  static async started(driver: string, file: string, aheadMs: number): Promise<HeadEndProcess> {
    const process = new HeadEndProcess([driver, file, String(aheadMs)]);
    await process.until(() => process.#isOpen, 'open');
    return process;
  }

  up(number: number, packet: Uint8Array, route: readonly number[]): void {
    const item = { more: false, urgent: false, route: [...route], packet };
    const envelope = encodeGatewayEnvelope({ type: 'up', number, rssiDbm: -70, utcMs: 0, item });
    this.#child.stdin.write(`up ${toHex(envelope)}\n`);
  }

  /** Resolves when it has said enough for `condition`. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    let ended = false;
    void this.#closed.then(() => {
      ended = true;
      this.#changed();
    });
    while (!condition()) {
      if (ended) throw new Error(`the head-end ended before this: ${what}; ${this.problems.join(' | ')}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    clearTimeout(deadline);
  }

  /** Kills it at once (SIGKILL) and waits until all it said has been read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** Has it stop as it should. */
  async stop(): Promise<void> {
    this.#child.stdin.write('stop\n');
    await this.#closed;
  }

  #line(line: string): void {
    const [what = '', ...rest] = line.split(' ');
    if (what === 'open') this.#isOpen = true;
    else if (what === 'reading') this.told.push({ id: rest[0] ?? '', redelivered: rest[1] === 'true' });
    else if (what === 'problem') this.problems.push(rest.join(' '));
    else if (what === 'down') {
      const envelope = decodeHostEnvelope(fromHex(rest[0] ?? ''));
      this.downs.push(envelope);
      this.onDown(envelope);
    }
    this.#changed();
  }
}

function start(args: readonly string[]) {
  const script = fileURLToPath(new URL('./headend-child.js', import.meta.url));
  return spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}
