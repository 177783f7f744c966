import type { Clock } from './clock.ts';
import { Listeners } from './listeners.ts';
import type {
  CommandMessage,
  DeviceStatus,
  NetworkState,
  ReadingMessage,
  StatusMessage,
  TopologyMessage,
} from './messages.ts';
import { Throttle } from './pace.ts';
import type { Tally, TallyName } from './tally.ts';

/** Status, topology, state and devices are told at most this often, ms. */
export const TELL_PERIOD_MS = 1_000;

/** Makes what is told; asked only when somebody listens. */
export interface Sources {
  status(): StatusMessage;
  topology(): TopologyMessage;
  state(): NetworkState;
  readonly devices: { list(): DeviceStatus[] };
}

/** Everything that the head-end says to its listeners, and the place where its errors end. */
export class Telling {
  readonly readings = new Listeners<ReadingMessage>((error) => this.defect(error));
  readonly statuses = new Listeners<StatusMessage>((error) => this.defect(error));
  readonly topologies = new Listeners<TopologyMessage>((error) => this.defect(error));
  readonly states = new Listeners<NetworkState>((error) => this.defect(error));
  readonly devices = new Listeners<DeviceStatus[]>((error) => this.defect(error));
  readonly commands = new Listeners<CommandMessage>((error) => this.defect(error));
  readonly problems = new Listeners<Error>(() => this.#tally.add('internal'));
  readonly #tally: Tally;
  readonly #status: Throttle;
  readonly #topology: Throttle;
  readonly #state: Throttle;
  readonly #devices: Throttle;

  constructor(clock: Clock, tally: Tally, sources: Sources) {
    this.#tally = tally;
    this.#status = throttled(clock, this.statuses, () => sources.status());
    this.#topology = throttled(clock, this.topologies, () => sources.topology());
    this.#state = throttled(clock, this.states, () => sources.state());
    this.#devices = throttled(clock, this.devices, () => sources.devices.list());
  }

  statusChanged(): void {
    this.#status.request();
  }

  topologyChanged(): void {
    this.#topology.request();
  }

  stateChanged(): void {
    this.#state.request();
  }

  /** The list of devices has changed, and with it what is told of nodes and network. */
  devicesChanged(): void {
    this.#devices.request();
    this.#status.request();
    this.#state.request();
  }

  /** Input was dropped. */
  dropped(name: TallyName): void {
    this.#tally.add(name);
    this.stateChanged();
  }

  /** Tells listeners of a failure. */
  problem(error: unknown): void {
    this.problems.tell(error instanceof Error ? error : new Error(String(error)));
  }

  /** Counts and tells an error that should not have happened: a listener that throws, a fault of the head-end. */
  defect(error: unknown): void {
    this.#tally.add('internal');
    this.problem(error);
  }

  /** The result of `action`; undefined when it threw: bad input is counted, anything else is a defect. */
  attempt<Result>(action: () => Result): Result | undefined {
    try {
      return action();
    } catch (error) {
      if (!this.#tally.addError(error)) this.problem(error);
      this.stateChanged();
      return undefined;
    }
  }

  stop(): void {
    for (const throttle of [this.#status, this.#topology, this.#state, this.#devices]) throttle.stop();
  }
}

function throttled<Message>(clock: Clock, listeners: Listeners<Message>, make: () => Message): Throttle {
  return new Throttle(clock, TELL_PERIOD_MS, () => listeners.tellMade(make));
}
