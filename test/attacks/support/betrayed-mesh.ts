import { loadFirmware } from '../../../firmware/simulator/firmware.ts';
import { parseScenario, type Scenario } from '../../../firmware/simulator/scenario.ts';
import { BROADCAST } from '../../../nodes/headend/frame/radio.ts';
import { InsiderFirmware, type Treason } from './insider.ts';
import { NETWORK, SealedMesh } from './sealed-mesh.ts';

const NETWORK_KEY = { keyId: 1, key: new Uint8Array(16).fill(0x5a) };
export const CYCLE_S = 20;
/** Next to the gateway, and all honest. */
const FIRST = ['a1', 'a2'] as const;
/** Who hears them: two honest ones, and one that is going to be stolen. */
const ROUTERS = ['r1', 'r2', 'x'] as const;
/** Those who hear them. */
const NEAR = ['m1', 'm2', 'm3', 'm4'] as const;
const RSSI_DBM = -60;

/**
 * A gateway, two meters next to it, three nodes that hear both, four meters that hear all three, and two more that hear the four; a real
 * head-end. `x` is in other hands once it was turned.
 */
export class BetrayedMesh {
  readonly mesh: SealedMesh;
  readonly #firmware: InsiderFirmware;

  private constructor(seed: number, role: 'hub' | 'meter') {
    this.#firmware = new InsiderFirmware(loadFirmware(), NETWORK, NETWORK_KEY);
    this.mesh = new SealedMesh({
      seed,
      scenario: scenarioOf(role),
      firmware: this.#firmware,
      headEnd: { networkKey: NETWORK_KEY },
    });
  }

  /** Run until all have joined; `role`: of the three in the middle. */
  static async joined(seed: number, role: 'hub' | 'meter'): Promise<BetrayedMesh> {
    const betrayed = new BetrayedMesh(seed, role);
    await betrayed.mesh.startHeadEnd();
    await betrayed.mesh.pass(120);
    return betrayed;
  }

  /** Ids of the meters that nobody stole. */
  get honest(): string[] {
    return this.mesh.meters.filter((id) => id !== 'x');
  }

  /** From now on `x` does this. */
  turn(treason: Treason | undefined): void {
    this.#firmware.turn(this.mesh.world.device('x').mac, treason);
  }

  /** `x` tells everybody in reach at once what it claims. */
  shout(): void {
    const { world } = this.mesh;
    const { mac } = world.device('x');
    const frame = this.#firmware.shout(mac, world.utcMs());
    for (const id of [...FIRST, ...NEAR]) world.device(id).received(frame, mac, BROADCAST, RSSI_DBM);
  }

  /** Ids of the nodes whose parent is `x`. */
  behindX(): string[] {
    const shortId = this.mesh.world.device('x').state()?.shortId;
    return this.mesh.world.devices.filter((device) => device.state()?.parentShort === shortId).map(({ id }) => id);
  }

  /** Of the rows of honest meters that are not in the store, the age of the oldest one, in cycles. */
  async longestWait(): Promise<number> {
    const { nowUs } = this.mesh.world.schedule;
    let oldestUs = nowUs;
    for (const id of this.honest) {
      const stored = new Set(await this.mesh.storedSeqs(id));
      for (const { row, committedUs } of this.mesh.world.log(id).rows()) {
        if (!stored.has(row.seq)) oldestUs = Math.min(oldestUs, committedUs);
      }
    }
    return (nowUs - oldestUs) / 1e6 / CYCLE_S;
  }
}

function scenarioOf(role: 'hub' | 'meter'): Scenario {
  const far = ['m5', 'm6'];
  const pairs = [
    ...FIRST.map((id) => ['gw', id] as const),
    ...FIRST.flatMap((id) => ROUTERS.map((router) => [id, router] as const)),
    ...ROUTERS.flatMap((id) => NEAR.map((meter) => [id, meter] as const)),
    ...NEAR.flatMap((id) => far.map((meter) => [id, meter] as const)),
  ];
  return parseScenario({
    durationS: 30 * 86_400,
    nodes: [
      { id: 'gw', role: 'gateway' },
      ...FIRST.map((id) => ({ id, role: 'meter' })),
      ...ROUTERS.map((id) => ({ id, role })),
      ...[...NEAR, ...far].map((id) => ({ id, role: 'meter' })),
    ],
    links: pairs.flatMap(([from, to]) => [
      { from, to, prr: 0.95 },
      { from: to, to: from, prr: 0.95 },
    ]),
    mesh: { pollCycleS: CYCLE_S },
    reading: { intervalS: CYCLE_S },
  });
}
