import { Acknowledger } from './acknowledger.ts';
import { Aftermath } from './aftermath.ts';
import { BoundedMap } from './bounded-map.ts';
import type { Clock, Timer } from './clock.ts';
import { Downlinks } from './downlinks.ts';
import { Draft } from './draft.ts';
import { WattmeshError } from './errors.ts';
import { decodeGatewayEnvelope, type Envelope } from './frame/envelope.ts';
import { type Gateway, Gateways, isPlausibleUtc, TIME_PERIOD_MS } from './gateways.ts';
import { GroupCommit } from './group-commit.ts';
import { type Input, type NewRow, rowCountOf, takeIn, type Verdict } from './intake.ts';
import { type Joined, join } from './joining.ts';
import type { Link, LinkHandler } from './link/link.ts';
import { Listeners } from './listeners.ts';
import { allowedSilenceMs, StatusTable } from './mesh/status.ts';
import { Topology } from './mesh/topology.ts';
import type { NetworkState, ReadingMessage, StatusMessage, TopologyMessage } from './messages.ts';
import { readingMessage } from './metering/reading.ts';
import { openPacket } from './opening.ts';
import { Outbox } from './outbox.ts';
import { statusMessage, topologyMessage } from './overview.ts';
import { every, Throttle } from './pace.ts';
import { Places } from './places.ts';
import { nodesOf } from './records.ts';
import { Registry } from './registry.ts';
import { networkNumber } from './security/keys.ts';
import { sessionSlots } from './security/session.ts';
import { engineOf, suiteName } from './security/suites.ts';
import type { CommitGroup, CommitResult, OutboxEntry, Store, StoredState } from './store/store.ts';
import { Tally } from './tally.ts';

/** How long packets are collected for one commit unless the options say otherwise, ms; and the most that they may say. */
export const COMMIT_DELAY_MS = 50;
export const COMMIT_DELAY_MS_MAX = 100;
/** The outbox cursor goes into the store by itself when no commit has taken it along for this long, ms. */
const CURSOR_IDLE_MS = 100;
/** Messages wait this long, ms, after a start for somebody to listen. */
const LISTEN_GRACE_MS = 2_000;
/** Status, topology and state are told at most this often, ms. */
const TELL_PERIOD_MS = 1_000;
const TICK_MS = 1_000;
/** Most M2 packets kept for nodes that repeat their M1. */
const M2_CACHE_MAX = 256;
const OFFLINE_AFTER_CYCLES = 3;

export interface HeadEndOptions {
  /** Network id. */
  readonly network: string;
  readonly store: Store;
  readonly link: Link;
  readonly clock: Clock;
  /** `length` random bytes of cryptographic quality. */
  random(length: number): Uint8Array;
  /** 16 hexadecimal digits, drawn anew at each start. */
  readonly instanceId: string;
  readonly policy: { readonly allowSuiteNone: boolean };
  /** Names of metering points by node id or key. */
  readonly names?: ReadonlyMap<string, string>;
  /** How long packets are collected for one commit, ms: at most COMMIT_DELAY_MS_MAX. */
  readonly commitDelayMs?: number;
  /** Missed cycles after which a node is offline. */
  readonly offlineAfterCycles?: number;
}

/** What became of an input in its group. */
type Fate = { readonly verdict: Verdict } | { readonly joined: Joined } | 'refused';

/** What exists only between start and stop. */
interface Life {
  readonly epoch: number;
  readonly downlinks: Downlinks;
  readonly acknowledger: Acknowledger;
  readonly aftermath: Aftermath;
  readonly timers: readonly Timer[];
}

/**
 * The head-end of one network: opens, verifies, de-duplicates, stores, acknowledges, and tells what it knows. The composition root: the
 * parts beside this file each do one of these. One start and one stop in a life.
 */
