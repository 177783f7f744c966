import { secretsOf } from '../../../firmware/simulator/credentials.ts';
import { loadFirmware } from '../../../firmware/simulator/firmware.ts';
import { GatewayLink } from '../../../firmware/simulator/gateway-port.ts';
import { Random } from '../../../firmware/simulator/random.ts';
import { World } from '../../../firmware/simulator/world.ts';
import type { HeadEndOptions } from '../../../nodes/headend/headend.ts';
import { HeadEndBench, NETWORK } from '../../simulator/head-end-bench.ts';
import { LINE, lineScenario } from '../mesh.ts';
import { Middle } from './middle.ts';

export interface PlantOptions {
  readonly suite?: 'noise' | 'rsa';
  readonly seed?: number;
  readonly policy?: Partial<HeadEndOptions['policy']>;
}

/** The line of devices with their firmware and the head-end of a keyed network, both the real ones, and somebody in the middle. */
export class Plant {
  readonly world: World;
  readonly bench: HeadEndBench;
  readonly middle: Middle;
  /** Numbers of the errors for which a device dropped something, as often as it did. */
  readonly drops = new Map<string, Map<number, number>>(LINE.map((id) => [id, new Map()]));

  constructor({ suite = 'noise', seed = 3, policy = {} }: PlantOptions = {}) {
    const scenario = lineScenario(suite);
    const secrets = secretsOf(scenario, String(seed));
    if (!secrets) throw new RangeError(`suite ${suite} has no secrets`);
    this.world = new World({ scenario, firmware: loadFirmware(), seed, network: NETWORK, security: secrets.ofDevice });
    this.world.observe({
      traced: (node, trace) => {
        const counts = this.drops.get(node);
        if (trace.kind === 'dropped') counts?.set(trace.error, (counts.get(trace.error) ?? 0) + 1);
      },
    });
    this.middle = new Middle(new GatewayLink(this.world.gateways));
    const random = new Random(seed).fork('head-end');
    this.bench = new HeadEndBench(this.world, this.middle, {
      ...secrets.ofHeadEnd,
      random: (length) => random.bytes(length),
      policy: { allowSuiteNone: false, allowSuiteRsa: suite === 'rsa', approval: 'everyone', ...policy },
    });
  }

  /** A plant whose head-end has started; nobody has joined yet. */
  static async started(options?: PlantOptions): Promise<Plant> {
    const plant = new Plant(options);
    await plant.bench.headEnd.start();
    return plant;
  }

  get nowS(): number {
    return this.world.schedule.nowUs / 1e6;
  }

  /** Runs on for so many simulated seconds. */
  async pass(seconds: number): Promise<void> {
    await this.bench.run(this.nowS + seconds);
  }

  nodeId(id: string): string {
    return this.world.device(id).state()?.nodeId ?? '';
  }

  joined(id: string): boolean {
    return this.world.device(id).state()?.joined === true;
  }

  /** How often a device dropped something, for one error number or in all. */
  dropped(id: string, error?: number): number {
    const counts = this.drops.get(id) ?? new Map<number, number>();
    if (error !== undefined) return counts.get(error) ?? 0;
    return [...counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** What the head-end counted. */
  errors(): Record<string, number> {
    return this.bench.headEnd.state().errors;
  }

  /** Has something happen at moments `periodMs` apart, as often as there are `things`. */
  oneByOne<Thing>(things: readonly Thing[], periodMs: number, act: (thing: Thing) => void): void {
    const { schedule } = this.world;
    const startUs = schedule.nowUs;
    for (const [index, thing] of things.entries()) schedule.at(startUs + index * periodMs * 1000, () => act(thing));
  }
}
