import type { Violation } from './violation.ts';

/** Most violations kept: a loop shows with every packet. */
export const LOOP_VIOLATIONS_MAX = 100;

/** No two nodes are each other's ancestors at any time, and no packet passes a node twice. Fed with events as they happen. */
export class NoLoopChecker {
  readonly violations: Violation[] = [];
  readonly #seed: string;
  readonly #parents = new Map<string, string>();

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** A node chose a parent; undefined: it has none. */
  parentChanged(node: string, parent: string | undefined, atS: number): void {
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

  /** Short ids that a packet passed on its way to the gateway, the origin first; 0 is a node without one. */
  passed(origin: string, route: readonly number[], atS: number): void {
    const named = route.filter((shortId) => shortId !== 0);
    const twice = named.find((shortId, index) => named.indexOf(shortId) !== index);
    if (twice === undefined) return;
    const way = route.map((shortId) => shortId.toString(16)).join(' > ');
    this.#report(origin, `a packet of it passed node ${twice.toString(16)} twice: ${way}`, atS);
  }

  #report(who: string, what: string, atS: number): void {
    if (this.violations.length < LOOP_VIOLATIONS_MAX) this.violations.push({ checker: 'no-loop', what, who, atS, seed: this.#seed });
  }
}
