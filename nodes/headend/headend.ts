import { Audience } from './audience.ts';
import { type Beginning, boot } from './boot.ts';
import type { Timer } from './clock.ts';
import type { CommandOrder } from './commands.ts';
import { Committer, type Fate } from './committer.ts';
import { commandedNode, type DeviceSelector } from './decisions.ts';
import { DeviceAlarms } from './device-alarms.ts';
import { DeviceEvents } from './device-events.ts';
import { Devices } from './devices.ts';
import { messageOf } from './emission.ts';
import { decodeGatewayEnvelope, type Envelope } from './frame/envelope.ts';
import { type Gateway, Gateways, isPlausibleUtc, TIME_PERIOD_MS } from './gateways.ts';
import { type Harvest, type Input, rowCountOf } from './intake.ts';
import { Life, notRunning } from './life.ts';
import type { LinkHandler } from './link/link.ts';
import { M2Cache } from './m2-cache.ts';
import { allowedSilenceMs, StatusTable } from './mesh/status.ts';
import { Topology } from './mesh/topology.ts';
import type {
  CommandMessage,
  DeviceStatus,
  NetworkState,
  ReadingMessage,
  StatusMessage,
  TopologyMessage,
} from './messages.ts';
import { loadKeys, type NetworkKeys } from './network-identity.ts';
import { type HeadEndOptions, type Settings, settingsOf } from './options.ts';
import { Outbox } from './outbox.ts';
import { statusMessage, topologyMessage } from './overview.ts';
import { every } from './pace.ts';
import { Places } from './places.ts';
import type { ListFault } from './preload.ts';
import { prepare, settleRing } from './preparation.ts';
import { Registry } from './registry.ts';
import { REKEY_PERIOD_MS } from './rekeying.ts';
import { networkNumber } from './security/keys.ts';
import { watchedRandom } from './security/random-watch.ts';
import { Suites } from './security/suites.ts';
import type { CommitResult, OutboxEntry, ReadingRow } from './store/store.ts';
import { Tally } from './tally.ts';
import { Telling } from './telling.ts';
import { WaitingRoom } from './waiting-room.ts';
import { warningsOf } from './warnings.ts';

export { COMMIT_DELAY_MS, COMMIT_DELAY_MS_MAX, type HeadEndOptions, OFFLINE_AFTER_CYCLES } from './options.ts';

/** The outbox cursor goes into the store by itself when no commit has taken it along for this long, ms. */
const CURSOR_IDLE_MS = 100;
const TICK_MS = 1_000;

/** Which device is asked to do what. */
export type CommandRequest = DeviceSelector & CommandOrder;

/**
 * The head-end of one network: opens, verifies, de-duplicates, stores, acknowledges, and tells what it knows. The composition root: each of
 * the parts beside this file does one of these. One start and one stop in a life.
 */
export class HeadEnd {
  /** What the operator decides about devices. */
  readonly devices: Devices;
  /** What devices tell at once. */
  readonly events: DeviceEvents;
  readonly #options: HeadEndOptions;
  readonly #settings: Settings;
  readonly #registry = new Registry();
  readonly #status = new StatusTable();
  readonly #topology = new Topology();
  readonly #tally = new Tally();
  readonly #m2s = new M2Cache(this.#registry);
  readonly #alarms = new DeviceAlarms(this.#registry);
  readonly #telling: Telling;
  readonly #gateways: Gateways;
  readonly #places: Places;
  readonly #outbox: Outbox;
  readonly #committer: Committer;
  readonly #audience: Audience;
  readonly #waiting = new WaitingRoom();
  #linkState: NetworkState['link'] = { up: false, detail: 'not started' };
  #life: Life | undefined;
  #timers: readonly Timer[] = [];
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #stored = 0;
  #gatewaysThere = 0;
  #listFaults: readonly ListFault[] = [];
  #providerWarning: string | undefined;

