import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { WattmeshError } from '../headend/errors.ts';
import type { CommandMessage } from '../headend/messages.ts';
import { failNode, toError } from '../shared/funnel.ts';
import { migrate, type StoredSettings } from '../shared/migrate.ts';
import type { NetworkService } from '../shared/network.ts';
import { notRunning, type Tap, tapNetwork } from '../shared/tap.ts';
import { HISTORY, readDialog } from './dialog.ts';
import { meantDevice } from './meant-device.ts';
import { OpenInputs } from './open-inputs.ts';
import { carryOut, type OperatorOrder } from './operator.ts';
import { type Order, readOrder } from './order.ts';
import { Progress, type Step } from './progress.ts';
import { dropSecrets } from './secrets.ts';

type Send = (messages: (NodeMessage | null)[]) => void;
/** What replaces topic, payload and origin of the incoming message. */
type Answer = Pick<CommandMessage, 'topic'> & { payload: object; wattmesh: object };

/** Registers `wattmesh-command`: orders in; output 1 what came of each, output 2 what happens on the way and too late. */
export default function (RED: NodeAPI): void {
  function CommandNode(this: Node, definition: NodeDef & StoredSettings): void {
    RED.nodes.createNode(this, definition);
    try {
      start(RED, this, migrate(definition, HISTORY));
    } catch (thrown) {
      failNode(this, thrown);
    }
  }

  RED.nodes.registerType('wattmesh-command', CommandNode);
}

function start(RED: NodeAPI, node: Node, settings: StoredSettings): void {
  const desk = new Desk(RED, node, settings);
  node.on('input', (msg, send, done) => desk.take(msg, send, done));
}

/** Where orders are taken, carried out and answered. */
class Desk {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #settings: StoredSettings;
  readonly #tap: Tap;
  readonly #progress = new Progress();
  readonly #inputs = new OpenInputs();

  constructor(RED: NodeAPI, node: Node, settings: StoredSettings) {
    this.#RED = RED;
    this.#node = node;
    this.#settings = settings;
    this.#tap = tapNetwork(RED, node, String(settings.network), {
      badge: () => this.#progress.badge(),
      attach: () => [() => this.#inputs.close(stopped())],
    });
  }

  take(msg: NodeMessage, send: Send, done: (error?: Error) => void): void {
    const finished = (answer: Answer): void => {
      this.#tap.refresh();
      send([Object.assign(msg, answer), null]);
      done();
    };
    const failed = (thrown: unknown): void => {
      // The badge belongs to the next node of this id already.
      if (this.#inputs.closed) done(toError(thrown));
      else this.#tap.failInput(thrown, done);
    };
    this.#inputs.follow(this.#answer(msg, send), finished, failed);
  }

  async #answer(msg: NodeMessage, send: Send): Promise<Answer> {
    let step: Step | undefined;
    try {
      const { payload } = msg;
      dropSecrets(msg, this.#settings.operation === 'preload');
      const order = readOrder(payload, await readDialog(this.#RED, this.#node, this.#settings, msg));
      const { service } = this.#tap;
      if (!service) throw notRunning();
      step = this.#progress.begin(order.kind === 'command' ? order.order.operation : order.kind);
      this.#tap.refresh();
      if (order.kind !== 'command') return await this.#decide(service, order, step);
      return await this.#command(service, order, step, (message) =>
        send([null, Object.assign(this.#RED.util.cloneMessage(msg), structuredClone(message))]),
      );
    } catch (thrown) {
      this.#progress.failed(thrown, step);
      throw thrown;
    }
  }

  async #command(
    service: NetworkService,
    { device, order }: Extract<Order, { kind: 'command' }>,
    step: Step,
    tell: (message: CommandMessage) => void,
  ): Promise<Answer> {
    const meant = meantDevice(device, service.status()?.payload.nodes ?? []);
    const onEvent = (message: CommandMessage): void => {
      const { event, outcome } = message.payload;
      if (this.#inputs.closed || !['sent', 'prepared', 'late'].includes(event)) return;
      if (event === 'late') this.#progress.cameLate(outcome);
      else step.event = event;
      this.#tap.refresh();
      tell(message);
    };
    const message = await service.command({ ...meant, ...order }, onEvent);
    this.#progress.ended(step, message.payload.outcome);
    return structuredClone(message);
  }

  async #decide(service: NetworkService, order: OperatorOrder, step: Step): Promise<Answer> {
    const devices = service.devices();
    if (!devices) throw notRunning();
    const payload = await carryOut(devices, order, service.status()?.payload.nodes ?? []);
    this.#progress.ended(step);
    const network = service.networkId;
    return { topic: `${network}/devices`, payload, wattmesh: { network } };
  }
}

function stopped(): WattmeshError {
  return new WattmeshError(
    'linkClosed',
    'this node was stopped or deployed anew before the answer came: the order may still be carried out',
  );
}
