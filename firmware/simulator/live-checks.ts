import { Reader } from '../../nodes/headend/bytes.ts';
import { BoundedQueuesChecker } from './checkers/bounded-queues.ts';
import { CountersRiseChecker } from './checkers/counters-rise.ts';
import { MemoryConstantChecker } from './checkers/memory-constant.ts';
import { ParentsAliveChecker } from './checkers/parents-alive.ts';
import type { Violation } from './checkers/violation.ts';
import { connectedNodes } from './connectivity.ts';
import type { Device } from './device.ts';
import { readRecords } from './flash-records.ts';
import { RECORD } from './provision.ts';
import type { Transmission } from './radio/station.ts';
import { gatewayIds, type Scenario } from './scenario.ts';
import type { World, WorldObserver } from './world.ts';

/** Seconds between two looks at all devices. */
const SAMPLE_S = 60;
/** A mesh that starts has joined within this time, seconds. */
const JOIN_S = 120;
/** Between two searches of a leaf, seconds. */
const LEAF_PAUSE_S = 60;
const LEAF_PAUSE_MAX_S = 900;
/** The boot count comes round. */
const BOOT_COUNT_BITS = 16;
/** Records of the flash that only rise. */
const RISING = {
  'the handshake number': RECORD.handshake,
  'the end of the reserved link counters': RECORD.linkCounter,
  'the boot count': RECORD.bootCount,
  'the owner epoch': RECORD.ownerEpoch,
} as const;
/** Where the link counter stands in a frame (PROTOCOL.md, section 2). */
const LINK_COUNTER_AT = 2;

/** Within this time after the last fault every node has a parent again, seconds: one and a half poll cycles, and what joining takes. */
export function repairTimeS({ pollCycleS }: Pick<Scenario, 'pollCycleS'>): number {
  return Math.max(JOIN_S, 1.5 * pollCycleS + 30);
}

/** The same for a battery leaf, which learns of a loss when it wakes, and sleeps between searches: up to a cycle, at least up to a minute. */
export function leafRepairTimeS({ pollCycleS, intervalS }: Pick<Scenario, 'pollCycleS' | 'intervalS'>): number {
  const cycleS = Math.max(pollCycleS, intervalS);
  return repairTimeS({ pollCycleS: cycleS }) + Math.min(Math.max(cycleS, LEAF_PAUSE_S), LEAF_PAUSE_MAX_S);
}

/** Feeds the checkers that judge a world while it runs: counters, queues, memory, parents. */
export class LiveChecks implements WorldObserver {
  readonly #world: World;
  readonly #counters: CountersRiseChecker;
  readonly #queues: BoundedQueuesChecker;
  readonly #memory: MemoryConstantChecker;
  readonly #parents: ParentsAliveChecker;

  constructor(world: World) {
    this.#world = world;
    const { seed, scenario } = world;
    this.#counters = new CountersRiseChecker(seed);
    this.#queues = new BoundedQueuesChecker(seed);
    this.#memory = new MemoryConstantChecker(seed);
    const leaves = new Set(scenario.nodes.filter(({ power }) => power === 'battery').map(({ id }) => id));
    const repairS = (node: string): number => (leaves.has(node) ? leafRepairTimeS(scenario) : repairTimeS(scenario));
    this.#parents = new ParentsAliveChecker(seed, gatewayIds(scenario), repairS, () => connectedNodes(world));
    world.observe(this);
    world.radio.observe((transmission) => this.#transmission(transmission));
    this.#sampleLater();
  }

  get violations(): Violation[] {
    return [this.#counters, this.#queues, this.#memory, this.#parents].flatMap((checker) => checker.violations);
  }

  /** Looks at all devices, at the end of a run too. */
  sample(): void {
    const { devices, gateways, schedule, scenario } = this.#world;
    const atS = this.#nowS();
    for (const device of devices) this.#look(device, atS);
    for (const [gateway, port] of gateways) this.#queues.line(gateway, port.backlogS(), atS);
    this.#queues.events(schedule.pending, devices.length, atS);
    // A flood needs no parent, so nobody would notice that one is gone.
    if (scenario.mode === 'collection') this.#parents.check(atS);
  }

  power(node: string, on: boolean): void {
    const atS = this.#nowS();
    this.#parents.power(node, on, atS);
    if (!on) this.#memory.poweredOff(node);
    const records = readRecords(this.#world.device(node).flash);
    for (const [name, key] of Object.entries(RISING)) {
      const bytes = records.get(key);
      const bits = key === RECORD.bootCount ? BOOT_COUNT_BITS : undefined;
      if (bytes) this.#counters.stored(node, name, numberOf(bytes), atS, bits);
    }
  }

  fault(): void {
    this.#parents.disturbed(this.#nowS());
  }

  sealed(node: string, key: Uint8Array, nonce: Uint8Array): void {
    this.#counters.sealed(node, key, nonce, this.#nowS());
  }

  /** A node chose a parent; undefined: it has none. */
  parentChanged(node: string, parent: string | undefined): void {
    this.#parents.parentChanged(node, parent, this.#nowS());
  }

  #transmission({ from, kind, bytes, attempt }: Transmission): void {
    if (kind === 'ack' || !bytes) return;
    const counter = new Reader(bytes.subarray(LINK_COUNTER_AT)).u32();
    this.#counters.frame(from, counter, attempt > 1, this.#nowS());
  }

  #look(device: Device, atS: number): void {
    const state = device.state();
    if (!state) return;
    this.#queues.device(device.id, device.config.role, state.queue, state.members, atS, state.spooled);
    this.#memory.sample(device.id, device.memoryBytes, atS);
  }

  #sampleLater(): void {
    const { schedule } = this.#world;
    schedule.at(schedule.nowUs + SAMPLE_S * 1e6, () => {
      this.sample();
      this.#sampleLater();
    });
  }

  #nowS(): number {
    return this.#world.schedule.nowUs / 1e6;
  }
}

/** A record of 2 or 4 bytes. */
function numberOf(bytes: Uint8Array): number {
  const reader = new Reader(bytes);
  return bytes.length < 4 ? reader.u16() : reader.u32();
}