  constructor(options: HeadEndOptions) {
    const { clock, link, network, instanceId, store } = options;
    const random = watchedRandom(options.random);
    this.#options = { ...options, random };
    this.#settings = settingsOf(options);
    this.#telling = new Telling(clock, this.#tally, this);
    this.#gateways = new Gateways(link, clock, networkNumber(network), instanceId);
    this.#places = new Places(this.#registry, this.#gateways);
    const [registry, gateways, telling] = [this.#registry, this.#gateways, this.#telling];
    const parts = { network, registry, places: this.#places };
    const emit = (entry: OutboxEntry, again: boolean) =>
      telling.readings.tellMade(() => messageOf(entry, again, parts));
    this.#outbox = new Outbox(clock, emit, () => this.#committer.saveCursorWithin(CURSOR_IDLE_MS));
    this.#audience = new Audience({ clock, outbox: this.#outbox, listeners: telling.readings });
    this.events = new DeviceEvents({
      ...{ network, clock, places: this.#places, failed: (error) => telling.defect(error) },
      send: (nodeId, sections, hold) => void this.#life?.sender.send(nodeId, sections, hold),
    });
    const { approval, names, defaultNames, commitDelayMs, rotationGraceMs } = this.#settings;
    const keyed = options.identity !== undefined;
    const fixed = { approval, keyed, policy: options.policy, names, defaultNames, random };
    this.#committer = new Committer({
      ...{ clock, commitDelayMs, store, registry, gateways, outbox: this.#outbox, telling },
      joinContext: (gatewayRef) => ({ ...fixed, gatewayRef, nowMs: clock.nowMs(), epoch: this.#life?.epoch ?? 0 }),
      settle: (...group) => this.#settle(...group),
    });
    this.devices = new Devices({
      ...{ registry, clock, rotationGraceMs, random },
      submit: (change) => (this.#life ? this.#committer.submit(change) : Promise.reject(notRunning())),
      latestRow: (key) => this.#latestRow(key),
      approved: (key) => this.#answerWaiting(key),
      revoked: (nodeId) => this.#shutOut(nodeId),
      changed: () => telling.devicesChanged(),
    });
  }

  /**
   * Opens the store, takes the owner epoch, sends what the outbox holds (redelivered), opens the link. Rejects with the store's or the
   * link's error, `badConfig` for credentials that cannot be used; everything is closed again then.
   */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Commits what is pending, closes link and store. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Listeners are called synchronously; what one throws is counted and told to `onProblem`. Each call returns the function that ends it. */
  onReading(listener: (message: ReadingMessage) => void): () => void {
    return this.#audience.add(listener);
  }

  onStatus(listener: (message: StatusMessage) => void): () => void {
    return this.#telling.statuses.add(listener);
  }

  onTopology(listener: (message: TopologyMessage) => void): () => void {
    return this.#telling.topologies.add(listener);
  }

  onState(listener: (state: NetworkState) => void): () => void {
    return this.#telling.states.add(listener);
  }

  /** Events of all commands. */
  onCommand(listener: (message: CommandMessage) => void): () => void {
    return this.#telling.commands.add(listener);
  }

  /** The list of devices when it has changed. */
  onDevices(listener: (devices: DeviceStatus[]) => void): () => void {
    return this.#telling.devices.add(listener);
  }

  /** Failures of the store, of a listener, of the head-end itself. */
  onProblem(listener: (error: Error) => void): () => void {
    return this.#telling.problems.add(listener);
  }

  status(): StatusMessage {
    return statusMessage(this.#facts(), this.#options.clock.nowMs());
  }

  topology(): TopologyMessage {
    return topologyMessage(this.#facts(), this.#options.clock.nowMs());
  }

  state(): NetworkState {
    const rotation = this.#life?.rotation.progress;
    return {
      link: this.#linkState,
      gateways: this.#gateways.reachable().length,
      nodesOnline: this.#status.online,
      nodesKnown: this.#registry.size,
      errors: this.#tally.toRecord(),
      stored: this.#stored,
      pendingDevices: this.#registry.admissions.count('pending'),
      rotation: rotation ? { ...rotation.counts, useAt: new Date(rotation.useAtMs).toISOString() } : null,
      warnings: this.#warnings(),
    };
  }

  /**
   * Has a node do something. Resolves with the message of its result, whatever that is (`payload.outcome`). Rejects with `commandTimeout` when
   * none came in time, `unknownNode`, `revoked`, `badField` (a wrong order), `queueFull`, or `linkClosed` (the head-end is not running).
   * `onEvent` hears of every event of this command, also of a result that comes too late.
   */
  async command(request: CommandRequest, onEvent?: (message: CommandMessage) => void): Promise<CommandMessage> {
    const life = this.#life;
    if (!life || this.#stopping) throw notRunning();
    const node = commandedNode(this.#registry, request);
    const tell = (message: CommandMessage): void => {
      this.#telling.commands.tell(message);
      if (onEvent) this.#telling.attempt(() => onEvent(message));
    };
    return new Promise((resolve, reject) => {
      life.commands.begin(node, request, tell, (end) => ('error' in end ? reject(end.error) : resolve(end.message)));
    });
  }

  /** An envelope from a gateway. */
  #receive(name: string, bytes: Uint8Array): void {
    if (this.#stopping) return;
    const gateway = this.#gateways.heard(name);
    if (!gateway) {
      this.#telling.dropped('queueFull');
      return;
    }
    const envelope = decodeGatewayEnvelope(bytes);
    if (envelope.type === 'hello') {
      if (!this.#gateways.hello(gateway, envelope)) this.#telling.dropped('wrongNetwork');
      this.#telling.stateChanged();
    } else if (gateway.foreign) {
      this.#telling.dropped('wrongNetwork');
    } else if (envelope.type === 'up') {
      this.#receivePacket(gateway, envelope);
    } else if (envelope.type === 'downResult') {
      const nodeId = this.#life?.downlinks.finished(name, envelope.token);
      if (nodeId !== undefined && envelope.error !== 0) this.#life?.acknowledger.undelivered(nodeId);
    } else if (envelope.type === 'stats') {
      this.#gateways.stats(gateway, envelope);
    } else {
      this.#gateways.log(gateway, envelope);
    }
  }

  /** A packet's whole way: item, packet, open, sections, group; `#settle` goes on from there. */
  #receivePacket(gateway: Gateway, { number, rssiDbm, item }: Extract<Envelope, { type: 'up' }>): void {
    const { name } = gateway;
    const life = this.#life;
    if (!life || gateway.inFlight.has(number)) return;
    const isEmpty = item.packet.length === 0;
    const opened = isEmpty ? undefined : this.#telling.attempt(() => life.opener.open(item.packet, name));
    if (opened?.kind === 'answered') life.aftermath.answer(opened.joined, name);
    if (!opened || opened.kind === 'answered') {
      this.#gateways.acknowledge(name, [number]);
      return;
    }
    const rows = rowCountOf(opened);
    if (this.#outbox.isFull || !this.#committer.hasRoom(rows)) {
      // No UP_ACK: the gateway keeps the packet and sends it again.
      this.#telling.dropped('queueFull');
      return;
    }
    gateway.inFlight.add(number);
    const at = { gateway: name, gatewayRef: this.#places.gatewayRef(name), receivedAtMs: this.#options.clock.nowMs() };
    this.#committer.add({ opened, ...at, upNumber: number, rssiDbm, route: item.route }, rows);
  }

  /** The group is durable: custody is confirmed, answers and acknowledgements go out, then the messages. */
  #settle(inputs: readonly Input[], fates: readonly Fate[], result: CommitResult, lost: Harvest['lost']): void {
    this.#gateways.acknowledgeAll(inputs);
    inputs.forEach((input, index) => {
      this.#settleOne(input, fates[index] as Fate);
    });
    this.#stored += result.outbox.length;
    if (result.conflicts.length > 0) this.#tally.add('readingConflict', result.conflicts.length);
    for (const [nodeId, rows] of lost) this.#alarms.lost(nodeId, rows);
    this.#outbox.add(result.outbox, false);
    if (inputs.length > 0) this.#telling.statusChanged();
  }

  #settleOne(input: Input, fate: Fate): void {
    const { opened } = input;
    const node = this.#registry.get(opened.nodeId);
    if (opened.kind === 'transport') {
      if ('verdict' in fate) this.#life?.aftermath.transported(opened, input, fate.verdict, node);
    } else if ('joined' in fate && node) {
      this.#m2s.set(opened.hash, fate.joined, this.#options.clock.nowMs());
      if (fate.joined.wentBack) this.#alarms.wentBack(opened.nodeId);
      this.#life?.aftermath.joined(opened, input, node, fate.joined);
    } else if ('listed' in fate) {
      this.#tally.add('unknownNode');
      this.#waiting.add(opened, input);
      this.#telling.devicesChanged();
    }
  }

  async #start(): Promise<void> {
    const { store, link, clock } = this.#options;
    const keys = await loadKeys(this.#options);
    const beginning = await boot(store, clock, keys.keyring);
    try {
      await this.#begin(beginning, keys);
      await link.open(this.#handler());
    } catch (error) {
      await this.#commitRest();
      this.#endLife();
      await store.close();
      throw error;
    }
  }

  async #begin({ epoch, nodes, admissions, secrets, outbox }: Beginning, network: NetworkKeys): Promise<void> {
    const { clock, policy, random, network: networkId } = this.#options;
    const { names, offlineAfterCycles } = this.#settings;
    const registry = this.#registry;
    const pskOf = (key: string) => registry.vault.psk(key);
    const suites = new Suites({ policy, networkNumber: networkNumber(networkId), clock, keys: network.keys, pskOf });
    this.#providerWarning = network.warning;
    registry.vault.open(network.keyring, secrets);
    registry.admissions.adoptStored(admissions, registry.vault.approvals);
    for (const node of nodes) {
      const { nodeId, key, lastSeenMs } = node.record;
      const name = names.get(nodeId) ?? names.get(key) ?? node.record.name;
      registry.adopt({ ...node, record: { ...node.record, name } });
      if (registry.isRevoked(node.record)) continue;
      this.#status.expect(nodeId, allowedSilenceMs(node.record, offlineAfterCycles), clock.nowMs(), lastSeenMs);
    }
    await this.#committer.now((draft) => {
      this.#listFaults = prepare(draft, this.devices, this.#options);
    });
    this.#life = new Life(epoch, {
      ...{ network: networkId, clock, random, registry, suites, offlineAfterCycles },
      ...{ gateways: this.#gateways, places: this.#places, status: this.#status },
      ...{ topology: this.#topology, tally: this.#tally, m2s: this.#m2s },
      event: (...told) => this.events.take(...told),
      topologyChanged: () => this.#telling.topologyChanged(),
      rotationFinished: () => this.#settleRing(),
      commandLate: () => this.#tally.add('commandLate'),
    });
    this.#timers = [
      every(clock, TICK_MS, () => this.#telling.attempt(() => this.#tick())),
      every(clock, TIME_PERIOD_MS, () => this.#telling.attempt(() => this.#gateways.sendTimes())),
      every(clock, REKEY_PERIOD_MS, () => this.#telling.attempt(() => this.#life?.rekeying.tick())),
    ];
    this.#outbox.add(outbox, true);
    this.#audience.begin();
  }

  #handler(): LinkHandler {
    return {
      envelope: (gateway, bytes) => this.#telling.attempt(() => this.#receive(gateway, bytes)),
      bad: (_gateway, reason) => this.#telling.dropped(reason),
      state: ({ up, detail }) => {
        this.#linkState = { up, detail };
        this.#telling.stateChanged();
      },
      presence: (gateway, online) => {
        this.#telling.attempt(() => this.#gateways.presence(gateway, online));
        this.#telling.stateChanged();
      },
    };
  }

  async #stop(): Promise<void> {
    await Promise.allSettled([this.#starting]);
    if (!this.#life) return;
    this.#cancelTimers();
    await this.#commitRest();
    this.#endLife();
    try {
      await this.#options.link.close();
    } finally {
      await this.#options.store.close();
    }
  }

  async #commitRest(): Promise<void> {
    this.#outbox.end();
    await this.#committer.flush();
  }

  #endLife(): void {
    this.#cancelTimers();
    this.#life?.stop();
    this.events.stop();
    this.#life = undefined;
    this.#telling.stop();
  }

  #cancelTimers(): void {
    this.#audience.end();
    for (const timer of this.#timers) timer.cancel();
  }

  #tick(): void {
    const nowMs = this.#options.clock.nowMs();
    if (this.#status.sweep(nowMs)) {
      this.#telling.statusChanged();
      this.#telling.topologyChanged();
      this.#telling.stateChanged();
    }
    if (this.#topology.sweep(nowMs)) this.#telling.topologyChanged();
    const there = this.#gateways.reachable().length;
    if (there !== this.#gatewaysThere) this.#telling.stateChanged();
    this.#gatewaysThere = there;
    this.#life?.acknowledger.tick();
    this.#life?.rotation.tick();
  }

  async #latestRow(key: string): Promise<ReadingRow | undefined> {
    const [row] = await this.#options.store.readings({ key, newestFirst: true, limit: 1 });
    return row;
  }

  /** A device that was let in while its handshake was waiting is answered now. */
  #answerWaiting(key: string): void {
    const input = this.#waiting.leave(key, this.#options.clock.nowMs());
    if (input && this.#life && this.#committer.hasRoom(0)) this.#committer.add(input, 0);
  }

  #shutOut(nodeId: string): void {
    this.#status.silence(nodeId);
    this.#life?.rotation.begin();
    this.#telling.topologyChanged();
  }

  #settleRing(): void {
    this.#committer.submit(settleRing).then(
      () => this.#life?.rotation.begin(),
      (error) => this.#telling.problem(error),
    );
  }

  #facts() {
    return { network: this.#options.network, registry: this.#registry, status: this.#status, topology: this.#topology };
  }

  #warnings(): string[] {
    const { store, policy, clock, identity } = this.#options;
    const own = warningsOf({
      storeWarning: store.warning,
      storeProblem: this.#committer.problem,
      providerWarning: this.#providerWarning,
      allowSuiteNone: policy.allowSuiteNone,
      everyoneIsAdmitted: identity !== undefined && this.#settings.approval === 'everyone',
      clockIsSet: isPlausibleUtc(clock.nowMs()),
      conflicts: this.#tally.count('readingConflict'),
      idConflicts: this.#tally.count('idConflict'),
      randomStuck: this.#tally.count('randomStuck') > 0,
      unproven: this.#registry.admissions.unproven,
      listFaults: this.#listFaults,
    });
    return [...own, ...this.#alarms.lines(), ...this.#gateways.warnings()];
  }
}
