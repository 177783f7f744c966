import type { World, WorldObserver } from './world.ts';

/** Currents of an ESP32, mA (data sheet): sending at 20 dBm, and listening, the whole chip included. */
export const TX_MILLIAMP = 240;
export const RX_MILLIAMP = 100;
export const SUPPLY_VOLT = 3.3;

interface Use {
  onSinceUs: number | undefined;
  onUs: number;
  /** Time on air before the count began, us. */
  txBeforeUs: number;
}

/**
 * What the radios consume: every device listens whenever it is on and does not send. Leaves do so too as long as the firmware does not
 * let them sleep.
 */
export class EnergyMeter implements WorldObserver {
  readonly #world: World;
  readonly #uses = new Map<string, Use>();

  constructor(world: World) {
    this.#world = world;
    for (const { id } of world.devices) this.#uses.set(id, { onSinceUs: undefined, onUs: 0, txBeforeUs: 0 });
  }

  power(node: string, on: boolean): void {
    const use = this.#uses.get(node) as Use;
    const nowUs = this.#world.schedule.nowUs;
    if (use.onSinceUs !== undefined) use.onUs += nowUs - use.onSinceUs;
    use.onSinceUs = on ? nowUs : undefined;
  }

  /** Begins to count. */
  start(): void {
    for (const [id, use] of this.#uses) {
      use.onUs = 0;
      use.txBeforeUs = this.#world.radio.stats(id).txUs;
      if (use.onSinceUs !== undefined) use.onSinceUs = this.#world.schedule.nowUs;
    }
  }

  /** Mean current of the devices that route, while they were on, mA; 0 when none was. */
  meanRouterMilliAmp(): number {
    const routers = this.#devices((power) => power !== 'battery').filter((device) => device.onUs > 0);
    if (routers.length === 0) return 0;
    return routers.reduce((sum, device) => sum + device.milliAmpUs / device.onUs, 0) / routers.length;
  }

  /** Energy of all battery leaves together, mJ. */
  leafMilliJoule(): number {
    const leaves = this.#devices((power) => power === 'battery');
    return leaves.reduce((sum, device) => sum + (device.milliAmpUs * SUPPLY_VOLT) / 1e6, 0);
  }

  #devices(wanted: (power: string) => boolean): { onUs: number; milliAmpUs: number }[] {
    const nowUs = this.#world.schedule.nowUs;
    return this.#world.scenario.nodes
      .filter((node) => wanted(node.power))
      .map(({ id }) => {
        const use = this.#uses.get(id) as Use;
        const onUs = use.onUs + (use.onSinceUs === undefined ? 0 : nowUs - use.onSinceUs);
        const txUs = this.#world.radio.stats(id).txUs - use.txBeforeUs;
        return { onUs, milliAmpUs: RX_MILLIAMP * onUs + (TX_MILLIAMP - RX_MILLIAMP) * txUs };
      });
  }
}
