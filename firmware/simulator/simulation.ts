import { HeadEnd } from '../../nodes/headend/headend.ts';
import { MemoryStore } from '../../nodes/headend/store/memory.ts';
import { READINGS_PER_QUERY_MAX, type ReadingRow } from '../../nodes/headend/store/store.ts';
import type { Evidence, MessageEvidence } from './checkers/evidence.ts';
import { checkExactlyOnce } from './checkers/exactly-once.ts';
import { checkNothingLost } from './checkers/nothing-lost.ts';
import { CommitTimes } from './commit-times.ts';
import { secretsOf } from './credentials.ts';
import { EnergyMeter } from './energy.ts';
import { EventTimes } from './event-times.ts';
import type { Firmware } from './firmware.ts';
import { GatewayLink } from './gateway-port.ts';
import { Random } from './random.ts';
import { Recorder } from './recorder.ts';
import { type RunFigures, resultOf, type SimulationResult } from './result.ts';
import type { Scenario } from './scenario.ts';
import { ScheduleClock } from './schedule-clock.ts';
import { TimeErrors } from './time-errors.ts';
import { TrafficCounter } from './traffic.ts';
import { START_UTC_MS, World } from './world.ts';

/** The drain after the last measurement, seconds, beside two cycles. */
const DRAIN_S = 120;
/** The meters' clocks run a little behind: the last row is taken within this time, seconds. */
const CLOCK_TOLERANCE_S = 0.5;
/** Events between two reports of progress. */
const PROGRESS_EVENTS = 4096;
const NETWORK = 'simulated';

export interface SimulationOptions {
  readonly scenario: Scenario;
  readonly firmware: Firmware;
  /** Default: that of the scenario. */
  readonly seed?: number;
  /** Seconds without new readings at the end; default {@link drainS}. */
  readonly drainS?: number;
  /** Told at the end what the checkers judge. */
  evidence?(evidence: Evidence): void;
  /** Told now and then how far the run has come, of how many simulated seconds. */
  progress?(atS: number, ofS: number): void;
}

/**
 * Runs a scenario with a head-end and an in-memory store, judges it and returns the figures. The same scenario and seed give the same
 * result but for `wallMs`. Throws `firmwareTrap` when a device's firmware traps.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  return new Simulation(options).run();
}

/** Seconds without new readings at the end, so that what is under way can arrive. */
export function drainS(scenario: Scenario): number {
  const leafPeriodS = scenario.nodes.some((node) => node.power === 'battery') ? scenario.intervalS : 0;
  return DRAIN_S + 2 * Math.max(scenario.pollCycleS, leafPeriodS);
}

class Simulation {
  readonly #world: World;
  readonly #options: SimulationOptions;
  readonly #store: CommitTimes;
  readonly #headEnd: HeadEnd;
  readonly #recorder: Recorder;
  readonly #traffic = new TrafficCounter();
  readonly #energy: EnergyMeter;
  readonly #time: TimeErrors;
  readonly #eventTimes: EventTimes;
  readonly #names = new Map<string, string>();
  readonly #nodeIds = new Map<string, string>();
  readonly #messages: MessageEvidence[] = [];
  /** The head-end was given something: what it does about it settles before the next event. */
  #touched = false;
  #problem: Error | undefined;
  #events = 0;

