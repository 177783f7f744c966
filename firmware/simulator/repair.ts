/** One kill and the meters that have to find another way because of it. */
interface Outage {
  readonly node: string;
  readonly atS: number;
  readonly waiting: Set<string>;
  /** Of each meter that was heard again. */
  readonly repairsS: number[];
}

/**
 * How long the mesh takes to repair itself: after a node was killed, every meter whose packets went through it has to be heard again. Meters
 * of a killed hub are among them.
 */
export class RepairWatch {
  /** The nodes that a meter's last packet passed, the meter left out. */
  readonly #ways = new Map<string, readonly string[]>();
  readonly #outages: Outage[] = [];
  readonly #dead = new Set<string>();

  /** A meter's packet reached the host over these nodes, the last of them a gateway. */
  heard(meter: string, passed: readonly string[], atS: number): void {
    this.#ways.set(meter, passed);
    for (const outage of this.#outages) {
      // What the killed node had handed on before comes late and proves nothing.
      if (passed.includes(outage.node) && this.#dead.has(outage.node)) continue;
      if (outage.waiting.delete(meter)) outage.repairsS.push(atS - outage.atS);
    }
  }

  /** How many meters' last packet passed a node. */
  metersThrough(node: string): number {
    return [...this.#ways.values()].filter((passed) => passed.includes(node)).length;
  }

  killed(node: string, atS: number): void {
    this.#dead.add(node);
    this.#ways.delete(node);
    for (const outage of this.#outages) outage.waiting.delete(node);
    const affected = [...this.#ways].filter(([, passed]) => passed.includes(node));
    this.#outages.push({ node, atS, waiting: new Set(affected.map(([meter]) => meter)), repairsS: [] });
  }

  revived(node: string): void {
    this.#dead.delete(node);
  }

  /** The longest repair, seconds: one that is not finished counts up to `nowS`. 0 when nothing was killed. */
  longestS(nowS: number): number {
    return Math.max(0, ...this.#outages.flatMap((outage) => timesS(outage, nowS)));
  }

  /** How long each meter behind one of `nodes` took to be heard by another way after that one's death, seconds, as in {@link longestS}. */
  reroutesS(nodes: ReadonlySet<string>, nowS: number): number[] {
    return this.#outages.filter(({ node }) => nodes.has(node)).flatMap((outage) => timesS(outage, nowS));
  }
}

function timesS({ atS, waiting, repairsS }: Outage, nowS: number): number[] {
  return [...repairsS, ...Array.from(waiting, () => nowS - atS)];
}
