import { type Beginning, boot } from './boot.ts';
import type { Clock, Timer } from './clock.ts';
import { Draft } from './draft.ts';
import { messageOf } from './emission.ts';
import { WattmeshError } from './errors.ts';
import { decodeGatewayEnvelope, type Envelope } from './frame/envelope.ts';
import { type Gateway, Gateways, isPlausibleUtc, TIME_PERIOD_MS } from './gateways.ts';
import { GroupCommit } from './group-commit.ts';
import { type Input, type NewRow, rowCountOf, takeIn, type Verdict } from './intake.ts';
import { type Joined, join } from './joining.ts';
import { Life, type LifeParts } from './life.ts';
import type { Link, LinkHandler } from './link/link.ts';
import { M2Cache } from './m2-cache.ts';
import { allowedSilenceMs, StatusTable } from './mesh/status.ts';
import { Topology } from './mesh/topology.ts';
import type { NetworkState, ReadingMessage, StatusMessage, TopologyMessage } from './messages.ts';
import { openPacket } from './opening.ts';
import { Outbox } from './outbox.ts';
import { statusMessage, topologyMessage } from './overview.ts';
import { every } from './pace.ts';
import { Places } from './places.ts';
import { Registry } from './registry.ts';
import { networkNumber } from './security/keys.ts';
import type { CommitGroup, CommitResult, OutboxEntry, Store } from './store/store.ts';
import { Tally } from './tally.ts';
import { Telling } from './telling.ts';
import { warningsOf } from './warnings.ts';

/** How long packets are collected for one commit unless the options say otherwise, ms; and the most that they may say. */
export const COMMIT_DELAY_MS = 50;
export const COMMIT_DELAY_MS_MAX = 100;
/** Missed cycles after which a node is offline unless the options say otherwise. */
export const OFFLINE_AFTER_CYCLES = 3;
/** The outbox cursor goes into the store by itself when no commit has taken it along for this long, ms. */
const CURSOR_IDLE_MS = 100;
/** Messages wait at most this long, ms, after a start for somebody to listen. */
const LISTEN_GRACE_MS = 2_000;
/** And this long, ms, when the last listener has gone: a deployment of Node-RED, which gives nodes 15 s to close, brings the next one. */
const RETURN_GRACE_MS = 20_000;
const TICK_MS = 1_000;

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
  readonly offlineAfterCycles?: number;
}

/** What became of an input in its group. */
type Fate = { readonly verdict: Verdict } | { readonly joined: Joined } | { readonly refused: true };

/**
 * The head-end of one network: opens, verifies, de-duplicates, stores, acknowledges, and tells what it knows. The composition root: each of
 * the parts beside this file does one of these. One start and one stop in a life.
 */
export class HeadEnd {
  readonly #options: HeadEndOptions;
  readonly #registry = new Registry();
  readonly #status = new StatusTable();
  readonly #topology = new Topology();
  readonly #tally = new Tally();
  readonly #m2s = new M2Cache(this.#registry);
  readonly #telling: Telling;
  readonly #gateways: Gateways;
  readonly #places: Places;
  readonly #group: GroupCommit<Input>;
  readonly #outbox: Outbox;
  /** Runs while messages wait for a listener. */
  #grace: Timer | undefined;
  #linkState: NetworkState['link'] = { up: false, detail: 'not started' };
  #life: Life | undefined;
  #timers: readonly Timer[] = [];
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  /** Outbox cursor as the store has it. */
  #cursor = 0;
  #stored = 0;
  #gatewaysThere = 0;
  #conflicts = 0;
  #storeProblem: string | undefined;

