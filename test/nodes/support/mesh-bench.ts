import { setImmediate as turn } from 'node:timers/promises';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { ManualClock } from '../../../nodes/headend/clock.ts';
import command from '../../../nodes/wattmesh-command/wattmesh-command.ts';
import { NetworkRuntime } from '../../../nodes/wattmesh-network/runtime.ts';
import { migrateNetwork, readSettings } from '../../../nodes/wattmesh-network/settings.ts';
import { helper } from './bench.ts';

const STEP_MS = 50;
/** Longest simulated time that anything is waited for. */
const WAIT_S_MAX = 300;
const SETTINGS = {
  version: 2,
  connection: 'simulated',
  networkId: 'mesh-test',
  layout: 'campsite',
  approval: 'everyone',
  store: 'memory',
};
const PLACE = { z: 'tab', x: 100, y: 100 };
const FIXED = [
  { id: 'tab', type: 'tab' },
  { id: 'net', type: 'wattmesh-network' },
  { id: 'catch', type: 'catch', ...PLACE, wires: [['failure']] },
  ...['result', 'way', 'failure'].map((id) => ({ id, type: 'helper', ...PLACE })),
];
const COMMAND = { id: 'command', type: 'wattmesh-command', ...PLACE, network: 'net', wires: [['result'], ['way']] };

/** A simulated mesh behind a command node, in Node-RED, whose time the test moves. */
export class MeshBench {
  readonly clock = new ManualClock(Date.UTC(2026, 2, 3, 12));
  readonly runtime: NetworkRuntime;
  /** What the network wrote to the log. */
  readonly written: string[] = [];

  constructor(settings: object = {}) {
    const stored = migrateNetwork({ ...SETTINGS, ...settings });
    const write = (line: unknown): void => void this.written.push(String(line));
    this.runtime = new NetworkRuntime(
      readSettings(stored, { credentials: undefined, tls: undefined, userDir: undefined }),
      { error: write, warn: write },
      this.clock,
    );
  }

  /** Loads the flow with these settings of the command node. */
  async load(settings: object): Promise<void> {
    await helper.load([this.#networkType(), command], this.#flow(settings), {});
    this.runtime.deliver();
    await this.until('the network to run', () => this.runtime.condition().kind === 'running');
  }

  /** Deploys the command node with other settings; the network goes on. */
  async redeploy(settings: object): Promise<void> {
    await helper.setFlows(this.#flow(settings), 'nodes', {});
  }

  async unload(): Promise<void> {
    await helper.unload();
    await this.runtime.stop();
  }

  /** Waits until `count` devices of the mesh are online. */
  async joined(count: number): Promise<void> {
    await this.until(`${count} devices online`, () => this.runtime.status()?.payload.online === count);
  }

  /** Moves time as the event loop of a real process would see it. */
  async pass(seconds: number): Promise<void> {
    for (let ms = 0; ms < seconds * 1000; ms += STEP_MS) {
      this.clock.advance(STEP_MS);
      await turn();
    }
  }

  /** Moves time until `holds`. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const endMs = this.clock.nowMs() + WAIT_S_MAX * 1000;
    while (!holds()) {
      if (this.clock.nowMs() > endMs) throw new Error(`waited in vain for ${what}`);
      this.clock.advance(STEP_MS);
      await turn();
    }
  }

  #flow(settings: object): object[] {
    return [...FIXED, { ...COMMAND, ...settings }];
  }

  /** A config node that offers this network. */
  #networkType() {
    const { runtime } = this;
    return (RED: NodeAPI): void => {
      RED.nodes.registerType('wattmesh-network', function (this: Node, definition: NodeDef): void {
        RED.nodes.createNode(this, definition);
        Object.assign(this, { service: runtime });
      });
    };
  }
}
