/** A link that nobody has used or reported for this long, ms, is no longer shown. */
export const LINK_AGE_MS_MAX = 15 * 60_000;

/** A link from child to parent, by node id. */
export interface MeshLink {
  readonly from: string;
  readonly to: string;
  readonly rssiDbm: number | null;
  /** Expected transmission count. */
  readonly etx: number | null;
}

interface Entry {
  parent: string;
  rssiDbm: number | null;
  etx: number | null;
  atMs: number;
}

/** Who is whose parent, from the routes that packets recorded and from what nodes report. One link per child: it is a tree. */
export class Topology {
  readonly #parents = new Map<string, Entry>();

  /**
   * A packet's way: the transmitters' node ids, the origin first (undefined: not known), then the gateway's. `rssiDbm` is that of the last
   * hop; it stands until the child reports its own. True when a link is new or leads elsewhere.
   */
  route(
    nodeIds: readonly (string | undefined)[],
    gatewayId: string | undefined,
    rssiDbm: number | null,
    atMs: number,
  ): boolean {
    let changed = false;
    for (let hop = 0; hop < nodeIds.length; hop++) {
      const child = nodeIds[hop];
      const last = hop === nodeIds.length - 1;
      const parent = last ? gatewayId : nodeIds[hop + 1];
      if (child === undefined || parent === undefined || child === parent) continue;
      let entry = this.#known(child, parent, atMs);
      if (!entry) {
        entry = this.#begin(child, parent, atMs);
        changed = true;
      }
      if (last && entry.etx === null && rssiDbm !== null) entry.rssiDbm = rssiDbm;
    }
    return changed;
  }

  /** A node's report on its parent; undefined: it has none. True when it changes what is shown. */
  report(child: string, parent: string | undefined, rssiDbm: number, etx: number, atMs: number): boolean {
    if (parent === undefined || parent === child) return false;
    const known = this.#known(child, parent, atMs);
    if (known?.rssiDbm === rssiDbm && known.etx === etx) return false;
    const entry = known ?? this.#begin(child, parent, atMs);
    entry.rssiDbm = rssiDbm;
    entry.etx = etx;
    return true;
  }

  /** Drops links that are too old; true when there was one. */
  sweep(nowMs: number): boolean {
    let changed = false;
    for (const [child, link] of this.#parents) {
      // After a clock was set back age counts from now.
      link.atMs = Math.min(link.atMs, nowMs);
      if (nowMs - link.atMs <= LINK_AGE_MS_MAX) continue;
      this.#parents.delete(child);
      changed = true;
    }
    return changed;
  }

  links(): MeshLink[] {
    return [...this.#parents].map(([from, { parent, rssiDbm, etx }]) => ({ from, to: parent, rssiDbm, etx }));
  }

  /** The link from child to parent, used just now; undefined when there is none or the child's leads elsewhere. */
  #known(child: string, parent: string, atMs: number): Entry | undefined {
    const entry = this.#parents.get(child);
    if (entry?.parent !== parent) return undefined;
    entry.atMs = atMs;
    return entry;
  }

  #begin(child: string, parent: string, atMs: number): Entry {
    const entry: Entry = { parent, rssiDbm: null, etx: null, atMs };
    this.#parents.set(child, entry);
    return entry;
  }
}
