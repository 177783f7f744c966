import type { RestState } from './device.ts';
import { type Chip, currentsOf, FLASH, SUPPLY_VOLT, WAKES, yearsOnBatteries } from './energy-figures.ts';
import type { World, WorldObserver } from './world.ts';

/** What one node consumed while the count ran. The states of the chip add up to the time for which it had power; `flashS` lies within them. */
export interface NodeEnergy {
  /** Sending, acknowledgements included, seconds. */
  readonly txS: number;
  /** Receiver on, frames arriving or not, seconds. */
  readonly rxS: number;
  /** Deep sleep, seconds. */
  readonly sleepS: number;
  /** From the end of sleep until the program runs, seconds. */
  readonly wakeS: number;
  /** The flash writes or erases, seconds. */
  readonly flashS: number;
  /** All of it. */
  readonly milliJoule: number;
}

/** What the leaves consumed, all of them together. */
export interface LeafEnergy {
  /** Everything but deep sleep. */
  readonly awakeMilliJoule: number;
  readonly sleepMilliJoule: number;
  /** Of a leaf with the mean current of all; 0 without leaves. */
  readonly years: number;
}

/** Seconds in each state, as counted so far. */
interface Count {
  onUs: number;
  asleepUs: number;
  wakeUs: number;
  wakeMilliCoulomb: number;
  txUs: number;
  writes: number;
  erases: number;
}

/** Counts from the start of the run; what is told is the difference of two. */
interface Use {
  readonly chip: Chip;
  onSinceUs: number | undefined;
  asleepSinceUs: number | undefined;
  /** `txUs`, `writes` and `erases` are read where they are counted. */
  readonly sofar: Count;
  from: Count;
  until: Count | undefined;
}

/** What every node consumes: sending, listening, deep sleep, waking, and writing to flash. */
export class EnergyMeter implements WorldObserver {
  readonly #world: World;
  readonly #uses = new Map<string, Use>();

  constructor(world: World) {
    this.#world = world;
    for (const { id, chip = 'esp32' } of world.scenario.nodes) {
      const common = { chip, onSinceUs: undefined, asleepSinceUs: undefined };
      this.#uses.set(id, { ...common, sofar: zero(), from: zero(), until: undefined });
    }
  }

  power(node: string, on: boolean): void {
    const use = this.#use(node);
    this.#settle(use);
    use.onSinceUs = on ? this.#nowUs : undefined;
    use.asleepSinceUs = undefined;
  }

  slept(node: string, state: RestState): void {
    const use = this.#use(node);
    this.#settle(use);
    use.asleepSinceUs = state === 'awake' ? undefined : this.#nowUs;
    if (state === 'asleep') return;
    const { seconds, milliCoulomb } = WAKES[state];
    use.sofar.wakeUs += seconds * 1e6;
    use.sofar.wakeMilliCoulomb += milliCoulomb;
  }

  /** Begins to count. */
  start(): void {
    for (const [id, use] of this.#uses) use.from = this.#counted(id);
  }

  /** Ends the count. */
  stop(): void {
    for (const [id, use] of this.#uses) use.until = this.#counted(id);
  }

  /** By node, in the order of the scenario. */
  nodes(): Map<string, NodeEnergy> {
    return new Map([...this.#uses.keys()].map((id) => [id, this.#energyOf(id)]));
  }

  /** Mean current of the devices that route, while they were on, mA; 0 when none was. */
  meanRouterMilliAmp(): number {
    return mean(this.#milliAmps((power) => power !== 'battery'));
  }

  leaves(): LeafEnergy {
    const leaves = this.#world.scenario.nodes.filter((node) => node.power === 'battery');
    let sleepMilliJoule = 0;
    let milliJoule = 0;
    for (const { id, chip = 'esp32' } of leaves) {
      const energy = this.#energyOf(id);
      sleepMilliJoule += energy.sleepS * currentsOf(chip).sleepMilliAmp * SUPPLY_VOLT;
      milliJoule += energy.milliJoule;
    }
    const milliAmp = mean(this.#milliAmps((power) => power === 'battery'));
    const years = milliAmp === 0 ? 0 : yearsOnBatteries(milliAmp);
    return { awakeMilliJoule: milliJoule - sleepMilliJoule, sleepMilliJoule, years };
  }

  #milliAmps(wanted: (power: string) => boolean): number[] {
    const nodes = this.#world.scenario.nodes.filter((node) => wanted(node.power));
    return nodes.flatMap(({ id }) => {
      const { txS, rxS, sleepS, wakeS, milliJoule } = this.#energyOf(id);
      const onS = txS + rxS + sleepS + wakeS;
      return onS > 0 ? [milliJoule / SUPPLY_VOLT / onS] : [];
    });
  }

  #energyOf(id: string): NodeEnergy {
    const use = this.#use(id);
    const until = use.until ?? this.#counted(id);
    const during = (name: keyof Count): number => until[name] - use.from[name];
    const { txMilliAmp, rxMilliAmp, sleepMilliAmp } = currentsOf(use.chip);
    const txS = during('txUs') / 1e6;
    const wakeS = during('wakeUs') / 1e6;
    // The chip is started so much earlier that its program runs when it wants to: that time is taken from sleep.
    const sleepS = Math.max(0, during('asleepUs') / 1e6 - wakeS);
    const rxS = Math.max(0, (during('onUs') - during('asleepUs')) / 1e6 - txS);
    const flashS = during('writes') * FLASH.writeS + during('erases') * FLASH.eraseS;
    const milliCoulomb =
      txS * txMilliAmp +
      rxS * rxMilliAmp +
      sleepS * sleepMilliAmp +
      flashS * FLASH.milliAmp +
      during('wakeMilliCoulomb');
    return { txS, rxS, sleepS, wakeS, flashS, milliJoule: milliCoulomb * SUPPLY_VOLT };
  }

  /** All counts of a node as they are now. */
  #counted(id: string): Count {
    const use = this.#use(id);
    this.#settle(use);
    const { writes, erases } = this.#world.device(id).flash;
    return { ...use.sofar, txUs: this.#world.radio.stats(id).txUs, writes, erases };
  }

  #settle(use: Use): void {
    const nowUs = this.#nowUs;
    if (use.onSinceUs === undefined) return;
    use.sofar.onUs += nowUs - use.onSinceUs;
    use.onSinceUs = nowUs;
    if (use.asleepSinceUs === undefined) return;
    use.sofar.asleepUs += nowUs - use.asleepSinceUs;
    use.asleepSinceUs = nowUs;
  }

  #use(node: string): Use {
    return this.#uses.get(node) as Use;
  }

  get #nowUs(): number {
    return this.#world.schedule.nowUs;
  }
}

function zero(): Count {
  return { onUs: 0, asleepUs: 0, wakeUs: 0, wakeMilliCoulomb: 0, txUs: 0, writes: 0, erases: 0 };
}

/** 0 of nothing. */
function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
