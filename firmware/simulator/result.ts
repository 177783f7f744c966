import { fromHex } from '../../nodes/headend/bytes.ts';
import { readingId } from '../../nodes/headend/metering/reading.ts';
import { nodeIdOf } from '../../nodes/headend/security/keys.ts';
import type { Evidence } from './checkers/evidence.ts';
import type { Violation } from './checkers/violation.ts';
import type { LeafEnergy, NodeEnergy } from './energy.ts';
import type { EventFigures } from './event-times.ts';
import { quantile, rounded } from './quantile.ts';
import type { Scenario } from './scenario.ts';
import type { ErrorFigures, TimeFigures } from './time-errors.ts';
import type { TrafficCounter } from './traffic.ts';

/**
 * What a run of a scenario tells. Readings are those measured after the warm-up; violations are about the whole run. Frames count from the
 * end of the warm-up to the end of the drain.
 */
export interface SimulationResult {
  readonly readings: {
    readonly measured: number;
    readonly delivered: number;
    /** In the whole run: rows of one moment beyond the first, and messages that were repeated without saying so. */
    readonly duplicates: number;
    readonly lost: number;
    /** Still held by their meter. */
    readonly pending: number;
  };
  readonly pdr: number;
  /** Readings that were delivered within three poll cycles of their measurement. */
  readonly inThreeCycles: number;
  /** From measurement to commit. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
  readonly frames: {
    readonly perReading: number;
    readonly withMacAcks: number;
    readonly data: number;
    readonly beacon: number;
    readonly poll: number;
    readonly down: number;
    readonly join: number;
    readonly ack: number;
  };
  /** From the end of the warm-up to the end of measuring. */
  readonly energy: {
    readonly meanRouterMilliAmp: number;
    /** Of a battery leaf, for each of its readings that was delivered: waking, sending, listening, flash. */
    readonly leafMilliJoulePerReading: number;
    /** And its deep sleep in between. */
    readonly leafSleepMilliJoulePerReading: number;
    /** For which two AA cells last a leaf: 2,600 mAh, 80 % of it usable, 3 % a year lost. */
    readonly leafYears: number;
    readonly nodes: Readonly<Record<string, NodeEnergy>>;
  };
  readonly joinS: { readonly p50: number; readonly max: number };
  /** Of the devices' clocks, after the warm-up while the mesh is at rest. */
  readonly time: TimeFigures;
  /** Where the scenario has any. */
  readonly events?: EventFigures;
  readonly repairS: number;
  /** The meters whose packets went through a hub that was killed: from its death to their first report by another way. Zeros: there are none. */
  readonly reroutedS: { readonly meters: number; readonly p50: number; readonly max: number };
  /** By hub: how many meters' last packet passed it. */
  readonly metersThroughHubs: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
  /** Where the scenario limits the radio's peers: how often one made room for another, at all nodes together. */
  readonly peersReplaced?: number;
  readonly nodes: number;
  readonly simS: number;
  readonly wallMs: number;
}

/** What was counted in a run. */
export interface RunFigures {
  readonly scenario: Scenario;
  readonly evidence: Evidence;
  /** UTC ms of the commit, by reading id. */
  readonly receivedAtMs: ReadonlyMap<string, number>;
  readonly traffic: Pick<TrafficCounter, 'counts' | 'frames'>;
  readonly meanRouterMilliAmp: number;
  readonly leaves: LeafEnergy;
  readonly nodeEnergy: ReadonlyMap<string, NodeEnergy>;
  readonly joinTimesS: readonly number[];
  readonly time: TimeFigures;
  readonly events: EventFigures;
  readonly repairS: number;
  /** Seconds, of each meter. */
  readonly reroutesS: readonly number[];
  readonly metersThroughHubs: ReadonlyMap<string, number>;
  readonly violations: readonly Violation[];
  readonly peersReplaced: number;
  readonly simS: number;
  readonly wallMs: number;
}

/** Most violations in a result; the rest is only counted. */
export const VIOLATIONS_MAX = 100;

