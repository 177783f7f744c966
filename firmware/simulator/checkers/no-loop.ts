import type { Violation } from './violation.ts';

/** Most violations kept: a loop shows with every packet. */
export const LOOP_VIOLATIONS_MAX = 100;

/** A packet is on its way for at most this long, seconds, waits for a lost gateway included. */
const PACKET_LIFE_S = 600;
/** How a node without a short id stands in a route. */
const UNNAMED = '0';

interface Loop {
  readonly atS: number;
  readonly way: readonly string[];
}

/**
 * No two nodes are each other's ancestors at any time, or with several gateways for longer than the grace, and no packet
 * passes a node three times, unless the tree changed while it waited there: a node that has lost its parent may give what it holds back to one
 * that it came from. Twice it may pass also where no parent changes, since a link that rests is gone round. Fed with events as they happen.
 */
export class NoLoopChecker {
  readonly violations: Violation[] = [];
  readonly #seed: string;
  readonly #parents = new Map<string, string>();
  readonly #changedS = new Map<string, number>();
  readonly #graceS: number;
  /** Loops that may still end in time, by the node that closed them. */
  readonly #open = new Map<string, Loop>();

  /**
   * `graceS`: so long may parents form a loop. More than 0 where there are several gateways: two nodes may choose each other by the trees of
   * different ones, until they hear of it (RFC 8966, section 2.7).
   */
  constructor(seed: string, graceS = 0) {
    this.#seed = seed;
    this.#graceS = graceS;
  }

  /** A node chose a parent; undefined: it has none. */
  parentChanged(node: string, parent: string | undefined, atS: number): void {
    this.check(atS);
    this.#changedS.set(node, atS);
    this.#open.delete(node);
    if (parent === undefined) this.#parents.delete(node);
    else this.#parents.set(node, parent);
    const way = this.#loopAt(node);
    if (way) this.#open.set(node, { atS, way });
    this.check(atS);
  }

  /** A node has no power: it forwards nothing. */
  poweredOff(node: string, atS: number): void {
    this.check(atS);
    this.#parents.delete(node);
  }

  /** Judges the loops that have lasted for too long by now. */
  check(atS: number): void {
    for (const [node, { atS: sinceS, way }] of this.#open) {
      const stands = this.#loopAt(node)?.join() === way.join();
      if (stands && atS - sinceS < this.#graceS) continue;
      this.#open.delete(node);
      if (stands) this.#report(node, `its parents form a loop: ${way.join(' > ')}`, atS);
    }
  }

  /** The nodes that a packet passed on its way to the gateway, the origin first. */
  passed(route: readonly string[], atS: number): void {
    this.check(atS);
    for (const [index, node] of route.entries()) {
      const again = route.indexOf(node, index + 1);
      if (node === UNNAMED || again < 0 || !route.includes(node, again + 1)) continue;
      const loop = route.slice(index, again);
      if (loop.some((each) => atS - (this.#changedS.get(each) ?? Number.NEGATIVE_INFINITY) <= PACKET_LIFE_S)) return;
      this.#report(route[0] ?? node, `a packet of it passed ${node} again and again: ${route.join(' > ')}`, atS);
      return;
    }
  }

  /** From a node over its ancestors back to itself. */
  #loopAt(node: string): string[] | undefined {
    const way = [node];
    for (let next = this.#parents.get(node); next !== undefined; next = this.#parents.get(next)) {
      const closes = way.includes(next);
      way.push(next);
      if (closes) return next === node ? way : undefined;
    }
    return undefined;
  }

  #report(who: string, what: string, atS: number): void {
    if (this.violations.length < LOOP_VIOLATIONS_MAX)
      this.violations.push({ checker: 'no-loop', what, who, atS, seed: this.#seed });
  }
}
