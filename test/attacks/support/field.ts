import { setImmediate as turn } from 'node:timers/promises';
import { NonceReuseChecker } from '../../../firmware/simulator/checkers/nonce-reuse.ts';
import { credentialsOf, type SimulatedCredentials } from '../../../firmware/simulator/credentials.ts';
import { loadFirmware } from '../../../firmware/simulator/firmware.ts';
import { GatewayLink } from '../../../firmware/simulator/gateway-port.ts';
import { Random } from '../../../firmware/simulator/random.ts';
import { parseScenario } from '../../../firmware/simulator/scenario.ts';
import { ScheduleClock } from '../../../firmware/simulator/schedule-clock.ts';
import type { MeterRow } from '../../../firmware/simulator/trace.ts';
import { START_UTC_MS, World } from '../../../firmware/simulator/world.ts';
import { HeadEnd, type HeadEndOptions } from '../../../nodes/headend/headend.ts';
import { MemoryStore } from '../../../nodes/headend/store/memory.ts';
import type { ReadingRow } from '../../../nodes/headend/store/store.ts';
import { HandledFirmware } from './handled-firmware.ts';
import { JumpClock } from './jump-clock.ts';

const NETWORK = 'field';

export interface FieldOptions {
  readonly seed?: number;
  /** Meters, all in reach of the gateway; default: m1 and m2. */
  readonly meters?: readonly string[];
  readonly intervalS?: number;
  readonly pollCycleS?: number;
  /** Devices that are not switched on. */
  readonly off?: readonly string[];
}

/**
 * A gateway and its meters under suite 0x01, the real firmware with a real head-end in simulated time, whose flash, randomness and clocks are in
 * the test's hands. Every seal is judged.
 */
export class Field {
  readonly firmware = new HandledFirmware(loadFirmware());
  readonly world: World;
  readonly nonces: NonceReuseChecker;
  readonly store = new MemoryStore();
  readonly clock: JumpClock;
  readonly problems: Error[] = [];
  /** Rows in the order of their commits, whatever their seqs, by meter. */
  readonly measured = new Map<string, MeterRow[]>();
  /** Numbers of the errors that a device reported. */
  readonly drops = new Map<string, Set<number>>();
  readonly credentials: SimulatedCredentials;
  #headEnd: HeadEnd | undefined;
  readonly #random: Random;
  #touched = false;

  constructor({ seed = 3, meters = ['m1', 'm2'], intervalS = 10, pollCycleS = 10, off = [] }: FieldOptions = {}) {
    this.credentials = credentialsOf(seed);
    this.#random = new Random(seed).fork('head-end');
    const scenario = scenarioOf(meters, intervalS, pollCycleS);
    const headEndKey = this.credentials.identity.staticKey.publicKey;
    this.world = new World({ scenario, firmware: this.firmware, seed, network: NETWORK, headEndKey });
    this.clock = new JumpClock(new ScheduleClock(this.world.schedule, START_UTC_MS, () => this.#touch()));
    this.nonces = new NonceReuseChecker(this.world.seed);
    this.world.gateway.onHostBytes(() => this.#touch());
    this.world.observe({
      sealed: (node, key, nonce) => this.nonces.sealed(node, key, nonce, this.nowS),
      traced: (node, trace) => {
        if (trace.kind === 'dropped') setOf(this.drops, node).add(trace.error);
        // After a boot the last row is told again.
        const rows = this.measured.get(node) ?? [];
        this.measured.set(node, rows);
        if (trace.kind === 'rowCommitted' && !sameRow(rows.at(-1), trace.row)) rows.push(trace.row);
      },
    });
    for (const id of off) this.world.apply({ kind: 'kill', node: id, atS: 0 });
  }

  /** A field with a head-end, run until everybody has joined and its session is in use. */
  static async joined(options: FieldOptions = {}): Promise<Field> {
    const field = new Field(options);
    await field.startHeadEnd();
    await field.pass(60);
    const missing = field.world.devices.filter((device) => device.on && !device.state()?.joined);
    if (missing.length > 0)
      throw new Error(`seed ${field.world.seed}: ${missing.map(({ id }) => id).join()} did not join`);
    return field;
  }

  get nowS(): number {
    return this.world.schedule.nowUs / 1e6;
  }

  get headEnd(): HeadEnd {
    if (!this.#headEnd) throw new Error('no head-end is running');
    return this.#headEnd;
  }

  async startHeadEnd(change: Partial<HeadEndOptions> = {}): Promise<HeadEnd> {
    const { provider, ...secrets } = this.credentials;
    const headEnd = new HeadEnd({
      network: NETWORK,
      store: this.store,
      link: new GatewayLink(this.world.gateways),
      clock: this.clock,
      random: (length) => this.#random.bytes(length),
      instanceId: '0123456789abcdef',
      policy: { allowSuiteNone: false, approval: 'everyone' },
      ...secrets,
      provider: this.nonces.watched(provider, 'head-end', () => this.nowS),
      ...change,
    });
    headEnd.onReading(() => undefined);
    headEnd.onProblem((error) => this.problems.push(error));
    this.#headEnd = headEnd;
    await headEnd.start();
    return headEnd;
  }

  /** Runs on for so many seconds, or until `isDone`; true when that was in time. */
  async pass(seconds: number, isDone: () => boolean = () => false): Promise<boolean> {
    const { schedule } = this.world;
    const untilUs = schedule.nowUs + Math.round(seconds * 1e6);
    for (let next = schedule.next(); next !== undefined && next <= untilUs; next = schedule.next()) {
      schedule.step();
      if (!this.#touched) continue;
      this.#touched = false;
      await turn();
      if (isDone()) return true;
    }
    schedule.run(untilUs);
    return isDone();
  }

  /** Power is off while something is done to a device's flash. */
  whileOff(id: string, act: () => void): void {
    this.world.apply({ kind: 'kill', node: id, atS: 0 });
    act();
    this.world.apply({ kind: 'revive', node: id, atS: 0 });
  }

  nodeId(id: string): string {
    return this.world.device(id).state()?.nodeId ?? '';
  }

  isJoined(id: string): boolean {
    return this.world.device(id).state()?.joined ?? false;
  }

  /** Rows that the store has of the device with this node id. */
  async stored(nodeId: string): Promise<ReadingRow[]> {
    const key = this.headEnd.status().payload.nodes.find((node) => node.nodeId === nodeId)?.key;
    return key === undefined ? [] : this.store.readings({ key });
  }

  #touch(): void {
    this.#touched = true;
  }
}

function sameRow(a: MeterRow | undefined, b: MeterRow): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}

function setOf(sets: Map<string, Set<number>>, name: string): Set<number> {
  const known = sets.get(name) ?? new Set<number>();
  sets.set(name, known);
  return known;
}

function scenarioOf(meters: readonly string[], intervalS: number, pollCycleS: number) {
  return parseScenario({
    durationS: 30 * 86_400,
    nodes: [{ id: 'gw', role: 'gateway' }, ...meters.map((id) => ({ id, role: 'meter' }))],
    links: meters.flatMap((id) => [
      { from: 'gw', to: id, prr: 0.95 },
      { from: id, to: 'gw', prr: 0.95 },
    ]),
    mesh: { pollCycleS },
    reading: { intervalS },
  });
}
