import { setImmediate as turn } from 'node:timers/promises';
import { checkExactlyOnce } from '../../firmware/simulator/checkers/exactly-once.ts';
import { checkNothingLost } from '../../firmware/simulator/checkers/nothing-lost.ts';
import type { Violation } from '../../firmware/simulator/checkers/violation.ts';
import { ScheduleClock } from '../../firmware/simulator/schedule-clock.ts';
import { START_UTC_MS, type World } from '../../firmware/simulator/world.ts';
import { HeadEnd, type HeadEndOptions } from '../../nodes/headend/headend.ts';
import type { Link } from '../../nodes/headend/link/link.ts';
import type { ReadingMessage } from '../../nodes/headend/messages.ts';
import { MemoryStore } from '../../nodes/headend/store/memory.ts';

/** Network id of the bench's worlds. */
export const NETWORK = 'bench';

/** A world and a head-end in simulated time, joined by a link of the test's choice. */
export class HeadEndBench {
  readonly world: World;
  readonly store = new MemoryStore();
  readonly messages: ReadingMessage[] = [];
  readonly headEnd: HeadEnd;
  #touched = false;

  /** `options`: what the head-end has beside a network without keys. */
  constructor(world: World, link: Link, options: Partial<HeadEndOptions> = {}) {
    this.world = world;
    const touched = (): void => {
      this.#touched = true;
    };
    this.headEnd = new HeadEnd({
      network: NETWORK,
      store: this.store,
      link,
      clock: new ScheduleClock(world.schedule, START_UTC_MS, touched),
      random: (length) => new Uint8Array(length).fill(length),
      instanceId: '0123456789abcdef',
      policy: { allowSuiteNone: true },
      ...options,
    });
    for (const gateway of world.gateways.values()) gateway.onHostBytes(touched);
    this.headEnd.onReading((message) => this.messages.push(message));
  }

  /** Runs until this many simulated seconds; `before` is called ahead of each event. */
  async run(untilS: number, before: () => void = () => undefined): Promise<void> {
    const { schedule } = this.world;
    const untilUs = Math.round(untilS * 1e6);
    for (let next = schedule.next(); next !== undefined && next <= untilUs; next = schedule.next()) {
      before();
      schedule.step();
      if (!this.#touched) continue;
      this.#touched = false;
      await turn();
    }
    schedule.run(untilUs);
  }

  /** Stops the head-end and judges: rows measured, rows stored, and the checkers' findings. */
  async judge(): Promise<{ measured: number; stored: number; violations: Violation[] }> {
    const stored = await this.store.readings({});
    await this.headEnd.stop();
    const meters = this.world.devices
      .filter((device) => device.config.role === 'meter')
      .map((device) => {
        const log = this.world.log(device.id);
        return { id: device.id, nodeId: device.state()?.nodeId, rows: log.rows(), conflicts: log.conflicts };
      });
    const messages = this.messages.map(({ payload, wattmesh: { id, redelivered } }) => {
      return { id, redelivered, measuredAtMs: Date.parse(payload.measuredAt) };
    });
    const evidence = { seed: this.world.seed, startUtcMs: START_UTC_MS, meters, stored, messages };
    const violations = [...checkExactlyOnce(evidence), ...checkNothingLost(evidence)];
    return { measured: meters.flatMap(({ rows }) => rows).length, stored: stored.length, violations };
  }
}