  constructor(options: HeadEndOptions) {
    const { clock, link, network, instanceId, commitDelayMs = COMMIT_DELAY_MS } = options;
    if (!(commitDelayMs >= 0 && commitDelayMs <= COMMIT_DELAY_MS_MAX)) {
      throw new WattmeshError(
        'badConfig',
        `a commit delay of ${commitDelayMs} ms is not allowed: use 0 to ${COMMIT_DELAY_MS_MAX}`,
      );
    }
    this.#options = options;
    this.#telling = new Telling(clock, this.#tally, this);
    this.#gateways = new Gateways(link, clock, networkNumber(network), instanceId);
    this.#places = new Places(this.#registry, this.#gateways);
    this.#group = new GroupCommit(clock, commitDelayMs, (inputs) => this.#commit(inputs));
    const parts = { network, registry: this.#registry, places: this.#places };
    const emit = (entry: OutboxEntry, again: boolean) => this.#telling.readings.tell(messageOf(entry, again, parts));
    this.#outbox = new Outbox(clock, emit, () => this.#group.within(CURSOR_IDLE_MS));
  }

  /**
   * Opens the store, takes the owner epoch, sends what the outbox holds (redelivered), opens the link. Rejects with the store's or the
   * link's error; everything is closed again then.
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
    const end = this.#telling.readings.add(listener);
    if (this.#life) this.#openOutbox();
    return () => {
      end();
      if (this.#life && !this.#telling.readings.any) this.#awaitListeners(RETURN_GRACE_MS);
    };
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

  /** A packet's whole way: item, packet, open, sections, group; `#commit` goes on from there. */
  #receivePacket(gateway: Gateway, { number, rssiDbm, item }: Extract<Envelope, { type: 'up' }>): void {
    const { clock, policy } = this.#options;
    const { name } = gateway;
    if (gateway.inFlight.has(number)) return;
    const isEmpty = item.packet.length === 0;
    const opened = isEmpty ? undefined : this.#telling.attempt(() => openPacket(item.packet, this.#registry, policy));
    const answered = opened?.kind === 'join' ? this.#m2s.get(opened.hash) : undefined;
    if (answered) this.#life?.aftermath.answer(answered, name);
    if (!opened || answered) {
      this.#gateways.acknowledge(name, [number]);
      return;
    }
    const rows = rowCountOf(opened);
    if (this.#outbox.isFull || !this.#group.hasRoom(rows)) {
      // No UP_ACK: the gateway keeps the packet and sends it again.
      this.#telling.dropped('queueFull');
      return;
    }
    gateway.inFlight.add(number);
    const gatewayRef = this.#places.gatewayRef(name);
    const { route } = item;
    const receivedAtMs = clock.nowMs();
    this.#group.add({ opened, gateway: name, gatewayRef, upNumber: number, receivedAtMs, rssiDbm, route }, rows);
  }

