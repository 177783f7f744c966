import { randomBytes } from 'node:crypto';
import { type Clock, systemClock, type Timer } from '../headend/clock.ts';
import type { Devices } from '../headend/devices.ts';
import { type ErrorName, reasonOf, WattmeshError } from '../headend/errors.ts';
import { type CommandRequest, HeadEnd, type HeadEndOptions } from '../headend/headend.ts';
import { Listeners } from '../headend/listeners.ts';
import type {
  CommandMessage,
  DeviceStatus,
  EventMessage,
  NetworkState,
  ReadingMessage,
  StatusMessage,
  TopologyMessage,
} from '../headend/messages.ts';
import { openStore } from '../headend/store/open-store.ts';
import { toError } from '../shared/funnel.ts';
import type { Condition, Connection, Decoder, FlowFeed, NetworkService } from '../shared/network.ts';
import { claim } from './claims.ts';
import { FlowHub } from './flow-hub.ts';
import { makeLink, type PreparedLink } from './links.ts';
import { QuietLog } from './quiet-log.ts';
import { headEndSecrets } from './secrets.ts';
import type { NetworkSettings } from './settings.ts';

/** A start that failed for a cause that can pass by itself is tried again after this long, ms. */
export const RETRY_MS = 10_000;
/** Causes that pass: another process ends, a disk gets room, the other configuration is deleted. */
const PASSING: ReadonlySet<ErrorName | undefined> = new Set<ErrorName>(['storeLocked', 'storeFailed', 'secondHost']);
const INSTANCE_BYTES = 8;

/** Where a network's troubles are written down. */
export interface Journal {
  error(error: Error): void;
  warn(text: string): void;
}

/** A head-end and what it holds. */
interface Life {
  readonly headEnd: HeadEnd;
  /** Of a simulated mesh. */
  readonly deviceList: string | undefined;
  /** Lets the network id and the store go. */
  readonly release: () => void;
  /** What the head-end says of its link before the link has said anything. */
  readonly linkBefore: string;
}

/**
 * One network's head-end in Node-RED: started once, shared by all nodes that tap the network. A head-end has one life; this one begins
 * another when a start fails for a cause that can pass.
 */
export class NetworkRuntime implements NetworkService {
  readonly networkId: string;
  readonly connection: Connection;
  readonly #settings: NetworkSettings;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #flow = new FlowHub();
  readonly #conditions: Listeners<Condition>;
  readonly #readings: Listeners<ReadingMessage>;
  readonly #statuses: Listeners<StatusMessage>;
  readonly #events: Listeners<EventMessage>;
  readonly #topologies: Listeners<TopologyMessage>;
  readonly #devices: Listeners<DeviceStatus[]>;
  readonly #log: QuietLog;
  #condition: Condition = { kind: 'starting' };
  #life: Life | undefined;
  #opening: Promise<void> | undefined;
  #retry: Timer | undefined;
  #delivering = false;
  #endReadings: (() => void) | undefined;
  #endEvents: (() => void) | undefined;
  #lastFailure = '';
  #stopped = false;

  constructor(settings: NetworkSettings, journal: Journal, clock: Clock = systemClock) {
    const failed = (thrown: unknown): void => journal.error(toError(thrown));
    this.networkId = settings.networkId;
    this.connection = settings.link.kind;
    this.#settings = settings;
    this.#journal = journal;
    this.#clock = clock;
    this.#log = new QuietLog(clock);
    this.#conditions = new Listeners(failed);
    this.#readings = new Listeners(failed);
    this.#statuses = new Listeners(failed);
    this.#events = new Listeners(failed);
    this.#topologies = new Listeners(failed);
    this.#devices = new Listeners(failed);
  }

