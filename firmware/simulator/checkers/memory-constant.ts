import { Findings, type Violation } from './violation.ts';

/** The firmware takes all its memory when it starts: a device's memory has the same size until its power fails. Fed with samples. */
export class MemoryConstantChecker {
  readonly #findings: Findings;
  readonly #bytes = new Map<string, number>();

  constructor(seed: string) {
    this.#findings = new Findings('memory-constant', seed);
  }

  get violations(): readonly Violation[] {
    return this.#findings.violations;
  }

  sample(who: string, bytes: number, atS: number): void {
    const before = this.#bytes.get(who) ?? bytes;
    if (bytes !== before) this.#findings.report(who, `its memory goes from ${before} to ${bytes} bytes`, atS);
    this.#bytes.set(who, bytes);
  }

  /** A device's memory is gone. */
  poweredOff(who: string): void {
    this.#bytes.delete(who);
  }
}