  /** Takes a group into a draft, the draft into the store, and only then lets anybody know. */
  async #commit(inputs: readonly Input[]): Promise<void> {
    try {
      const draft = new Draft(this.#registry);
      const rows: NewRow[] = [];
      const fates = inputs.map((input) => this.#take(draft, input, rows));
      const result = await this.#store({ ...draft.changes(), rows, outboxSent: this.#outbox.sent });
      draft.adopt();
      this.#settle(inputs, fates, result);
    } catch (error) {
      this.#telling.problem(error);
    }
    for (const { gateway, upNumber } of inputs) this.#gateways.get(gateway)?.inFlight.delete(upNumber);
    this.#telling.stateChanged();
  }

  #take(draft: Draft, input: Input, rows: NewRow[]): Fate {
    const { opened } = input;
    if (opened.kind === 'transport') return { verdict: takeIn(draft, opened, input, rows) };
    const { clock, policy, names = new Map(), random } = this.#options;
    const context = { epoch: this.#life?.epoch ?? 0, nowMs: clock.nowMs(), policy, names, random };
    const joined = this.#telling.attempt(() => join(draft, opened.handshake, opened.hash, context));
    return joined ? { joined } : { refused: true };
  }

  /** Commits a group; one of nothing new costs no transaction. */
  async #store(group: CommitGroup): Promise<CommitResult> {
    const { rows, nodes, sessions, clearedSessions, logs, outboxSent } = group;
    const changes = rows.length + nodes.length + sessions.length + clearedSessions.length + logs.length;
    if (changes === 0 && outboxSent === this.#cursor) return { outbox: [], duplicates: 0, conflicts: [] };
    try {
      const result = await this.#options.store.commit(group);
      this.#cursor = outboxSent;
      this.#storeProblem = undefined;
      return result;
    } catch (error) {
      this.#storeProblem = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  /** The group is durable: custody is confirmed, answers and acknowledgements go out, then the messages. */
  #settle(inputs: readonly Input[], fates: readonly Fate[], result: CommitResult): void {
    this.#gateways.acknowledgeAll(inputs);
    inputs.forEach((input, index) => {
      const { opened } = input;
      const fate = fates[index] as Fate;
      const node = this.#registry.get(opened.nodeId);
      if (opened.kind === 'transport' && 'verdict' in fate) {
        this.#life?.aftermath.transported(opened, input, fate.verdict, node);
      } else if (opened.kind === 'join' && 'joined' in fate && node) {
        this.#m2s.set(opened.hash, fate.joined);
        this.#life?.aftermath.joined(opened, input, node, fate.joined);
      }
    });
    this.#stored += result.outbox.length;
    this.#conflicts += result.conflicts.length;
    if (result.conflicts.length > 0) this.#tally.add('readingConflict', result.conflicts.length);
    this.#outbox.add(result.outbox, false);
    if (inputs.length > 0) this.#telling.statusChanged();
  }

  async #start(): Promise<void> {
    const { store, link, clock } = this.#options;
    const beginning = await boot(store, clock);
    try {
      this.#begin(beginning);
      await link.open(this.#handler());
    } catch (error) {
      await this.#commitRest();
      this.#endLife();
      await store.close();
      throw error;
    }
  }

  #begin({ epoch, nodes, outbox }: Beginning): void {
    const { clock, policy, random, names, offlineAfterCycles = OFFLINE_AFTER_CYCLES } = this.#options;
    for (const node of nodes) {
      const { nodeId, key, lastSeenMs } = node.record;
      const name = names?.get(nodeId) ?? names?.get(key) ?? node.record.name;
      this.#registry.adopt({ ...node, record: { ...node.record, name } });
      this.#status.expect(nodeId, allowedSilenceMs(node.record, offlineAfterCycles), clock.nowMs(), lastSeenMs);
    }
    const parts: LifeParts = {
      clock,
      policy,
      firstToken: new DataView(random(4).slice().buffer).getUint32(0),
      offlineAfterCycles,
      registry: this.#registry,
      gateways: this.#gateways,
      places: this.#places,
      status: this.#status,
      topology: this.#topology,
      tally: this.#tally,
      topologyChanged: () => this.#telling.topologyChanged(),
    };
    this.#life = new Life(epoch, parts);
    this.#timers = [
      every(clock, TICK_MS, () => this.#telling.attempt(() => this.#tick())),
      every(clock, TIME_PERIOD_MS, () => this.#telling.attempt(() => this.#gateways.sendTimes())),
    ];
    this.#outbox.add(outbox, true);
    if (this.#telling.readings.any) this.#openOutbox();
    else this.#awaitListeners(LISTEN_GRACE_MS);
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
    await this.#group.flush();
  }

  #endLife(): void {
    this.#cancelTimers();
    this.#life?.acknowledger.stop();
    this.#life = undefined;
    this.#telling.stop();
  }

  #cancelTimers(): void {
    this.#grace?.cancel();
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
  }

  /** Messages wait for a listener, but not for ever: somebody may want nothing but the store. */
  #awaitListeners(graceMs: number): void {
    this.#outbox.close();
    this.#grace?.cancel();
    this.#grace = this.#options.clock.after(graceMs, () => this.#telling.attempt(() => this.#openOutbox()));
  }

  #openOutbox(): void {
    this.#grace?.cancel();
    this.#outbox.open();
  }

  #facts() {
    const { network } = this.#options;
    return { network, registry: this.#registry, status: this.#status, topology: this.#topology };
  }

  #warnings(): string[] {
    const { store, policy, clock } = this.#options;
    const own = warningsOf({
      storeWarning: store.warning,
      storeProblem: this.#storeProblem,
      allowSuiteNone: policy.allowSuiteNone,
      clockIsSet: isPlausibleUtc(clock.nowMs()),
      conflicts: this.#conflicts,
    });
    return [...own, ...this.#gateways.warnings()];
  }
}