export class HeadEnd {
  readonly #options: HeadEndOptions;
  readonly #clock: Clock;
  readonly #registry = new Registry();
  readonly #status = new StatusTable();
  readonly #topology = new Topology();
  readonly #tally = new Tally();
  readonly #m2s = new BoundedMap<string, Joined>(M2_CACHE_MAX);
  readonly #gateways: Gateways;
  readonly #places: Places;
  readonly #group: GroupCommit<Input>;
  readonly #outbox: Outbox;
  readonly #problems = new Listeners<Error>(() => this.#tally.add('internal'));
  readonly #readings = new Listeners<ReadingMessage>((error) => this.#defect(error));
  readonly #statuses = new Listeners<StatusMessage>((error) => this.#defect(error));
  readonly #topologies = new Listeners<TopologyMessage>((error) => this.#defect(error));
  readonly #states = new Listeners<NetworkState>((error) => this.#defect(error));
  readonly #statusDue: Throttle;
  readonly #topologyDue: Throttle;
  readonly #stateDue: Throttle;
  #linkState: NetworkState['link'] = { up: false, detail: 'not started' };
  #life: Life | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  /** Outbox cursor as the store has it. */
  #cursor = 0;
  #stored = 0;
  #conflicts = 0;
  #storeProblem: string | undefined;

  constructor(options: HeadEndOptions) {
    const { clock, link, network, instanceId, commitDelayMs = COMMIT_DELAY_MS } = options;
    if (!(commitDelayMs >= 0 && commitDelayMs <= COMMIT_DELAY_MS_MAX)) {
      throw new WattmeshError('badConfig', `a commit delay of ${commitDelayMs} ms is not allowed: use 0 to ${COMMIT_DELAY_MS_MAX}`);
    }
    this.#options = options;
    this.#clock = clock;
    this.#gateways = new Gateways(link, clock, networkNumber(network), instanceId);
    this.#places = new Places(this.#registry, this.#gateways);
    this.#group = new GroupCommit(clock, commitDelayMs, (inputs) => this.#commit(inputs));
    this.#outbox = new Outbox((entry, redelivered) => this.#readings.tell(this.#messageOf(entry, redelivered)));
    this.#statusDue = new Throttle(clock, TELL_PERIOD_MS, () => this.#tellStatus());
    this.#topologyDue = new Throttle(clock, TELL_PERIOD_MS, () => this.#tellTopology());
    this.#stateDue = new Throttle(clock, TELL_PERIOD_MS, () => this.#tellState());
  }

