import type { EventMessage } from '../../nodes/headend/messages.ts';
import { quantile } from './quantile.ts';
import type { ScenarioEvent } from './scenario-events.ts';
import type { World, WorldObserver } from './world.ts';

/** Of the events of a scenario. */
export interface EventFigures {
  readonly raised: number;
  readonly delivered: number;
  /** From the event to the head-end's message. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly max: number };
  /** The same, for each transmission on the way; the gateway's own count as one. */
  readonly latencyPerHopMs: { readonly p50: number; readonly p95: number };
}

/** Measures how long events take to the head-end; of those that are alike, the oldest counts as the one that arrives. */
export class EventTimes implements WorldObserver {
  readonly #world: World;
  /** When events happened that have not arrived, us, by node and code. */
  readonly #open = new Map<string, number[]>();
  readonly #latenciesMs: number[] = [];
  readonly #perHopMs: number[] = [];
  #raised = 0;

  constructor(world: World) {
    this.#world = world;
    world.observe(this);
  }

  raised({ node, code }: ScenarioEvent): void {
    this.#raised++;
    const key = `${node}:${code}`;
    this.#open.set(key, [...(this.#open.get(key) ?? []), this.#world.schedule.nowUs]);
  }

  /** A message of the head-end. */
  told({ payload, wattmesh }: EventMessage): void {
    const raisedUs = this.#open.get(`${payload.name}:${payload.code}`)?.shift();
    if (raisedUs === undefined) return;
    const latencyMs = (this.#world.schedule.nowUs - raisedUs) / 1000;
    this.#latenciesMs.push(latencyMs);
    this.#perHopMs.push(latencyMs / Math.max(1, wattmesh.hops));
  }

  figures(): EventFigures {
    const [all, perHop] = [this.#latenciesMs, this.#perHopMs];
    return {
      raised: this.#raised,
      delivered: all.length,
      latencyMs: { p50: quantile(all, 0.5), p95: quantile(all, 0.95), max: quantile(all, 1) },
      latencyPerHopMs: { p50: quantile(perHop, 0.5), p95: quantile(perHop, 0.95) },
    };
  }
}
