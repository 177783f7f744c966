import { setImmediate as turn } from 'node:timers/promises';
import { checkExactlyOnce } from '../../../firmware/simulator/checkers/exactly-once.ts';
import { NonceReuseChecker } from '../../../firmware/simulator/checkers/nonce-reuse.ts';
import { checkNothingLost } from '../../../firmware/simulator/checkers/nothing-lost.ts';
import type { Violation } from '../../../firmware/simulator/checkers/violation.ts';
import { credentialsOf, type SimulatedCredentials } from '../../../firmware/simulator/credentials.ts';
import { type Firmware, loadFirmware } from '../../../firmware/simulator/firmware.ts';
import { Random } from '../../../firmware/simulator/random.ts';
import { parseScenario, type Scenario } from '../../../firmware/simulator/scenario.ts';
import { ScheduleClock } from '../../../firmware/simulator/schedule-clock.ts';
import { START_UTC_MS, World } from '../../../firmware/simulator/world.ts';
import { fromHex } from '../../../nodes/headend/bytes.ts';
import { HeadEnd, type HeadEndOptions } from '../../../nodes/headend/headend.ts';
import type { ReadingMessage } from '../../../nodes/headend/messages.ts';
import { nodeIdOf } from '../../../nodes/headend/security/keys.ts';
import { JournaledStore } from './journaled-store.ts';
import { Life } from './life.ts';
import { SealedTalk } from './sealed-talk.ts';
import { Wire } from './wire.ts';

export const NETWORK = 'sealed';
/** In this order, each in reach of the one before only. */
export const LINE = ['gw', 'h1', 'm1', 'm2'] as const;
export const METERS = ['m1', 'm2'] as const;

export interface SealedMeshOptions {
  readonly seed?: number;
  readonly intervalS?: number;
  readonly pollCycleS?: number;
  /** Share of frames that a link brings over. */
  readonly prr?: number;
  readonly headEnd?: Partial<HeadEndOptions>;
  /** In place of the line. */
  readonly scenario?: Scenario;
  /** Default: the firmware as it is. */
  readonly firmware?: Firmware;
}

/**
 * A gateway, a hub and two meters in a line, or another scenario, under suite 0x01 with a real head-end, in simulated time. The line to the gateway can be in other
 * hands, the head-end can be killed, its store put back. Every seal of all of them is judged.
 */
export class SealedMesh {
  readonly world: World;
  readonly wire: Wire;
  readonly nonces: NonceReuseChecker;
  readonly talk = new SealedTalk();
  readonly messages: ReadingMessage[] = [];
  readonly problems: Error[] = [];
  readonly credentials: SimulatedCredentials;
  /** Numbers of the errors for which a device dropped packets, as often as it did. */
  readonly drops = new Map<string, Map<number, number>>();
  store = new JournaledStore();
  /** How far the clocks of head-ends that are made from now on are ahead, ms. */
  clockAheadMs = 0;
  #headEnd: HeadEnd | undefined;
  #life: Life | undefined;
  readonly #options: SealedMeshOptions;
  readonly #random: Random;
  #touched = false;

  constructor(options: SealedMeshOptions = {}) {
    const { seed = 5, intervalS = 20, pollCycleS = 20, prr = 0.9 } = options;
    this.#options = options;
    this.#random = new Random(seed).fork('head-end');
    this.credentials = credentialsOf(seed);
    const headEndKey = this.credentials.identity.staticKey.publicKey;
    const { scenario = lineOf(intervalS, pollCycleS, prr), firmware = loadFirmware() } = options;
    this.world = new World({ scenario, firmware, seed, network: NETWORK, headEndKey });
    for (const { id } of scenario.nodes) this.drops.set(id, new Map());
    this.wire = new Wire(this.world.gateway, 'gw', () => this.touch());
    this.nonces = new NonceReuseChecker(this.world.seed);
    this.world.observe({
      sealed: (node, key, nonce) => this.nonces.sealed(node, key, nonce, this.nowS),
      traced: (node, trace) => {
        const counts = this.drops.get(node);
        if (trace.kind === 'dropped') counts?.set(trace.error, (counts.get(trace.error) ?? 0) + 1);
      },
    });
  }

  /** A mesh with a head-end, run until everybody has joined and is heard. */
  static async joined(options: SealedMeshOptions = {}): Promise<SealedMesh> {
    const mesh = new SealedMesh(options);
    await mesh.startHeadEnd();
    await mesh.pass(60);
    const missing = mesh.world.devices.filter((device) => !device.state()?.joined).map(({ id }) => id);
    if (missing.length > 0) throw new Error(`seed ${mesh.world.seed}: ${missing.join()} did not join`);
    return mesh;
  }

  get nowS(): number {
    return this.world.schedule.nowUs / 1e6;
  }