  constructor(options: SimulationOptions) {
    const { scenario, firmware } = options;
    const seed = options.seed ?? scenario.seed;
    this.#options = options;
    const secrets = secretsOf(scenario, String(seed));
    const security = secrets && { security: secrets.ofDevice };
    this.#world = new World({ scenario, firmware, seed, network: NETWORK, ...security });
    this.#recorder = new Recorder(this.#world);
    this.#energy = new EnergyMeter(this.#world);
    this.#world.observe(this.#energy);
    this.#time = new TimeErrors(this.#world);
    this.#eventTimes = new EventTimes(this.#world);
    this.#world.observe({ power: (node, on) => on && this.#named(node) });
    this.#world.radio.observe((transmission) => this.#traffic.observe(transmission));
    const touched = (): void => {
      this.#touched = true;
    };
    const clock = new ScheduleClock(this.#world.schedule, START_UTC_MS, touched);
    this.#store = new CommitTimes(new MemoryStore(), clock);
    const random = new Random(seed).fork('head-end');
    this.#headEnd = new HeadEnd({
      network: NETWORK,
      store: this.#store,
      link: new GatewayLink(this.#world.gateways),
      clock,
      random: (length) => random.bytes(length),
      instanceId: Buffer.from(random.bytes(8)).toString('hex'),
      // Every device of a scenario is the operator's own.
      policy: {
        allowSuiteNone: scenario.suite === 'none',
        allowSuiteRsa: scenario.suite === 'rsa',
        approval: 'everyone',
        flooding: scenario.mode === 'flooding',
      },
      ...(secrets ? { ...secrets.ofHeadEnd, provider: this.#recorder.watched(secrets.ofHeadEnd.provider) } : {}),
      names: this.#names,
    });
    for (const gateway of this.#world.gateways.values()) gateway.onHostBytes(touched);
    this.#headEnd.onProblem((error) => {
      this.#problem ??= error;
    });
    this.#headEnd.events.listen((message) => this.#eventTimes.told(message));
    this.#headEnd.onReading(({ payload, wattmesh }) => {
      const { id, redelivered } = wattmesh;
      this.#messages.push({ id, redelivered, measuredAtMs: Date.parse(payload.measuredAt) });
    });
  }

  async run(): Promise<SimulationResult> {
    const startedMs = performance.now();
    const { scenario } = this.#options;
    await this.#headEnd.start();
    await this.#runUntil(scenario.warmupS);
    this.#traffic.on = true;
    this.#energy.start();
    this.#time.start();
    await this.#runUntil(scenario.durationS + CLOCK_TOLERANCE_S);
    this.#world.stopMeasuring();
    this.#energy.stop();
    const endS = this.#endS;
    await this.#runUntil(endS);
    this.#recorder.end();
    await this.#headEnd.stop();
    if (this.#problem) throw this.#problem;
    return resultOf(await this.#figures(endS, startedMs));
  }

  async #runUntil(atS: number): Promise<void> {
    const { schedule } = this.#world;
    const untilUs = Math.round(atS * 1e6);
    for (let next = schedule.next(); next !== undefined && next <= untilUs; next = schedule.next()) {
      schedule.step();
      if (++this.#events % PROGRESS_EVENTS === 0) this.#tellProgress();
      if (!this.#touched) continue;
      this.#touched = false;
      await settled();
    }
    schedule.run(untilUs);
  }

  #tellProgress(): void {
    this.#options.progress?.(this.#world.schedule.nowUs / 1e6, this.#endS);
  }

  /** Simulated seconds of the whole run. */
  get #endS(): number {
    const { scenario, drainS: ownDrainS } = this.#options;
    return scenario.durationS + (ownDrainS ?? drainS(scenario));
  }

  /** The head-end calls nodes as the scenario does. */
  #named(node: string): void {
    const nodeId = this.#world.device(node).state()?.nodeId;
    if (nodeId === undefined) return;
    this.#names.set(nodeId, node);
    this.#nodeIds.set(node, nodeId);
  }

  async #figures(endS: number, startedMs: number): Promise<RunFigures> {
    const { scenario } = this.#options;
    const evidence = await this.#evidence();
    this.#options.evidence?.(evidence);
    return {
      scenario,
      evidence,
      receivedAtMs: this.#store.times,
      traffic: this.#traffic,
      meanRouterMilliAmp: this.#energy.meanRouterMilliAmp(),
      leaves: this.#energy.leaves(),
      nodeEnergy: this.#energy.nodes(),
      joinTimesS: this.#recorder.joinTimesS(),
      time: this.#time.figures(),
      events: this.#eventTimes.figures(),
      repairS: this.#recorder.repairs.longestS(endS),
      reroutesS: this.#recorder.reroutesS(),
      metersThroughHubs: this.#recorder.metersThroughHubs(),
      violations: [
        ...checkExactlyOnce(evidence),
        ...checkNothingLost(evidence),
        ...this.#recorder.violations,
        ...this.#time.violations,
      ],
      peersReplaced: this.#world.devices.reduce((sum, { peersReplaced }) => sum + peersReplaced, 0),
      simS: endS,
      wallMs: performance.now() - startedMs,
    };
  }

  async #evidence(): Promise<Evidence> {
    const meters = this.#options.scenario.nodes.filter((node) => node.role === 'meter');
    return {
      seed: this.#world.seed,
      startUtcMs: START_UTC_MS,
      meters: meters.map(({ id }) => {
        const log = this.#world.log(id);
        return { id, nodeId: this.#nodeIds.get(id), rows: log.rows(), conflicts: log.conflicts };
      }),
      stored: await storedRows(this.#store),
      messages: this.#messages,
    };
  }
}

/** Everything in a store that was closed: what is durable. */
async function storedRows(store: CommitTimes): Promise<ReadingRow[]> {
  const { nodes } = await store.open();
  const rows: ReadingRow[] = [];
  for (const { key } of nodes) {
    const ofNode = await store.readings({ key, limit: READINGS_PER_QUERY_MAX });
    if (ofNode.length === READINGS_PER_QUERY_MAX)
      throw new RangeError(`node ${key} has too many rows to judge: shorten the scenario`);
    rows.push(...ofNode);
  }
  const count = await store.count();
  if (count !== rows.length)
    throw new RangeError(`the store holds ${count} rows, ${rows.length} of them of known nodes`);
  await store.close();
  return rows;
}

/** Resolves when all promises that can go on have done so. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
