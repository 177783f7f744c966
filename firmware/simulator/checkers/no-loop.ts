import type { Violation } from './violation.ts';

/** Most violations kept: a loop shows with every packet. */
export const LOOP_VIOLATIONS_MAX = 100;

/** A packet is on its way for at most this long, seconds, waits for a lost gateway included. */
const PACKET_LIFE_S = 600;
/** How a node without a short id stands in a route. */
const UNNAMED = '0';

/**
 * No two nodes are each other's ancestors at any time, and no packet passes a node twice, unless the tree changed while it waited there: a
 * node that has lost its parent may give what it holds back to one that it came from. Fed with events as they happen.
 */
export class NoLoopChecker {
  readonly violations: Violation[] = [];
  readonly #seed: string;
  readonly #parents = new Map<string, string>();
  readonly #changedS = new Map<string, number>();

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** A node chose a parent; undefined: it has none. */
  parentChanged(node: string, parent: string | undefined, atS: number): void {
    this.#changedS.set(node, atS);
    if (parent === undefined) {
      this.#parents.delete(node);
      return;
    }
    this.#parents.set(node, parent);
    const way = [node];
    for (let next: string | undefined = parent; next !== undefined; next = this.#parents.get(next)) {
      if (way.includes(next)) {
        if (next === node) this.#report(node, `its parents form a loop: ${[...way, next].join(' > ')}`, atS);
        return;
      }
      way.push(next);
    }
  }

  /** A node has no power: it forwards nothing. */
  poweredOff(node: string): void {
    this.#parents.delete(node);
  }

  /** The nodes that a packet passed on its way to the gateway, the origin first. */
  passed(route: readonly string[], atS: number): void {
    for (const [index, node] of route.entries()) {
      const again = route.indexOf(node, index + 1);
      if (node === UNNAMED || again < 0) continue;
      const loop = route.slice(index, again);
      if (loop.some((each) => atS - (this.#changedS.get(each) ?? Number.NEGATIVE_INFINITY) <= PACKET_LIFE_S)) return;
      this.#report(route[0] ?? node, `a packet of it passed ${node} twice: ${route.join(' > ')}`, atS);
      return;
    }
  }

  #report(who: string, what: string, atS: number): void {
    if (this.violations.length < LOOP_VIOLATIONS_MAX)
      this.violations.push({ checker: 'no-loop', what, who, atS, seed: this.#seed });
  }
}
