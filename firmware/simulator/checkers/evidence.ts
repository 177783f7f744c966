import type { ReadingRow } from '../../../nodes/headend/store/store.ts';
import type { LoggedRow } from '../meter-log.ts';

/** What a run left behind, for the checkers. */
export interface Evidence {
  readonly seed: string;
  /** UTC at simulated time 0, ms. */
  readonly startUtcMs: number;
  readonly meters: readonly MeterEvidence[];
  /** Every row of the head-end's store. */
  readonly stored: readonly ReadingRow[];
  /** Every message that the head-end sent, in order. */
  readonly messages: readonly MessageEvidence[];
}

export interface MeterEvidence {
  /** Node of the scenario. */
  readonly id: string;
  /** Hex; undefined when the meter never booted. */
  readonly nodeId: string | undefined;
  /** What it measured. */
  readonly rows: readonly LoggedRow[];
  /** Identities that it used for two different rows. */
  readonly conflicts: readonly LoggedRow[];
}

export interface MessageEvidence {
  /** "<device key>:<logId>:<seq>" */
  readonly id: string;
  readonly measuredAtMs: number;
  readonly redelivered: boolean;
}

/** Simulated time of a moment in UTC, seconds. */
export function simulatedS(evidence: Evidence, utcMs: number): number {
  return (utcMs - evidence.startUtcMs) / 1000;
}
