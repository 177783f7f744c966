import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type RunningNodeRed, startNodeRed } from '../support/node-red.ts';
import { SECRETS } from '../support/secrets.ts';
import { startFastTime } from './fast-time.ts';
import { missing } from './judge.ts';
import { FastMesh, type Measured, NETWORK } from './mesh.ts';
import { Outlet } from './outlet.ts';
import { type StoredRow, storedRows } from './stored.ts';

/**
 * Ten simulated minutes take half a minute. The simulated mesh and the whole Node-RED process (see `installFastClock`) live in the same fast
 * time, so that every period and time-out of gateway and head-end keeps its proportion to the others; only computing, the disk, the line and
 * the broker take the machine's time, that is, twenty times as long as they would.
 */
const FACTOR = 20;
/** Node-RED ends a node that is not closed after 15 s; closing works at the machine's pace. */
const CLOSE_TIMEOUT_MS = 15_000 * FACTOR;
/** Tab of the flow. */
export const TAB = 'tab';
/** Id of the network's config node. */
export const NETWORK_NODE = 'network';
/** Longest wait for all rows to arrive after the last was measured, simulated s. */
const DRAIN_S = 600;
const LOOK_AGAIN_S = 5;

export interface BenchOptions {
  /** Settings of the `wattmesh-network` node: connection and what belongs to it. */
  readonly connection: Readonly<Record<string, unknown>>;
  /** The gateway has a serial line. */
  readonly serialHost: boolean;
  /** The nodes of the flow that hand readings to the node `messages`; default: one `wattmesh-readings`, called `readings`. */
  readonly flow?: readonly object[];
}

/** A real Node-RED with the nodes under test and a store on disk, and the simulated mesh that is to be connected with it. */
export class Bench {
  readonly mesh: FastMesh;
  readonly outlet: Outlet;
  readonly #time = startFastTime(FACTOR);
  readonly #userDir = mkdtempSync(join(tmpdir(), 'wattmesh-acceptance-'));
  #nodeRed: RunningNodeRed | undefined;

  private constructor(serialHost: boolean) {
    this.mesh = new FastMesh(this.#time, { serialHost });
    this.outlet = new Outlet(this.#userDir);
    const clock = fileURLToPath(new URL('./fast-clock.js', import.meta.url));
    const call = `require(${JSON.stringify(clock)}).installFastClock(${JSON.stringify(this.#time)});\n`;
    writeFileSync(this.#preload, call);
  }

  /** Starts Node-RED with the flow, and the mesh. */
  static async start({ connection, serialHost, flow = [readingsNode()] }: BenchOptions): Promise<Bench> {
    const bench = new Bench(serialHost);
    try {
      const nodeRed = await bench.startNodeRed();
      await nodeRed.deploy([
        { id: TAB, type: 'tab', label: 'Acceptance' },
        { ...networkNode(), ...connection },
        ...flow,
        ...memoryNodes(),
        ...bench.outlet.nodes(TAB),
      ]);
      return bench;
    } catch (error) {
      await bench.remove();
      throw error;
    }
  }

  /** Starts Node-RED, again after it was killed, on the same user directory. */
  async startNodeRed(): Promise<RunningNodeRed> {
    const settings = { nodeCloseTimeout: CLOSE_TIMEOUT_MS };
    const execArgv = ['--require', this.#preload];
    this.#nodeRed = await startNodeRed({ userDir: this.#userDir, settings, execArgv });
    return this.#nodeRed;
  }

  /** Resolves when Node-RED has killed itself. */
  async killed(): Promise<void> {
    await eventually('Node-RED to kill itself', () => !this.outlet.killIsPending);
    await this.#nodeRed?.kill9();
  }

  /** Memory that the Node-RED process occupies (`resident`) or that it still needs after a garbage collection (`live`), bytes. */
  async memoryBytes(kind: 'resident' | 'live'): Promise<number> {
    const answer = await fetch(`${this.#nodeRed?.url}/memory${kind === 'live' ? '?live=1' : ''}`);
    return Number(await answer.text());
  }

  /** No more rows from here on: resolves when every measured one has gone out as a message, or after a long time. */
  async drain(): Promise<void> {
    this.mesh.world.stopMeasuring();
    const untilS = this.mesh.nowS + DRAIN_S;
    while (this.mesh.nowS < untilS && missing(this.mesh.measured(), this.outlet.messages()).length > 0) {
      await this.mesh.pass(LOOK_AGAIN_S);
    }
  }

  /** Ends Node-RED as a user would and reads its store: what is there to be judged. */
  async finish(): Promise<{ measured: Measured[]; stored: StoredRow[] }> {
    const measured = this.mesh.measured();
    this.mesh.stop();
    await this.#nodeRed?.stop();
    return { measured, stored: await storedRows(join(this.#userDir, 'wattmesh', `${NETWORK}.sqlite`)) };
  }

  /** What Node-RED printed since its last start. */
  log(): string {
    return this.#nodeRed?.output() ?? '';
  }

  /** Ends everything and removes its files. */
  async remove(): Promise<void> {
    this.mesh.stop();
    await this.#nodeRed?.kill9();
    rmSync(this.#userDir, { recursive: true, force: true });
  }

  get #preload(): string {
    return join(this.#userDir, 'fast-clock.cjs');
  }
}

function networkNode(): object {
  const policy = { allowSuiteNone: false, approval: 'everyone' };
  return {
    id: NETWORK_NODE,
    type: 'wattmesh-network',
    version: 2,
    networkId: NETWORK,
    ...policy,
    credentials: SECRETS,
  };
}

function readingsNode(): object {
  const node = { id: 'readings', type: 'wattmesh-readings', z: TAB, network: NETWORK_NODE, split: true };
  return { ...node, wires: [['messages'], ['messages']] };
}

/** Tell the memory that the process occupies, or, after a garbage collection, the memory that it needs. */
function memoryNodes(): object[] {
  const libs = ['process', 'v8', 'vm'].map((name) => ({ var: name, module: name }));
  const func = `if (msg.req.query.live) {
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc');
  gc();
  gc(); // what buffers held is released by the second one
}
const { rss, heapUsed, external } = process.memoryUsage();
msg.payload = String(msg.req.query.live ? heapUsed + external : rss);
return msg;`;
  return [
    { id: 'ask', type: 'http in', z: TAB, url: '/memory', method: 'get', wires: [['memory']] },
    { id: 'memory', type: 'function', z: TAB, func, libs, outputs: 1, wires: [['answer']] },
    { id: 'answer', type: 'http response', z: TAB, wires: [] },
  ];
}

/** Resolves as soon as `condition` holds; rejects after `withinMs` of the machine's time. */
export async function eventually(what: string, condition: () => boolean, withinMs = 20_000): Promise<void> {
  const deadlineMs = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain for ${what}`);
    await delay(20);
  }
}