  get headEnd(): HeadEnd {
    if (!this.#headEnd) throw new Error('no head-end is running');
    return this.#headEnd;
  }

  /** Ids of all meters. */
  get meters(): string[] {
    return this.world.scenario.nodes.filter(({ role }) => role === 'meter').map(({ id }) => id);
  }

  nodeId(id: string): string {
    return this.world.device(id).state()?.nodeId ?? '';
  }

  /** Another life of the head-end, on the store as it is; resolves when it has started, or was killed meanwhile. */
  async startHeadEnd(change: Partial<HeadEndOptions> = {}): Promise<HeadEnd> {
    const { headEnd, life } = this.makeHeadEnd(change);
    [this.#headEnd, this.#life] = [headEnd, life];
    await Promise.race([headEnd.start(), life.ended]);
    return headEnd;
  }

  /** A head-end that has not started, beside the one that runs. */
  makeHeadEnd(change: Partial<HeadEndOptions> = {}, link = this.wire): { headEnd: HeadEnd; life: Life } {
    const clock = new ScheduleClock(this.world.schedule, START_UTC_MS + this.clockAheadMs, () => this.touch());
    const life = new Life({ clock, store: this.store, link });
    const nowS = (): number => this.nowS;
    const { provider, ...secrets } = this.credentials;
    const headEnd = new HeadEnd({
      network: NETWORK,
      random: (length) => this.#random.bytes(length),
      instanceId: Buffer.from(this.#random.bytes(8)).toString('hex'),
      policy: { allowSuiteNone: false, approval: 'everyone' },
      ...secrets,
      provider: this.talk.watched(this.nonces.watched(provider, 'head-end', nowS), nowS),
      ...this.#options.headEnd,
      ...change,
      ...{ clock: life.clock, store: life.store, link: life.link },
    });
    headEnd.onReading((message) => this.messages.push(message));
    headEnd.onProblem((error) => this.problems.push(error));
    return { headEnd, life };
  }

  /** The head-end's process is gone at once; nothing holds its store any more once `bury` was called. */
  killHeadEnd(): void {
    this.#life?.end();
    this.#headEnd = undefined;
  }

  /** The operating system gives back what a killed process held. */
  async bury(): Promise<void> {
    await this.store.close();
  }

  /** A head-end was given something: what it does about it settles before the next event. */
  touch(): void {
    this.#touched = true;
  }

  /** Runs on for so many seconds, or until something has happened, which is looked at after each event; true when it has. */
  async pass(seconds: number, until: () => boolean = () => false): Promise<boolean> {
    const { schedule } = this.world;
    const untilUs = schedule.nowUs + Math.round(seconds * 1e6);
    for (let next = schedule.next(); next !== undefined && next <= untilUs; next = schedule.next()) {
      schedule.step();
      if (this.#touched) {
        this.#touched = false;
        await turn();
      }
      if (until()) return true;
    }
    schedule.run(untilUs);
    return until();
  }

  /** Lets what is under way arrive: no more rows, and enough time. */
  async drain(seconds: number): Promise<void> {
    this.world.stopMeasuring();
    await this.pass(seconds);
  }

  /** Seqs of the rows that the store has of a meter, in order. */
  async storedSeqs(id: string): Promise<number[]> {
    const nodeId = this.nodeId(id);
    const rows = await this.store.readings({});
    return rows.filter(({ key }) => nodeIdOf(fromHex(key)) === nodeId).map(({ seq }) => seq);
  }

  /** What the checkers find. `fromMessage`: messages before it went out of a store that is no more. */
  async judge(fromMessage = 0): Promise<{ measured: number; stored: number; violations: Violation[] }> {
    const stored = await this.store.readings({});
    const meters = this.meters.map((id) => {
      const log = this.world.log(id);
      return { id, nodeId: this.nodeId(id), rows: log.rows(), conflicts: log.conflicts };
    });
    const messages = this.messages.slice(fromMessage).map(({ payload, wattmesh: { id, redelivered } }) => {
      return { id, redelivered, measuredAtMs: Date.parse(payload.measuredAt) };
    });
    const evidence = { seed: this.world.seed, startUtcMs: START_UTC_MS, meters, stored, messages };
    const violations = [...checkExactlyOnce(evidence), ...checkNothingLost(evidence), ...this.nonces.violations];
    return { measured: meters.flatMap(({ rows }) => rows).length, stored: stored.length, violations };
  }
}

function lineOf(intervalS: number, pollCycleS: number, prr: number) {
  const pairs = LINE.slice(1).map((to, index) => [LINE[index] as string, to] as const);
  return parseScenario({
    durationS: 30 * 86_400,
    nodes: LINE.map((id) => ({ id, role: id === 'gw' ? 'gateway' : id === 'h1' ? 'hub' : 'meter' })),
    links: pairs.flatMap(([from, to]) => [
      { from, to, prr },
      { from: to, to: from, prr },
    ]),
    mesh: { pollCycleS },
    reading: { intervalS },
  });
}
