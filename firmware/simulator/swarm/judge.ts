import { reasonOf } from '../../../nodes/headend/errors.ts';
import { type Evidence, simulatedS } from '../checkers/evidence.ts';
import type { Firmware } from '../firmware.ts';
import type { SimulationResult } from '../result.ts';
import { parseScenario, type Scenario } from '../scenario.ts';
import { drainS, simulate } from '../simulation.ts';
import { fileOf, type Plan } from './plan.ts';

/** A promise that a run broke. */
export interface Finding {
  /** What is wrong: `lost`, `duplicates`, `pending`, `silent`, `trap`, `storm`, `error`, or the checker that found it. */
  readonly kind: string;
  readonly what: string;
}

export interface Verdict {
  /** None: the run is fine. */
  readonly findings: readonly Finding[];
  /** All meters measured and everything arrived, but only after one of the protocol's waits. */
  readonly slow: boolean;
  readonly readings: { readonly measured: number; readonly delivered: number };
  /** Simulated in all runs that the verdict needed. */
  readonly simS: number;
}

/**
 * Longest that a mesh without a fault may keep a meter or a reading waiting, seconds: 10 minutes without a grounded parent, then the longest
 * back-off between two rounds of M1 (PROTOCOL.md, "Starting over"), and two rounds.
 */
const PATIENCE_S = 600 + 3600 + 300;
/** A meter at work took its last row so many intervals and seconds before the end at most: a sleeper's clock may be a minute late. */
const LAST_ROW_INTERVALS = 2;
const LAST_ROW_S = 60;
/** A run with more events per node and simulated second goes round in circles. */
const EVENTS_PER_NODE_S_MAX = 200;
/** Events between two reports of progress (simulation.ts). */
const EVENTS_PER_REPORT = 4096;

class EventStorm extends Error {}

/** A run that ended by itself; `broken`: promises that waiting does not mend, `open`: what may only need time. */
interface Played {
  readonly readings: { readonly measured: number; readonly delivered: number };
  readonly broken: readonly Finding[];
  readonly open: readonly Finding[];
  readonly simS: number;
}

/**
 * Plays a plan and says which promises were broken: nothing lost, nothing twice, no checker's complaint; and after the heal every meter measures
 * and every reading arrives. What is not yet so is given all the time that the protocol may take.
 */
export async function judge(plan: Plan, firmware: Firmware): Promise<Verdict> {
  const scenario = parseScenario(fileOf(plan));
  const first = await play(scenario, firmware);
  if (first.broken.length > 0 || first.open.length === 0) {
    return { findings: first.broken, slow: false, readings: first.readings, simS: first.simS };
  }
  const patient = await play(scenario, firmware, PATIENCE_S);
  const findings = [...patient.broken, ...patient.open];
  return { findings, slow: findings.length === 0, readings: patient.readings, simS: first.simS + patient.simS };
}

/** `patienceS`: so much longer are both the time in which meters measure and the drain. */
async function play(drawn: Scenario, firmware: Firmware, patienceS = 0): Promise<Played> {
  const scenario = { ...drawn, durationS: drawn.durationS + patienceS };
  const ownDrainS = drainS(scenario) + patienceS;
  const endS = scenario.durationS + ownDrainS;
  let reports = Math.ceil((EVENTS_PER_NODE_S_MAX * endS * scenario.nodes.length) / EVENTS_PER_REPORT);
  let reachedS = 0;
  let silent: readonly Finding[] = [];
  try {
    const result = await simulate({
      ...{ scenario, firmware, drainS: ownDrainS },
      progress: (atS) => {
        reachedS = atS;
        if (--reports < 0) throw new EventStorm(`too many events by ${atS} s`);
      },
      evidence: (evidence) => {
        silent = silentMeters(evidence, scenario);
      },
    });
    const { readings, simS } = result;
    return { readings, broken: promisesBroken(result), open: [...silent, ...pendingReadings(result)], simS };
  } catch (error) {
    const kind = error instanceof EventStorm ? 'storm' : reasonOf(error) === 'firmwareTrap' ? 'trap' : 'error';
    const broken = [{ kind, what: String(error) }];
    return { readings: { measured: 0, delivered: 0 }, broken, open: [], simS: reachedS };
  }
}

function promisesBroken({ readings, violations }: SimulationResult): Finding[] {
  const findings: Finding[] = violations.map(({ checker, what, who, atS }) => {
    return { kind: checker, what: `${who} at ${atS} s: ${what}` };
  });
  if (readings.lost > 0) findings.push({ kind: 'lost', what: `${readings.lost} readings` });
  if (readings.duplicates > 0) findings.push({ kind: 'duplicates', what: `${readings.duplicates} readings` });
  return findings;
}

function pendingReadings({ readings, simS }: SimulationResult): Finding[] {
  if (readings.pending === 0) return [];
  return [{ kind: 'pending', what: `${readings.pending} readings are still with their meters at ${simS} s` }];
}

/** Meters that did not measure when the run ended, though they had power. */
function silentMeters(evidence: Evidence, { durationS, intervalS }: Scenario): Finding[] {
  return evidence.meters.flatMap(({ id, rows }) => {
    const lastMs = rows.reduce((latest, { row }) => Math.max(latest, row.measuredAtMs), evidence.startUtcMs);
    const lastS = simulatedS(evidence, lastMs);
    if (lastS >= durationS - LAST_ROW_INTERVALS * intervalS - LAST_ROW_S) return [];
    return [{ kind: 'silent', what: `${id} took its last row at ${lastS} s of ${durationS}` }];
  });
}