  /**
   * Opens the store, takes the owner epoch, sends what the outbox holds (redelivered), opens the link. Rejects with the store's or link's error;
   * everything is closed again then.
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

  /** Each returns the function that ends it. */
  onReading(listener: (message: ReadingMessage) => void): () => void {
    const end = this.#readings.add(listener);
    if (this.#life) this.#openOutbox();
    return end;
  }

  onStatus(listener: (message: StatusMessage) => void): () => void {
    return this.#statuses.add(listener);
  }

  onTopology(listener: (message: TopologyMessage) => void): () => void {
    return this.#topologies.add(listener);
  }

  onState(listener: (state: NetworkState) => void): () => void {
    return this.#states.add(listener);
  }

  /** Failures of the store, of a listener, of the head-end itself. */
  onProblem(listener: (error: Error) => void): () => void {
    return this.#problems.add(listener);
  }

  status(): StatusMessage {
    return statusMessage(this.#facts(), this.#clock.nowMs());
  }

  topology(): TopologyMessage {
    return topologyMessage(this.#facts(), this.#clock.nowMs());
  }

  state(): NetworkState {
    return {
      link: this.#linkState,
      gateways: this.#gateways.reachable().length,
      nodesOnline: this.#status.online,
      nodesKnown: this.#registry.size,
      errors: this.#tally.toRecord(),
      stored: this.#stored,
      warnings: this.#warnings(),
    };
  }

  /** An envelope from a gateway. */
  #receive(name: string, bytes: Uint8Array): void {
    const gateway = this.#gateways.heard(name);
    if (!gateway) return this.#drop('queueFull');
    const envelope = this.#attempt(() => decodeGatewayEnvelope(bytes));
    if (!envelope) return;
    if (envelope.type === 'hello') {
      if (!this.#gateways.hello(gateway, envelope)) this.#drop('wrongNetwork');
      this.#stateDue.request();
    } else if (gateway.foreign) {
      this.#drop('wrongNetwork');
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

  /** A packet's whole way: item, packet, open, sections, into the group; `#commit` goes on from there. */
  #receivePacket(gateway: Gateway, { number, rssiDbm, item }: Extract<Envelope, { type: 'up' }>): void {
    if (gateway.inFlight.has(number)) return;
    if (item.packet.length === 0) return this.#gateways.acknowledge(gateway.name, [number]);
    const opened = this.#attempt(() => openPacket(item.packet, this.#registry, this.#options.policy));
    if (!opened || (opened.kind === 'join' && this.#repeatM2(gateway.name, opened.hash))) {
      return this.#gateways.acknowledge(gateway.name, [number]);
    }
    const rows = rowCountOf(opened);
    // No UP_ACK for what finds no room: the gateway keeps it and sends it again.
    if (this.#outbox.isFull || !this.#group.hasRoom(rows)) return this.#drop('queueFull');
    gateway.inFlight.add(number);
    const way = { gateway: gateway.name, upNumber: number, receivedAtMs: this.#clock.nowMs(), rssiDbm, route: item.route };
    this.#group.add({ ...opened, ...way }, rows);
  }

  /** Takes a group into a draft, the draft into the store, and only then lets anybody know. */
  async #commit(inputs: readonly Input[]): Promise<void> {
    try {
      const draft = new Draft(this.#registry);
      const rows: NewRow[] = [];
      const fates = inputs.map((input) => this.#take(draft, input, rows));
      const { sent } = this.#outbox;
      const group: CommitGroup = { ...draft.changes(), rows, outboxSent: sent };
      const result = await this.#store(group);
      draft.adopt();
      this.#cursor = sent;
      this.#storeProblem = undefined;
      this.#settle(inputs, fates, result);
    } catch (error) {
      this.#storeProblem = error instanceof Error ? error.message : String(error);
      this.#report(error);
    } finally {
      for (const { gateway, upNumber } of inputs) this.#gateways.get(gateway)?.inFlight.delete(upNumber);
      this.#stateDue.request();
    }
  }

  #take(draft: Draft, input: Input, rows: NewRow[]): Fate {
    if (input.kind === 'transport') return { verdict: takeIn(draft, input, rows) };
    const { policy, names = new Map(), random } = this.#options;
    const context = { epoch: this.#life?.epoch ?? 0, nowMs: this.#clock.nowMs(), policy, names, random };
    const joined = this.#attempt(() => join(draft, input.handshake, input.hash, context));
    return joined ? { joined } : 'refused';
  }

  /** A group of nothing new costs no commit. */
  async #store(group: CommitGroup): Promise<CommitResult> {
    const { rows, nodes, sessions, clearedSessions, logs, outboxSent } = group;
    const changes = rows.length + nodes.length + sessions.length + clearedSessions.length + logs.length;
    if (changes === 0 && outboxSent === this.#cursor) return { outbox: [], duplicates: 0, conflicts: [] };
    return await this.#options.store.commit(group);
  }

  /** The group is durable: custody is confirmed, answers and acknowledgements go out, then the messages. */
  #settle(inputs: readonly Input[], fates: readonly Fate[], result: CommitResult): void {
    this.#acknowledgeUps(inputs);
    inputs.forEach((input, index) => {
      const fate = fates[index] as Fate;
      if (fate === 'refused') return;
      if ('joined' in fate) this.#settleJoin(input, fate.joined);
      else if (input.kind === 'transport') this.#life?.aftermath.transported(input, fate.verdict);
    });
    this.#stored += result.outbox.length;
    this.#conflicts += result.conflicts.length;
    if (result.conflicts.length > 0) this.#tally.add('readingConflict', result.conflicts.length);
    this.#outbox.add(result.outbox, false);
    this.#saveCursor();
    if (inputs.length > 0) this.#statusDue.request();
  }

  #settleJoin(input: Input, joined: Joined): void {
    const node = this.#registry.get(joined.nodeId);
    if (input.kind !== 'join' || !node) return;
    this.#m2s.set(input.hash, joined);
    this.#life?.aftermath.joined(input, node, joined.m2);
  }

  #acknowledgeUps(inputs: readonly Input[]): void {
    const numbers = new Map<string, number[]>();
    for (const { gateway, upNumber } of inputs) {
      const list = numbers.get(gateway);
      if (list) list.push(upNumber);
      else numbers.set(gateway, [upNumber]);
    }
    for (const [gateway, list] of numbers) this.#gateways.acknowledge(gateway, list);
  }

  /** An M1 that was answered already gets the same M2, unless its session has been replaced since. */
  #repeatM2(gateway: string, hash: string): boolean {
    const joined = this.#m2s.get(hash);
    const node = joined && this.#registry.get(joined.nodeId);
    if (!joined || !node || !sessionSlots.some((slot) => node.sessions[slot]?.handshakeHash === hash)) return false;
    this.#life?.downlinks.send({ nodeId: joined.nodeId, packet: joined.m2, hold: false, gateway });
    return true;
  }

  async #start(): Promise<void> {
    const { store, link } = this.#options;
    const state = await store.open();
    try {
      await this.#load(state);
      await link.open(this.#handler());
    } catch (error) {
      this.#endLife();
      await store.close();
      throw error;
    }
  }

  async #load(state: StoredState): Promise<void> {
    const { clock, policy, random, names, offlineAfterCycles = OFFLINE_AFTER_CYCLES } = this.#options;
    const nowMs = clock.nowMs();
    const utcS = Math.floor(nowMs / 1000);
    const epoch = await this.#options.store.takeEpoch(utcS);
    // Without a clock that is right and has moved on, downlink nonces could repeat: every node makes a new session then.
    const trusted = epoch === utcS && isPlausibleUtc(nowMs);
    if (!trusted && state.sessions.length > 0) await this.#discardSessions(state);
    for (const node of nodesOf(trusted ? state : { ...state, sessions: [] })) {
      const { nodeId, key, lastSeenMs } = node.record;
      const name = names?.get(nodeId) ?? names?.get(key) ?? node.record.name;
      this.#registry.adopt(name === node.record.name ? node : { ...node, record: { ...node.record, name } });
      this.#status.expect(nodeId, allowedSilenceMs(node.record, offlineAfterCycles), nowMs, lastSeenMs);
    }
    const token = new DataView(random(4).slice().buffer).getUint32(0);
    const downlinks = new Downlinks(clock, this.#gateways, this.#registry, token);
    const acknowledger = new Acknowledger(clock, this.#registry, downlinks, (suite) => engineOf(suite, policy), epoch);
    const aftermath = new Aftermath({
      gateways: this.#gateways,
      downlinks,
      acknowledger,
      places: this.#places,
      status: this.#status,
      topology: this.#topology,
      tally: this.#tally,
      offlineAfterCycles,
      topologyChanged: () => this.#topologyDue.request(),
    });
    const timers = [
      every(clock, TICK_MS, () => this.#tick()),
      every(clock, TIME_PERIOD_MS, () => this.#gateways.sendTimes()),
      clock.after(LISTEN_GRACE_MS, () => this.#openOutbox()),
    ];
    this.#life = { epoch, downlinks, acknowledger, aftermath, timers };
    this.#outbox.add(state.outbox, true);
    if (this.#readings.any) this.#openOutbox();
  }

  async #discardSessions(state: StoredState): Promise<void> {
    const clearedSessions = state.sessions.map(({ key, slot }) => ({ key, slot }));
    await this.#options.store.commit({ rows: [], nodes: [], sessions: [], clearedSessions, logs: [], outboxSent: 0 });
  }

  #handler(): LinkHandler {
    return {
      envelope: (gateway, bytes) => this.#guard(() => this.#receive(gateway, bytes)),
      bad: (_gateway, reason) => this.#drop(reason),
      state: ({ up, detail }) => {
        this.#linkState = { up, detail };
        this.#stateDue.request();
      },
      presence: (gateway, online) =>
        this.#guard(() => {
          this.#gateways.presence(gateway, online);
          this.#stateDue.request();
        }),
    };
  }

  async #stop(): Promise<void> {
    await Promise.allSettled([this.#starting]);
    if (!this.#life) return;
    for (const timer of this.#life.timers) timer.cancel();
    await this.#group.flush();
    this.#endLife();
    try {
      await this.#options.link.close();
    } finally {
      await this.#options.store.close();
    }
  }

  #endLife(): void {
    const life = this.#life;
    this.#life = undefined;
    for (const timer of life?.timers ?? []) timer.cancel();
    life?.acknowledger.stop();
    for (const throttle of [this.#statusDue, this.#topologyDue, this.#stateDue]) throttle.stop();
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs();
    if (this.#status.sweep(nowMs)) {
      this.#statusDue.request();
      this.#topologyDue.request();
      this.#stateDue.request();
    }
    if (this.#topology.sweep(nowMs)) this.#topologyDue.request();
    this.#guard(() => this.#life?.acknowledger.tick());
  }

  #openOutbox(): void {
    this.#outbox.open();
    this.#saveCursor();
  }

  #saveCursor(): void {
    if (this.#outbox.sent !== this.#cursor) this.#group.within(CURSOR_IDLE_MS);
  }
