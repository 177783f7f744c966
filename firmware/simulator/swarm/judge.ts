import { reasonOf } from '../../../nodes/headend/errors.ts';
import type { Firmware } from '../firmware.ts';
import type { SimulationResult } from '../result.ts';
import { parseScenario } from '../scenario.ts';
import { drainS, simulate } from '../simulation.ts';
import { fileOf, type Plan } from './plan.ts';

/** A promise that a run broke. */
export interface Finding {
  /** What is wrong: `lost`, `duplicates`, `pending`, `trap`, `storm`, `error`, or the checker that found it. */
  readonly kind: string;
  readonly what: string;
}

export interface Verdict {
  /** None: the run is fine. */
  readonly findings: readonly Finding[];
  /** Everything arrived, but only after one of the protocol's waits. */
  readonly slow: boolean;
  readonly readings: { readonly measured: number; readonly delivered: number };
  /** Simulated in all runs that the verdict needed. */
  readonly simS: number;
}

/**
 * Longest that a mesh without a fault may keep a reading waiting, seconds: 10 minutes without a grounded parent, then the longest back-off
 * between two rounds of M1 (PROTOCOL.md, "Starting over"), and two rounds.
 */
const PATIENCE_S = 600 + 3600 + 300;
/** A run with more events per node and simulated second goes round in circles. */
const EVENTS_PER_NODE_S_MAX = 2000;
/** Events between two reports of progress (simulation.ts). */
const EVENTS_PER_REPORT = 4096;

class EventStorm extends Error {}

/** Plays a plan and says which promises were broken: nothing lost, nothing twice, no checker's complaint, everything delivered after the heal. */
export async function judge(plan: Plan, firmware: Firmware): Promise<Verdict> {
  const first = await play(plan, firmware);
  if (isBroken(first) || first.readings.pending === 0 || promisesBroken(first).length > 0) {
    return verdictOf(first, { slow: false, simS: first.simS });
  }
  const patient = await play(plan, firmware, PATIENCE_S);
  const simS = first.simS + patient.simS;
  if (isBroken(patient) || patient.readings.pending === 0) return verdictOf(patient, { slow: true, simS });
  const what = `${patient.readings.pending} readings are still with their meters ${PATIENCE_S} s after they should have arrived`;
  const verdict = verdictOf(patient, { slow: true, simS });
  return { ...verdict, findings: [...verdict.findings, { kind: 'pending', what }] };
}

interface Broken {
  readonly findings: readonly Finding[];
  readonly simS: number;
}

async function play(plan: Plan, firmware: Firmware, patienceS = 0): Promise<SimulationResult | Broken> {
  const scenario = parseScenario(fileOf(plan));
  const endS = scenario.durationS + drainS(scenario) + patienceS;
  let reports = Math.ceil((EVENTS_PER_NODE_S_MAX * endS * plan.nodes.length) / EVENTS_PER_REPORT);
  let reachedS = 0;
  const progress = (atS: number): void => {
    reachedS = atS;
    if (--reports < 0) throw new EventStorm(`too many events by ${atS} s`);
  };
  try {
    return await simulate({ scenario, firmware, progress, drainS: drainS(scenario) + patienceS });
  } catch (error) {
    const kind = error instanceof EventStorm ? 'storm' : reasonOf(error) === 'firmwareTrap' ? 'trap' : 'error';
    return { findings: [{ kind, what: String(error) }], simS: reachedS };
  }
}

function verdictOf(played: SimulationResult | Broken, { slow, simS }: Pick<Verdict, 'slow' | 'simS'>): Verdict {
  if (isBroken(played))
    return { findings: played.findings, slow: false, readings: { measured: 0, delivered: 0 }, simS };
  const { measured, delivered } = played.readings;
  return { findings: promisesBroken(played), slow, readings: { measured, delivered }, simS };
}

function promisesBroken({ readings, violations }: SimulationResult): Finding[] {
  const findings: Finding[] = violations.map(({ checker, what, who, atS }) => {
    return { kind: checker, what: `${who} at ${atS} s: ${what}` };
  });
  if (readings.lost > 0) findings.push({ kind: 'lost', what: `${readings.lost} readings` });
  if (readings.duplicates > 0) findings.push({ kind: 'duplicates', what: `${readings.duplicates} readings` });
  return findings;
}

function isBroken(played: SimulationResult | Broken): played is Broken {
  return 'findings' in played;
}
