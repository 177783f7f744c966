import type { NodeAPI } from 'node-red';
import type { DeviceStatus } from '../../../nodes/headend/messages.ts';
import { labelText } from '../../../nodes/headend/security/label.ts';
import command from '../../../nodes/wattmesh-command/wattmesh-command.ts';
import decode from '../../../nodes/wattmesh-decode/wattmesh-decode.ts';
import network from '../../../nodes/wattmesh-network/wattmesh-network.ts';
import readings from '../../../nodes/wattmesh-readings/wattmesh-readings.ts';
import status from '../../../nodes/wattmesh-status/wattmesh-status.ts';
import topology from '../../../nodes/wattmesh-topology/wattmesh-topology.ts';
import type { ScriptedNode } from '../../headend/support/scripted-node.ts';
import { loadTestHelper } from '../../support/node-red.ts';
import { Observed } from '../../support/observed.ts';
import { SECRETS } from '../../support/secrets.ts';
import { NETWORK, ScriptedGateway } from './scripted-gateway.ts';

export { NETWORK };
export const helper = loadTestHelper();
/** A network fed by a flow, in memory, with suite 0x01 and an operator; its keys are in CREDENTIALS. */
export const NET = {
  id: 'net',
  type: 'wattmesh-network',
  version: 2,
  name: '',
  connection: 'flow',
  networkId: NETWORK,
  store: 'memory',
};
export const CREDENTIALS = { net: SECRETS };

const MODULES = [network, readings, decode, status, topology, command, keepRuntime];
let runtime: NodeAPI | undefined;

function keepRuntime(RED: NodeAPI): void {
  runtime = RED;
}

// biome-ignore lint/suspicious/noExplicitAny: messages are what the nodes make of them; tests look at all of it
type Message = any;

/** Everything that a node gets, or shows, or fails with, in the order in which it happens. */
export class Log extends Observed {
  readonly all: Message[] = [];
  readonly #watchers: ((entry: Message) => void)[] = [];

  /** Calls `watcher` for every entry to come. */
  watch(watcher: (entry: Message) => void): void {
    this.#watchers.push(watcher);
  }

  add(entry: Message): void {
    this.all.push(entry);
    for (const watcher of this.#watchers) watcher(entry);
    this.changed();
  }

  /** The first entry that fits, as soon as there is one. */
  async find(what: string, fits: (entry: Message) => boolean = () => true): Promise<Message> {
    await this.until(what, () => this.all.some(fits));
    return this.all.find(fits);
  }

  protected summary(): unknown {
    return this.all.slice(-5);
  }
}

/** Loads a flow; nodes on a tab get a place there, because Node-RED takes a node without one for a config node. */
export async function load(flow: readonly object[], credentials: object = CREDENTIALS): Promise<void> {
  await helper.load(MODULES, placed(flow), credentials);
}

function placed(flow: readonly object[]): object[] {
  return flow.map((node) => ('z' in node ? { ...node, x: 100, y: 100 } : node));
}

/** Tells the nodes what Node-RED tells them at the beginning and at the end of a deployment. */
export function deployment(moment: 'stopping' | 'started'): void {
  runtime?.events.emit(`flows:${moment}`, {});
}

/** Deploys another flow over the loaded one, of which only nodes that differ restart. */
export async function deploy(flow: readonly object[], credentials: object = CREDENTIALS): Promise<void> {
  await helper.setFlows(placed(flow), 'nodes', credentials);
}

/** Messages that reach a helper node. */
export function received(id: string): Log {
  const log = new Log();
  helper.getNode(id).on('input', (message: Message) => log.add(message));
  return log;
}

/** Badges of a node, also the one that it has already. */
export function badges(id: string): Log {
  const log = new Log();
  const node = helper.getNode(id);
  for (const call of node.status.getCalls()) if (call.thisValue === node) log.add(call.args[0]);
  node.on('call:status', (call: { args: Message[] }) => log.add(call.args[0]));
  return log;
}

/** Resolves when a network runs. */
export async function running(id = 'net'): Promise<void> {
  const log = new Log();
  const { service } = helper.getNode(id);
  log.add(service.condition());
  const end = service.onCondition((condition: Message) => log.add(condition));
  await log.find('a running network', ({ kind }) => kind === 'running');
  end();
}

/** Errors of a node, also those that it has reported already. */
export function errors(id: string): Log {
  const log = new Log();
  const node = helper.getNode(id);
  for (const call of node.error.getCalls()) if (call.thisValue === node) log.add(call.args[0]);
  node.on('call:error', (call: { args: Message[] }) => log.add(call.args[0]));
  return log;
}

/** Text of the badge that a node shows. */
export function badgeText(id: string): string {
  const node = helper.getNode(id);
  const calls = node.status.getCalls().filter((call: { thisValue: unknown }) => call.thisValue === node);
  return calls.at(-1)?.args[0]?.text;
}

/** Gives a node a message. */
export function give(id: string, message: object): void {
  helper.getNode(id).receive(message);
}

/** Has the operator of a network let a meter in by its label, unless it is in already. */
export async function letIn(meter: ScriptedNode, network = 'net'): Promise<void> {
  const devices = helper.getNode(network).service.devices();
  const isIn = devices.list().some(({ key, state }: DeviceStatus) => key === meter.keyHex && state === 'approved');
  if (!isIn) await devices.approve({ key: labelText(meter.key) });
}

/** Connects a scripted gateway with a decode node that is wired to a helper node for its answers. */
export function plugIn(gateway: string, decodeNode: string, answers: string, meter?: ScriptedNode): ScriptedGateway {
  const topic = `wattmesh/${NETWORK}/${gateway}`;
  const send = (envelope: Uint8Array): void => {
    give(decodeNode, { topic: `${topic}/up`, payload: Buffer.from(envelope) });
  };
  const scripted = new ScriptedGateway(gateway, send, { letIn, ...(meter ? { meter } : {}) });
  received(answers).watch((message) => {
    if (message.topic === `${topic}/down`) scripted.take(message.payload);
  });
  return scripted;
}

/** Starts and stops Node-RED's own server around a suite, and unloads the flow after each test. */
export function withNodeRed(): void {
  before((done) => void helper.startServer(done));
  after((done) => void helper.stopServer(done));
  afterEach(async () => {
    await helper.unload();
  });
}
