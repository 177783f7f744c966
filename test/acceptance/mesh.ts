import { setTimeout as delay } from 'node:timers/promises';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import type { MeterRow } from '../../firmware/simulator/trace.ts';
import { World } from '../../firmware/simulator/world.ts';
import { headEndKey } from '../support/secrets.ts';
import { elapsedMs, type FastTime } from './fast-time.ts';

/** Network id of these tests. */
export const NETWORK = 'acceptance';
/** The gateway's name on links that have names. */
export const GATEWAY = 'gw';
/** A row every so often per meter, and a poll, s. */
export const INTERVAL_S = 10;
export const METERS = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6'];

const STEP_WALL_MS = 2;
/** Most simulated time in one go, us: the links' events must get their turns. */
const STEP_US_MAX = 500_000;

/** A row that a meter has measured, by its own log. */
export interface Measured extends MeterRow {
  /** The meter's name in the scenario and its node id. */
  readonly meter: string;
  readonly nodeId: string;
}

/** The identity of a reading without the device key's full length: node id, log and number. */
export function identityOf({ nodeId, logId, seq }: { nodeId: string; logId: string; seq: number }): string {
  return `${nodeId}:${logId}:${seq}`;
}

/** A gateway, two hubs and six meters, one of them behind another one, whose links lose every tenth frame. Their firmware is the real one. */
function scenario() {
  const pairs = 'gw-h1 gw-h2 h1-h2 h1-m1 h1-m2 h1-m3 m1-m2 h2-m4 h2-m5 m4-m5 m5-m6'.split(' ');
  const both = pairs
    .map((pair) => pair.split('-'))
    .flatMap(([a, b]) => [
      { from: a, to: b },
      { from: b, to: a },
    ]);
  const hubs = ['h1', 'h2'].map((id, index) => ({ id, role: 'hub', localHubId: index + 1 }));
  return parseScenario({
    name: 'acceptance',
    durationS: 86_400,
    nodes: [{ id: GATEWAY, role: 'gateway' }, ...hubs, ...METERS.map((id) => ({ id, role: 'meter' }))],
    links: both.map((link) => ({ ...link, prr: 0.9 })),
    mesh: { pollCycleS: INTERVAL_S },
    reading: { intervalS: INTERVAL_S },
  });
}

/** The simulated mesh, running by itself in fast time. */
export class FastMesh {
  readonly world: World;
  readonly #time: FastTime;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;

  /** `serialHost`: the gateway speaks the byte stream of a serial line, otherwise whole envelopes. */
  constructor(time: FastTime, { serialHost }: { serialHost: boolean }) {
    this.#time = time;
    this.world = new World({
      scenario: scenario(),
      firmware: loadFirmware(),
      seed: 1,
      network: NETWORK,
      headEndKey: headEndKey.publicKey,
      startUtcMs: time.startUtcMs,
      serialHost,
    });
    this.#go();
  }

  /** Simulated time, s. */
  get nowS(): number {
    return this.world.schedule.nowUs / 1e6;
  }

  /** Every row measured so far. Throws when the firmware has failed, or has used an identity twice. */
  measured(): Measured[] {
    if (this.#failure) throw this.#failure;
    return METERS.flatMap((meter) => {
      const log = this.world.log(meter);
      if (log.conflicts.length > 0) throw new Error(`${meter} measured two rows of one identity`);
      const nodeId = this.world.device(meter).state()?.nodeId ?? '';
      return log.rows().map(({ row }) => ({ ...row, meter, nodeId }));
    });
  }

  /** Resolves `seconds` of simulated time from now. Rejects when the firmware fails or somebody stops the mesh meanwhile. */
  async pass(seconds: number): Promise<void> {
    const untilS = this.nowS + seconds;
    while (this.nowS < untilS) {
      if (this.#failure) throw this.#failure;
      await delay(STEP_WALL_MS);
    }
  }

  stop(): void {
    this.#failure ??= new Error('the mesh was stopped');
    clearTimeout(this.#timer);
  }

  #go(): void {
    this.#timer = setTimeout(() => {
      try {
        this.#step();
      } catch (error) {
        this.#failure = error;
      }
      if (!this.#failure) this.#go();
    }, STEP_WALL_MS);
  }

  #step(): void {
    const { nowUs } = this.world.schedule;
    const wantedUs = Math.floor(elapsedMs(this.#time, Date.now()) * 1000);
    this.world.run(Math.max(nowUs, Math.min(wantedUs, nowUs + STEP_US_MAX)));
  }
}