/** The result object, fields in a fixed order, numbers rounded to 4 decimals. */
export function resultOf(run: RunFigures): SimulationResult {
  const { counts, frames } = run.traffic;
  const { latenciesMs, leafReadings, inThreeCycles, ...readings } = countReadings(run);
  return {
    readings,
    pdr: readings.measured === 0 ? 1 : rounded(readings.delivered / readings.measured),
    inThreeCycles,
    latencyMs: {
      p50: quantile(latenciesMs, 0.5),
      p95: quantile(latenciesMs, 0.95),
      p99: quantile(latenciesMs, 0.99),
      max: quantile(latenciesMs, 1),
    },
    frames: {
      perReading: perOne(frames, readings.delivered),
      withMacAcks: perOne(frames + counts.ack, readings.delivered),
      ...counts,
    },
    energy: {
      meanRouterMilliAmp: rounded(run.meanRouterMilliAmp),
      leafMilliJoulePerReading: perOne(run.leaves.awakeMilliJoule, leafReadings),
      leafSleepMilliJoulePerReading: perOne(run.leaves.sleepMilliJoule, leafReadings),
      leafYears: rounded(run.leaves.years),
      nodes: Object.fromEntries([...run.nodeEnergy].map(([id, energy]) => [id, roundedAll(energy)])),
    },
    joinS: { p50: quantile(run.joinTimesS, 0.5), max: quantile(run.joinTimesS, 1) },
    time: { routerErrorMs: allRounded(run.time.routerErrorMs), leafErrorMs: allRounded(run.time.leafErrorMs) },
    ...(run.scenario.events.length === 0 ? {} : { events: run.events }),
    repairS: rounded(run.repairS),
    reroutedS: { meters: run.reroutesS.length, p50: quantile(run.reroutesS, 0.5), max: quantile(run.reroutesS, 1) },
    metersThroughHubs: Object.fromEntries(run.metersThroughHubs),
    violations: shownViolations(run.violations, run.evidence.seed),
    ...(run.scenario.peersMax === null ? {} : { peersReplaced: run.peersReplaced }),
    nodes: run.scenario.nodes.length,
    simS: rounded(run.simS),
    wallMs: Math.round(run.wallMs),
  };
}

interface ReadingCounts {
  measured: number;
  delivered: number;
  duplicates: number;
  lost: number;
  pending: number;
  inThreeCycles: number;
  latenciesMs: number[];
  leafReadings: number;
}

function countReadings({ scenario, evidence, receivedAtMs }: RunFigures): ReadingCounts {
  const counts: ReadingCounts = {
    measured: 0,
    delivered: 0,
    duplicates: 0,
    lost: 0,
    pending: 0,
    inThreeCycles: 0,
    latenciesMs: [],
    leafReadings: 0,
  };
  const fromMs = evidence.startUtcMs + scenario.warmupS * 1000;
  const leaves = new Set(scenario.nodes.filter((node) => node.power === 'battery').map((node) => node.id));
  const stored = new Map(evidence.stored.map((row) => [`${nodeIdOf(fromHex(row.key))}:${row.logId}:${row.seq}`, row]));
  for (const { id, nodeId, rows } of evidence.meters) {
    for (const { row, held } of rows) {
      if (row.measuredAtMs <= fromMs) continue;
      counts.measured++;
      const storedRow = stored.get(`${nodeId}:${row.logId}:${row.seq}`);
      if (storedRow) {
        counts.delivered++;
        if (leaves.has(id)) counts.leafReadings++;
        const latencyMs = (receivedAtMs.get(readingId(storedRow)) ?? row.measuredAtMs) - row.measuredAtMs;
        counts.latenciesMs.push(latencyMs);
        if (latencyMs <= 3000 * scenario.pollCycleS) counts.inThreeCycles++;
      } else if (held) counts.pending++;
      else counts.lost++;
    }
  }
  counts.duplicates = doubledRows(evidence) + unflaggedRepeats(evidence);
  return counts;
}

function doubledRows({ stored }: Evidence): number {
  return stored.length - new Set(stored.map((row) => `${row.key}:${row.measuredAtMs}`)).size;
}

function unflaggedRepeats({ messages }: Evidence): number {
  const sent = new Set<string>();
  let repeats = 0;
  for (const { id, redelivered } of messages) {
    if (sent.has(id) && !redelivered) repeats++;
    sent.add(id);
  }
  return repeats;
}

function shownViolations(violations: readonly Violation[], seed: string): Violation[] {
  const shown = violations.slice(0, VIOLATIONS_MAX);
  const last = shown.at(-1);
  const more = violations.length - shown.length;
  if (more > 0 && last) shown.push({ ...last, what: `and ${more} further violations`, who: '', seed });
  return shown;
}

function allRounded({ p50, p99, max }: ErrorFigures): ErrorFigures {
  return { p50: rounded(p50), p99: rounded(p99), max: rounded(max) };
}

/** `total` for each of `count`; 0 when there is none. */
function perOne(total: number, count: number): number {
  return count === 0 ? 0 : rounded(total / count);
}

function roundedAll(energy: NodeEnergy): NodeEnergy {
  const { txS, rxS, sleepS, wakeS, flashS, milliJoule } = energy;
  return {
    txS: rounded(txS),
    rxS: rounded(rxS),
    sleepS: rounded(sleepS),
    wakeS: rounded(wakeS),
    flashS: rounded(flashS),
    milliJoule: rounded(milliJoule),
  };
}
