import type { NodeStatus } from '../messages.ts';

/** Shortest silence, ms, after which a node counts as offline, however short its cycles are. */
export const SILENCE_MS_MIN = 15_000;

/** How a node was heard: by a packet that verified and was new. */
export interface Sighting {
  readonly atMs: number;
  /** Transmitters on the way to the gateway, the node included; 0 for the gateway itself. */
  readonly hops: number;
  /** Node id of the node's own hub; null when it reports straight to the gateway. */
  readonly hubId: string | null;
  /** Of the last hop as the gateway heard it; null for the gateway's own packets. */
  readonly rssiDbm: number | null;
}

/** What a node reports of itself. */
export interface Report {
  /** Expected transmission count of the link to the parent. */
  readonly etx?: number;
  readonly bootCount?: number;
  readonly batteryV?: number;
}

/** A node's condition as far as it can change from packet to packet. */
export interface Condition {
  readonly status: NodeStatus['status'];
  /** UTC ms; 0: never heard of. */
  readonly lastSeenMs: number;
  readonly hops: number | null;
  readonly hubId: string | null;
  readonly rssiDbm: number | null;
  readonly etx: number | null;
  readonly bootCount: number | null;
  readonly batteryV: number | null;
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };
interface Entry extends Mutable<Condition> {
  silenceMs: number;
  /** Silence counts from here: the last packet, or the moment from which the node was expected. */
  sinceMs: number;
}

/** Silence after which a node has missed `cycles` of its cycles, ms. */
export function allowedSilenceMs(
  node: { readonly pollCycleS: number; readonly intervalS: number },
  cycles: number,
): number {
  return Math.max(SILENCE_MS_MIN, cycles * Math.max(node.pollCycleS, node.intervalS) * 1000);
}

/**
 * Availability, derived from missed cycles. A node that is only known is `never`; one that was heard in an earlier life of the head-end turns
 * `offline` once it has missed its cycles in this one. Holds as many nodes as its owner makes known.
 */
export class StatusTable {
  readonly #entries = new Map<string, Entry>();
  #online = 0;

  get online(): number {
    return this.#online;
  }

  /** Makes a node known, or changes what silence it is allowed. `lastSeenMs`: of an earlier life; 0: none. */
  expect(nodeId: string, silenceMs: number, nowMs: number, lastSeenMs: number): void {
    const entry = this.#entries.get(nodeId);
    if (entry) entry.silenceMs = silenceMs;
    else this.#entries.set(nodeId, { ...unheard, lastSeenMs, silenceMs, sinceMs: nowMs });
  }

  /** A packet of a known node. True when it changes more than times and signal. */
  heard(nodeId: string, { atMs, hops, hubId, rssiDbm }: Sighting): boolean {
    const entry = this.#entries.get(nodeId);
    if (!entry) return false;
    const changed = entry.status !== 'online' || entry.hops !== hops;
    this.#setStatus(entry, 'online');
    entry.lastSeenMs = atMs;
    entry.sinceMs = atMs;
    entry.hops = hops;
    entry.hubId = hubId;
    entry.rssiDbm = rssiDbm;
    return changed;
  }

  /** A node is out: it counts as offline from now on. */
  silence(nodeId: string): void {
    const entry = this.#entries.get(nodeId);
    if (entry) this.#setStatus(entry, 'offline');
  }

  /** What a known node reported; fields left out stay. */
  report(nodeId: string, report: Report): void {
    const entry = this.#entries.get(nodeId);
    if (entry) Object.assign(entry, report);
  }

  /** Lets silent nodes go offline; true when there was one. */
  sweep(nowMs: number): boolean {
    let changed = false;
    for (const entry of this.#entries.values()) {
      // After a clock was set back silence counts from now.
      entry.sinceMs = Math.min(entry.sinceMs, nowMs);
      if (entry.status === 'offline' || nowMs - entry.sinceMs <= entry.silenceMs) continue;
      if (entry.status === 'never' && entry.lastSeenMs === 0) continue;
      this.#setStatus(entry, 'offline');
      changed = true;
    }
    return changed;
  }

  condition(nodeId: string): Condition {
    return this.#entries.get(nodeId) ?? unheard;
  }

  #setStatus(entry: Entry, status: NodeStatus['status']): void {
    if (entry.status === status) return;
    if (entry.status === 'online') this.#online--;
    if (status === 'online') this.#online++;
    entry.status = status;
  }
}

const unheard: Condition = {
  status: 'never',
  lastSeenMs: 0,
  hops: null,
  hubId: null,
  rssiDbm: null,
  etx: null,
  bootCount: null,
  batteryV: null,
};
