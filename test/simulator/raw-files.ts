import type { Link } from '../../firmware/simulator/radio/links.ts';
import { type RawResult, runRaw } from '../../firmware/simulator/raw/raw-run.ts';
import { parseRawScenario } from '../../firmware/simulator/raw/raw-scenario.ts';
import { fullMesh, pair } from './radio-traffic.ts';

/** Runs a file of raw traffic that is given as an object. */
export function play(file: object, seed = 1): RawResult {
  return runRaw(parseRawScenario({ durationS: 60, ...file }), seed);
}

/** `count` saturated senders and a sink that all hear each other. */
export function cell(count: number, more: object = {}): object {
  const senders = Array.from({ length: count }, (_, index) => `s${index}`);
  const nodes = [...senders, 'sink'];
  const traffic = senders.map((id) => ({ path: [id, 'sink'], saturated: true }));
  return { nodes, links: fullMesh(nodes), traffic, ...more };
}

/** Nodes in a row that hear their neighbours only, and one flow from end to end. */
export function chain(nodes: readonly string[], flow: object, more: object = {}): object {
  const links: Link[] = nodes.slice(1).flatMap((node, index) => pair(nodes[index] as string, node));
  return { nodes, links, traffic: [{ path: nodes, ...flow }], ...more };
}

/** Fails unless `actual` lies within `tolerance` of `expected`. */
export function near(actual: number, expected: number, what: string, tolerance = 0.05): void {
  if (Math.abs(actual / expected - 1) <= tolerance) return;
  throw new Error(`${what}: ${actual.toFixed(4)} is not within ${100 * tolerance} % of ${expected.toFixed(4)}`);
}
