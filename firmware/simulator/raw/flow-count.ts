import { Latencies } from './latencies.ts';
import { BROADCAST, type RawFlow } from './raw-scenario.ts';

/** What `wattmesh radio` prints of a hop, a flow or all flows together. */
export interface RawFigures {
  /** Packets whose last hop was acknowledged to its sender; broadcasts never are. */
  readonly acknowledged: number;
  /** Frames that the MACs put on air, per packet that the first MAC is done with. */
  readonly transmissionsPerPacket: number;
  /** Share of the transmissions that another transmission destroyed at the addressed node; of a broadcast, at any node with a link. */
  readonly collidedFraction: number;
  /** Packets given up: after the last repetition, and because a queue was full. */
  readonly dropped: number;
  readonly droppedByRetries: number;
  readonly droppedByQueue: number;
  /** Repetitions that arrived though the frame had arrived before. */
  readonly duplicatesFiltered: number;
}

/** Counts of one hop of a flow. */
interface HopCount {
  concluded: number;
  acknowledged: number;
  transmissions: number;
  collided: number;
  failed: number;
  queueFull: number;
  duplicates: number;
}

/** A flow and what was counted of it. */
export class FlowCount {
  readonly path: readonly string[];
  readonly saturated: boolean;
  readonly ratePerS: number | undefined;
  readonly payload: Uint8Array;
  readonly hops: HopCount[];
  offered = 0;
  readonly latencies = new Latencies();

  constructor(flow: RawFlow) {
    this.path = flow.path;
    this.ratePerS = flow.ratePerS;
    this.saturated = flow.ratePerS === undefined;
    this.payload = new Uint8Array(flow.payloadBytes);
    this.hops = flow.path.slice(1).map(emptyHop);
  }

  /** Who is to receive the frame of this hop; undefined: everybody. */
  addressee(hop: number): string | undefined {
    const id = this.path[hop + 1];
    return id === BROADCAST ? undefined : id;
  }

  delivered(offeredUs: number, nowUs: number): void {
    this.latencies.add(nowUs - offeredUs);
  }

  repeated(hop: number): void {
    this.#hop(hop).duplicates++;
  }

  queueFull(hop: number): void {
    this.#hop(hop).queueFull++;
  }

  concluded(hop: number, ok: boolean, transmissions: number, collided: number): void {
    const count = this.#hop(hop);
    count.concluded++;
    if (!ok) count.failed++;
    else if (this.addressee(hop) !== undefined) count.acknowledged++;
    count.transmissions += transmissions;
    count.collided += collided;
  }

  #hop(hop: number): HopCount {
    return this.hops[hop] as HopCount;
  }
}

/** Figures over hops of one or several flows; `packets`: how many their first MACs are done with, `last`: the last hops among them. */
export function figuresOf(hops: readonly HopCount[], last: readonly HopCount[], packets: number): RawFigures {
  const total = emptyHop();
  for (const hop of hops) for (const name of Object.keys(total) as (keyof HopCount)[]) total[name] += hop[name];
  return {
    acknowledged: last.reduce((sum, hop) => sum + hop.acknowledged, 0),
    transmissionsPerPacket: ratio(total.transmissions, packets),
    collidedFraction: ratio(total.collided, total.transmissions),
    dropped: total.failed + total.queueFull,
    droppedByRetries: total.failed,
    droppedByQueue: total.queueFull,
    duplicatesFiltered: total.duplicates,
  };
}

/** A share rounded to 6 decimals; 0 of nothing. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 1e6) / 1e6;
}

function emptyHop(): HopCount {
  return { concluded: 0, acknowledged: 0, transmissions: 0, collided: 0, failed: 0, queueFull: 0, duplicates: 0 };
}
