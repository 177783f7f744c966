// The mesh by the firmware itself, in the simulator: traditional (flooding), the collection tree with one hub and with several, side by side
// on the same topologies, beside the ETX-optimal bound of each.
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { twoDecimals } from './measure.js';
import { boundOf, leavesOf, withBursts } from './mesh/bound.js';
import { figuresOf } from './mesh/figures.js';
import { plotOf } from './mesh/plot.js';
import { inParallel, simulated } from './mesh/pool.js';
import { SCENARIOS } from './mesh/scenarios.js';
import { PARTS, runsOf } from './mesh/variants.js';

const SEEDS = 3;
/** Faults of a run that the result names. */
const FAULTS_SHOWN_MAX = 2;
const QUICK_SCENARIOS = ['line-8'];
/** What the mesh is to reach, frames over the bound: poll cycle = interval, and bulk. */
const REACH = { oneHub: 2.0, severalHubs: 1.6, bulk: 0.25 };

/** `scenario`: that one alone; `part`: that one alone; `seeds`: how many per variant; `plot`: file for the SVG. */
export async function bench({ quick, report, scenario, part, seeds: seedsText, plot }) {
  const startedMs = performance.now();
  const loadBefore = loadavg()[0];
  const seeds = quick ? 1 : readSeeds(seedsText);
  const names = scenario === undefined ? (quick ? QUICK_SCENARIOS : Object.keys(SCENARIOS)) : [known(scenario)];
  const parts = part === undefined ? PARTS : [knownPart(part)];
  const topologies = names
    .map((name) => ({ name, ...SCENARIOS[name], runs: runsOf(name, SCENARIOS[name], { quick, seeds, parts }) }))
    .filter(({ runs }) => runs.length > 0);
  const jobs = topologies.flatMap(({ runs }) => runs.flatMap(jobsOf));
  // The longest first, so that none is left alone at the end.
  jobs.sort((a, b) => b.run.scenario.nodes.length - a.run.scenario.nodes.length);
  const width = Math.min(availableParallelism(), jobs.length);
  let done = 0;
  await inParallel(jobs, width, async ({ run, seed }) => {
    report(`${run.scenario.name}, seed ${seed} …`);
    const result = await simulated({ ...run.scenario, ...run.changes?.(seed) }, seed);
    run.results.set(seed, result);
    report(`${++done}/${jobs.length} ${run.scenario.name}, seed ${seed}: ${lineOf(result)}`);
  });
  const scenarios = Object.fromEntries(topologies.map((topology) => [topology.name, reportOf(topology)]));
  const result = {
    bench: 'mesh',
    machine: { ...machine(loadBefore), runsAtATime: width },
    reach: { framesOverBound: REACH },
    scenarios,
    wallS: Math.round((performance.now() - startedMs) / 1000),
  };
  if (plot !== undefined && parts.includes('variants')) writeFileSync(plot, plotOf(result));
  return result;
}

function jobsOf(run) {
  run.results = new Map();
  return Array.from({ length: run.seeds }, (_, index) => ({ run, seed: index + 1 }));
}

/** The figures of a topology's runs, by part and variant. */
function reportOf({ note, runs }) {
  const report = { nodes: runs[0].scenario.nodes.length, ...(note ? { note } : {}) };
  for (const run of runs) {
    report[run.part] ??= {};
    report[run.part][run.variant] = figuresOfRun(run);
  }
  return report;
}

function figuresOfRun({ scenario, changes, seeds, results }) {
  const meters = scenario.nodes.filter(({ role }) => role === 'meter').map(({ id }) => id);
  const leaves = leavesOf(scenario.nodes);
  const bound = boundOf(withBursts(scenario.links, scenario.radio.burst), 'gw', meters, leaves);
  const ordered = [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
  const { durationS, warmupS, mesh, reading, radio, faults } = scenario;
  return {
    run: {
      meters: meters.length,
      seeds,
      durationS,
      warmupS,
      intervalS: reading.intervalS,
      pollCycleS: mesh.pollCycleS,
      captureDb: radio.captureDb,
      burst: radio.burst,
      // A seed changes when faults come, not which.
      ...(changes ? { firstFaults: faults.slice(0, FAULTS_SHOWN_MAX) } : {}),
    },
    bound: { etx: twoDecimals(bound.etx), dataOnly: twoDecimals(bound.dataOnly) },
    ...figuresOf(ordered, bound, { routers: scenario.nodes.length - leaves.size, warmupS }),
  };
}

function lineOf({ readings, frames, violations, simS, wallMs }) {
  const { measured, delivered, lost } = readings;
  const speed = Math.round((1000 * simS) / wallMs);
  return `${delivered} of ${measured} delivered, ${lost} lost, ${violations.length} violations, ${frames.perReading} frames per reading, ${speed} times real time`;
}

function known(name) {
  if (Object.hasOwn(SCENARIOS, name)) return name;
  throw new RangeError(`there is no scenario ${name}: name one of ${Object.keys(SCENARIOS).join(', ')}`);
}

function knownPart(part) {
  if (PARTS.includes(part)) return part;
  throw new RangeError(`there is no part ${part}: name one of ${PARTS.join(', ')}`);
}

function readSeeds(text) {
  if (text === undefined) return SEEDS;
  const seeds = Number(text);
  if (Number.isInteger(seeds) && seeds >= 1 && seeds <= 1000) return seeds;
  throw new RangeError(`--seeds ${text} is not possible: give a whole number of 1 to 1000`);
}

function machine(loadBefore) {
  const cores = cpus();
  const load = { before: twoDecimals(loadBefore), after: twoDecimals(loadavg()[0]) };
  return { cpu: cores[0]?.model ?? 'unknown', cores: cores.length, node: process.version, load };
}
