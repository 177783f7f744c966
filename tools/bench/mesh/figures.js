import { RX_MILLIAMP } from '../../../dist/firmware/simulator/energy-figures.js';
import { median, twoDecimals } from '../measure.js';

const FRAME_KINDS = ['data', 'poll', 'down', 'beacon', 'join'];
/** Violations that a result names; all are counted. */
const VIOLATIONS_SHOWN_MAX = 5;

const HOUR_S = 3600;

/**
 * What the runs of one variant gave together, beside the ETX-optimal `bound` of its topology; `routers`: nodes that beacon, `warmupS`: seconds in
 * which nothing was counted.
 */
export function figuresOf(results, bound, { routers, warmupS }) {
  const sum = (pick) => results.reduce((total, result) => total + pick(result), 0);
  const delivered = sum(({ readings }) => readings.delivered);
  const measured = sum(({ readings }) => readings.measured);
  const perReading = (count) => (delivered === 0 ? 0 : twoDecimals(count / delivered));
  const kinds = FRAME_KINDS.map((kind) => [kind, perReading(sum(({ frames }) => frames[kind]))]);
  const frames = perReading(sum(({ frames: counts }) => FRAME_KINDS.reduce((total, kind) => total + counts[kind], 0)));
  const of = (pick) => twoDecimals(median(results.map(pick)));
  const violations = results.flatMap((result) => result.violations);
  const hours = sum(({ simS }) => simS - warmupS) / HOUR_S;
  const inThreeCycles = sum((result) => result.inThreeCycles);
  const wallMs = sum((result) => result.wallMs);
  return {
    readings: {
      ...{ measured, delivered },
      lost: sum(({ readings }) => readings.lost),
      duplicates: sum(({ readings }) => readings.duplicates),
      pending: sum(({ readings }) => readings.pending),
    },
    pdr: shareOf(delivered, measured),
    deliveredWithin3Cycles: shareOf(inThreeCycles, measured),
    violations: { count: violations.length, first: violations.slice(0, VIOLATIONS_SHOWN_MAX) },
    framesPerReading: {
      ...{ total: frames, ...Object.fromEntries(kinds) },
      macAcks: perReading(sum((result) => result.frames.ack)),
      overBound: twoDecimals(frames / bound.etx),
      overDataOnlyBound: twoDecimals(frames / bound.dataOnly),
    },
    beaconsPerRouterHour: twoDecimals(sum(({ frames: counts }) => counts.beacon) / routers / hours),
    latencyMs: { p50: of(({ latencyMs }) => latencyMs.p50), p99: of(({ latencyMs }) => latencyMs.p99) },
    energy: {
      meanRouterMilliAmp: of(({ energy }) => energy.meanRouterMilliAmp),
      // What remains is listening, which no router stops.
      sendingMilliAmp:
        Math.round(1e4 * (median(results.map(({ energy }) => energy.meanRouterMilliAmp)) - RX_MILLIAMP)) / 1e4,
      leafMilliJoulePerReading: of(({ energy }) => energy.leafMilliJoulePerReading),
      leafYears: of(({ energy }) => energy.leafYears),
    },
    // Where events are raised.
    ...(results.every(({ events }) => events) && results.length > 0 ? { events: eventsOf(of, sum) } : {}),
    timeErrorMs: { p99: of(({ time }) => time.routerErrorMs.p99), max: of(({ time }) => time.routerErrorMs.max) },
    ...reroutesOf(results),
    joinS: { p50: of(({ joinS }) => joinS.p50), max: twoDecimals(Math.max(...results.map(({ joinS }) => joinS.max))) },
    wallMs,
    timesRealTime: Math.round((1000 * sum((result) => result.simS)) / wallMs),
  };
}

/** Rounded down, so that 1 says all. */
function shareOf(count, of) {
  return of === 0 ? 1 : Math.floor((1e5 * count) / of) / 1e5;
}

/** Where hubs died. */
function reroutesOf(results) {
  const rerouted = results.map(({ reroutedS }) => reroutedS).filter(({ meters }) => meters > 0);
  if (rerouted.length === 0) return {};
  const meters = rerouted.reduce((total, each) => total + each.meters, 0);
  const p50 = median(rerouted.map((each) => each.p50));
  return {
    reroutedS: { meters, p50: twoDecimals(p50), max: twoDecimals(Math.max(...rerouted.map(({ max }) => max))) },
  };
}

function eventsOf(of, sum) {
  return {
    raised: sum(({ events }) => events.raised),
    delivered: sum(({ events }) => events.delivered),
    latencyPerHopMs: {
      p50: of(({ events }) => events.latencyPerHopMs.p50),
      p95: of(({ events }) => events.latencyPerHopMs.p95),
    },
  };
}