  /** Starts the head-end if it is not started, and lets readings flow: the nodes that they are for are there now. */
  deliver(): void {
    if (this.#stopped) return;
    this.#delivering = true;
    this.#opening ??= this.#open();
    this.#tap();
  }

  /** Readings wait in the head-end's outbox until `deliver`: the nodes that they are for may be gone at any moment. */
  hold(): void {
    this.#delivering = false;
    this.#tap();
  }

  /** Ends everything; the store is closed when this resolves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retry?.cancel();
    await this.#opening;
    this.#retry?.cancel();
    await this.#end();
    this.#setCondition({ kind: 'stopped' });
  }

  condition(): Condition {
    return this.#condition;
  }

  onCondition(listener: (condition: Condition) => void): () => void {
    return this.#conditions.add(listener);
  }

  onReading(listener: (message: ReadingMessage) => void): () => void {
    return this.#tapped(this.#readings, listener);
  }

  onEvent(listener: (message: EventMessage) => void): () => void {
    return this.#tapped(this.#events, listener);
  }

  onStatus(listener: (message: StatusMessage) => void): () => void {
    return this.#statuses.add(listener);
  }

  onTopology(listener: (message: TopologyMessage) => void): () => void {
    return this.#topologies.add(listener);
  }

  status(): StatusMessage | undefined {
    return this.#condition.kind === 'running' ? this.#life?.headEnd.status() : undefined;
  }

  topology(): TopologyMessage | undefined {
    return this.#condition.kind === 'running' ? this.#life?.headEnd.topology() : undefined;
  }

  devices(): Devices | undefined {
    return this.#condition.kind === 'running' ? this.#life?.headEnd.devices : undefined;
  }

  onDevices(listener: (devices: DeviceStatus[]) => void): () => void {
    return this.#devices.add(listener);
  }

  async command(request: CommandRequest, onEvent?: (message: CommandMessage) => void): Promise<CommandMessage> {
    const life = this.#life;
    if (!life) throw new WattmeshError('linkClosed', 'the network is not running: its badge says why');
    return life.headEnd.command(request, onEvent);
  }

  /** The list of devices that comes with a simulated mesh (CSV); undefined for other networks, and while the network is not running. */
  deviceList(): string | undefined {
    return this.#life?.deviceList;
  }

  attachDecoder(decoder: Decoder): FlowFeed | undefined {
    if (this.connection !== 'flow') return undefined;
    const feed = this.#flow.attach(decoder);
    this.#tap();
    return {
      ...feed,
      detach: () => {
        feed.detach();
        this.#tap();
      },
    };
  }

  /** Never rejects: a failure becomes the condition. */
  async #open(): Promise<void> {
    let release: (() => void) | undefined;
    try {
      release = claim(this.#settings);
      const { headEnd, deviceList } = await this.#newHeadEnd();
      this.#life = { headEnd, deviceList, release, linkBefore: headEnd.state().link.detail };
      this.#tap();
      await headEnd.start();
      this.#lastFailure = '';
      this.#stateChanged(headEnd.state());
    } catch (thrown) {
      if (this.#life) await this.#end();
      else release?.();
      this.#failed(toError(thrown));
    }
  }

  async #newHeadEnd(): Promise<{ headEnd: HeadEnd; deviceList: string | undefined }> {
    const { networkId, store, allowSuiteNone, allowRsa, approval } = this.#settings;
    const instanceId = randomBytes(INSTANCE_BYTES).toString('hex');
    const prepared = await makeLink(this.#settings, { clock: this.#clock, flow: this.#flow, instanceId });
    const { link, names, deviceList } = prepared;
    const credentials = await this.#credentials(prepared);
    const headEnd = new HeadEnd({
      network: networkId,
      store: await openStore({ file: store.kind === 'auto' ? store.file : '', kind: store.kind }),
      link,
      clock: this.#clock,
      random: (length) => randomBytes(length),
      instanceId,
      policy: { allowSuiteNone, allowSuiteRsa: allowRsa, approval },
      ...credentials,
      names: this.#settings.names,
      defaultNames: names,
    });
    headEnd.onState((state) => this.#stateChanged(state));
    headEnd.onStatus((message) => this.#statuses.tell(message));
    headEnd.onTopology((message) => this.#topologies.tell(message));
    headEnd.onDevices((devices) => this.#devices.tell(devices));
    headEnd.onProblem((error) => this.#log.write(error.message, () => this.#journal.error(error)));
    return { headEnd, deviceList };
  }

  /** Nothing for a network of version 1: without an identity it knows suite 0x00 only. */
  async #credentials(
    prepared: PreparedLink,
  ): Promise<Pick<HeadEndOptions, 'identity' | 'storeKey' | 'networkKey' | 'provider'>> {
    const { secrets } = this.#settings;
    return prepared.credentials ?? (secrets ? await headEndSecrets(secrets) : {});
  }

  /** Ends the head-end's present life. */
  async #end(): Promise<void> {
    const life = this.#life;
    if (!life) return;
    for (const end of [this.#endReadings, this.#endEvents]) end?.();
    this.#endReadings = undefined;
    this.#endEvents = undefined;
    try {
      await life.headEnd.stop();
    } catch (thrown) {
      this.#journal.error(toError(thrown));
    }
    this.#life = undefined;
    life.release();
  }

  #failed(error: Error): void {
    if (error.message !== this.#lastFailure) this.#journal.error(error);
    this.#lastFailure = error.message;
    this.#setCondition({ kind: 'failed', error });
    if (this.#stopped || !PASSING.has(reasonOf(error))) return;
    this.#retry = this.#clock.after(RETRY_MS, () => {
      this.#opening = this.#open();
    });
  }

  #tapped<Message>(listeners: Listeners<Message>, listener: (message: Message) => void): () => void {
    const end = listeners.add(listener);
    this.#tap();
    return () => {
      end();
      this.#tap();
    };
  }

  /** The head-end tells readings and events exactly while somebody is there to take them. */
  #tap(): void {
    const { headEnd } = this.#life ?? {};
    if (!this.#delivering || !this.#events.any) {
      this.#endEvents?.();
      this.#endEvents = undefined;
    } else this.#endEvents ??= headEnd?.events.listen((message) => this.#events.tell(message));
    const wanted = this.#delivering && (this.#readings.any || this.#flow.hasDecoders);
    if (!wanted) {
      this.#endReadings?.();
      this.#endReadings = undefined;
    } else if (this.#life && !this.#endReadings) {
      this.#endReadings = this.#life.headEnd.onReading((message) => {
        this.#readings.tell(message);
        this.#flow.reading(message);
      });
    }
  }

  #stateChanged(state: NetworkState): void {
    const { link, warnings } = state;
    // Until the link has said anything of itself, it is neither up nor down.
    if (this.#stopped || !this.#life || link.detail === this.#life.linkBefore) return;
    if (!link.up) this.#log.write(link.detail, (line) => this.#journal.warn(line));
    // Nobody needs to be told that a simulation lets its own devices in.
    const isOpen = this.connection === 'simulated' && this.#settings.approval === 'everyone';
    const attention = warnings.length > (isOpen ? 1 : 0);
    if (attention) for (const warning of warnings) this.#log.write(warning, (line) => this.#journal.warn(line));
    this.#setCondition({ kind: 'running', state, attention });
  }

  #setCondition(condition: Condition): void {
    this.#condition = condition;
    this.#conditions.tell(condition);
  }
}
