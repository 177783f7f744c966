import { rssiFor } from './reception.ts';

/** A directed link: this share of the frames that `from` sends arrives at `to`, whatever their length. */
export interface Link {
  readonly from: string;
  readonly to: string;
  /** Packet reception ratio, 0 … 1. */
  readonly prr: number;
  /** Received power, dBm; where it is absent, the power that fits the ratio. */
  readonly rssi?: number;
}

/**
 * `from` disturbs reception at `to` although no frame of it needs to arrive there; `sensed`: `to` also defers to it. Beside a link of the
 * same pair it only adds to what the link's ratio brings.
 */
export interface Interference {
  readonly from: string;
  readonly to: string;
  readonly sensed: boolean;
  /** Received power, dBm; default: that of a link with ratio 1. */
  readonly rssi?: number;
}

/** The links, and one of ratio 0 for each of `pairs` that is not among them. */
export function withPairs(links: readonly Link[], pairs: readonly { from: string; to: string }[]): Link[] {
  const key = ({ from, to }: { from: string; to: string }): string => JSON.stringify([from, to]);
  const all = new Map<string, Link>(pairs.map((pair) => [key(pair), { from: pair.from, to: pair.to, prr: 0 }]));
  for (const link of links) all.set(key(link), link);
  return [...all.values()];
}

/**
 * Who hears whom, as flat arrays: the links of station s are numbered `first[s]` … `first[s + 1] - 1`. A pair without an entry does
 * not exist for the radio. Fixed for a run, but for the ratios and powers that a fault changes.
 */
export class LinkTable {
  readonly ids: readonly string[];
  readonly first: Int32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly prr: Float64Array;
  readonly rssiDbm: Float64Array;
  /** 1: interferes, whatever its ratio. */
  readonly disturbs: Uint8Array;
  /** 1: is sensed as a carrier, whatever its ratio. */
  readonly sensed: Uint8Array;
  readonly #index = new Map<string, number>();

  /** Throws a RangeError for an id that is unknown or doubled, for a doubled link and for a ratio outside 0 … 1. */
  constructor(ids: readonly string[], links: readonly Link[], interference: readonly Interference[] = []) {
    this.ids = [...ids];
    for (const id of ids) {
      if (this.#index.has(id)) throw new RangeError(`the id ${id} is given twice: every station needs its own`);
      this.#index.set(id, this.#index.size);
    }
    const rows = this.#rows(links, interference);
    this.first = new Int32Array(ids.length + 1);
    this.from = new Int32Array(rows.length);
    this.to = new Int32Array(rows.length);
    this.prr = new Float64Array(rows.length);
    this.rssiDbm = new Float64Array(rows.length);
    this.disturbs = new Uint8Array(rows.length);
    this.sensed = new Uint8Array(rows.length);
    for (const [at, row] of rows.entries()) {
      this.first[row.from + 1] = at + 1;
      this.from[at] = row.from;
      this.to[at] = row.to;
      this.prr[at] = row.prr;
      this.rssiDbm[at] = row.rssiDbm;
      this.disturbs[at] = row.disturbs ? 1 : 0;
      this.sensed[at] = row.sensed ? 1 : 0;
    }
    for (let s = 1; s <= ids.length; s++)
      this.first[s] = Math.max(this.first[s] as number, this.first[s - 1] as number);
  }

  /** Number of the station with this id. Throws a RangeError when the table does not know it. */
  indexOf(id: string): number {
    const index = this.#index.get(id);
    if (index === undefined) throw new RangeError(`no station is called ${id}: name one of the scenario's nodes`);
    return index;
  }

  /** Number of the link between two stations, -1 when there is none. */
  find(from: number, to: number): number {
    // The links of a sender are in the order of their receivers.
    let low = this.first[from] as number;
    let high = (this.first[from + 1] as number) - 1;
    while (low <= high) {
      const link = (low + high) >> 1;
      const receiver = this.to[link] as number;
      if (receiver === to) return link;
      if (receiver < to) low = link + 1;
      else high = link - 1;
    }
    return -1;
  }

  /** One row per directed pair, ordered by sender and receiver, so that the order of the input does not matter. */
  #rows(links: readonly Link[], interference: readonly Interference[]): Row[] {
    const rows = new Map<number, Row>();
    for (const link of links) {
      if (!(link.prr >= 0 && link.prr <= 1)) {
        throw new RangeError(`the link ${link.from} to ${link.to} has prr ${link.prr}: give 0 to 1`);
      }
      const row = this.#row(link, link.prr, link.rssi);
      if (rows.has(row.key)) throw new RangeError(`the link ${link.from} to ${link.to} is given twice: keep one`);
      rows.set(row.key, row);
    }
    for (const pair of interference) {
      const fresh = this.#row(pair, 0, pair.rssi ?? rssiFor(1));
      const row = rows.get(fresh.key) ?? fresh;
      row.disturbs = true;
      row.sensed = pair.sensed;
      rows.set(row.key, row);
    }
    return [...rows.values()].sort((a, b) => a.key - b.key);
  }

  #row(pair: { from: string; to: string }, prr: number, rssiDbm = rssiFor(prr)): Row {
    const from = this.indexOf(pair.from);
    const to = this.indexOf(pair.to);
    if (from === to) throw new RangeError(`the link ${pair.from} to ${pair.to} leads back to its sender: remove it`);
    return { key: from * this.ids.length + to, from, to, prr, rssiDbm, disturbs: false, sensed: false };
  }
}

interface Row {
  readonly key: number;
  readonly from: number;
  readonly to: number;
  readonly prr: number;
  readonly rssiDbm: number;
  disturbs: boolean;
  sensed: boolean;
}
