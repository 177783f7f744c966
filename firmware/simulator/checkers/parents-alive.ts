import { Findings, type Violation } from './violation.ts';

/** What the checker asks about the radio: which nodes with power have a good enough way to a gateway, over others that may forward. */
export type Connected = () => ReadonlySet<string>;

/**
 * Once nothing has been disturbed for the repair time, every node with a way to a gateway has a parent that has power. Powering up and
 * down, and every fault, is a disturbance. Fed with events, and asked now and then.
 */
export class ParentsAliveChecker {
  readonly #findings: Findings;
  readonly #roots: ReadonlySet<string>;
  readonly #repairS: (node: string) => number;
  readonly #connected: Connected;
  readonly #on = new Set<string>();
  readonly #parents = new Map<string, string>();
  /** Since when a node with power has had no parent that is alive. */
  readonly #orphansS = new Map<string, number>();
  readonly #reported = new Set<string>();
  #disturbedS = 0;

  /** `roots`: the gateways, which need no parent; `repairS`: the repair time of a node. */
  constructor(seed: string, roots: readonly string[], repairS: (node: string) => number, connected: Connected) {
    this.#findings = new Findings('parents-alive', seed);
    this.#roots = new Set(roots);
    this.#repairS = repairS;
    this.#connected = connected;
  }

  get violations(): readonly Violation[] {
    return this.#findings.violations;
  }

  /** A node chose a parent; undefined: it has none. */
  parentChanged(node: string, parent: string | undefined, atS: number): void {
    if (parent === undefined) this.#parents.delete(node);
    else this.#parents.set(node, parent);
    this.#settle(node, atS);
  }

  power(node: string, on: boolean, atS: number): void {
    this.disturbed(atS);
    this.#parents.delete(node);
    if (on) this.#on.add(node);
    else this.#on.delete(node);
    this.#settle(node, atS);
    for (const [child, parent] of this.#parents) if (parent === node) this.#settle(child, atS);
  }

  /** Something happened after which the mesh may need its repair time. */
  disturbed(atS: number): void {
    this.#disturbedS = atS;
  }

  /** Judges. */
  check(atS: number): void {
    const sinceS = (orphanS: number): number => Math.max(orphanS, this.#disturbedS);
    const late = [...this.#orphansS].filter(([node, orphanS]) => atS - sinceS(orphanS) > this.#repairS(node));
    if (late.length === 0) return;
    const connected = this.#connected();
    for (const [node, orphanS] of late) {
      if (!connected.has(node) || this.#reported.has(node)) continue;
      this.#reported.add(node);
      const what = `it has had no parent that is alive for ${Math.round(atS - sinceS(orphanS))} s, the repair time is ${this.#repairS(node)}`;
      this.#findings.report(node, what, atS);
    }
  }

  #settle(node: string, atS: number): void {
    const parent = this.#parents.get(node);
    const isOrphan = !this.#roots.has(node) && this.#on.has(node) && (parent === undefined || !this.#on.has(parent));
    if (!isOrphan) {
      this.#orphansS.delete(node);
      this.#reported.delete(node);
    } else if (!this.#orphansS.has(node)) {
      this.#orphansS.set(node, atS);
    }
  }
}
