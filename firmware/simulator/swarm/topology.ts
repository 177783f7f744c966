import type { Link } from '../radio/links.ts';
import { linksFromPositions } from '../radio/path-loss.ts';
import type { Random } from '../random.ts';
import { isConnected, type PlanNode } from './plan.ts';

/** Where the nodes of a drawn mesh stand, as links: all shapes lead to links, so that a node can be taken out and the rest stays as it was. */

type Shape = (nodes: readonly PlanNode[], random: Random) => Link[];

/** Pairs below this ratio neither deliver nor disturb. */
const INTERFERENCE_PRR = 0.02;
/** A mesh that is not connected is drawn again, so much narrower. */
const NARROWER = 0.9;
/** Metres between neighbours at first: near the edge of a building's range, see radio/path-loss.ts. */
const SPACING_M = { min: 120, max: 320 };

const SHAPES: Readonly<Record<string, Shape>> = {
  scattered: (nodes, random) => {
    const sideM = spacing(random) * Math.sqrt(nodes.length);
    return placed(nodes, random, () => [random.float() * sideM, random.float() * sideM]);
  },
  line: (nodes, random) => {
    const stepM = spacing(random);
    return placed(nodes, random, (index) => [index * stepM, random.normal(0, stepM / 10)]);
  },
  grid: (nodes, random) => {
    const stepM = spacing(random);
    const columns = Math.ceil(Math.sqrt(nodes.length));
    return placed(nodes, random, (index) => [(index % columns) * stepM, Math.floor(index / columns) * stepM]);
  },
  tree: treeWithShortcuts,
};

/** Links of a connected mesh in a random shape. Nodes that forward must come before those that do not. */
export function drawLinks(nodes: readonly PlanNode[], random: Random): Link[] {
  const shapes = Object.values(SHAPES);
  const shape = shapes[random.int(shapes.length)] as Shape;
  return shape(nodes, random);
}

function spacing(random: Random): number {
  return SPACING_M.min + random.float() * (SPACING_M.max - SPACING_M.min);
}

/** Path loss between places, which move together until the mesh is connected. Hubs and leaves stand anywhere: places are shuffled. */
function placed(
  nodes: readonly PlanNode[],
  random: Random,
  placeOf: (index: number) => readonly [number, number],
): Link[] {
  const order = shuffled(nodes.slice(1), random);
  const places = [...nodes.slice(0, 1), ...order].map(({ id }, index) => ({ id, at: placeOf(index) }));
  for (let scale = 1; ; scale *= NARROWER) {
    const scaled = places.map(({ id, at: [x, y] }) => ({ id, x: x * scale, y: y * scale }));
    const links = linksFromPositions(scaled, random, INTERFERENCE_PRR).map((link) => ({
      ...link,
      prr: Math.round(link.prr * 1000) / 1000,
    }));
    if (isConnected({ nodes, links })) return links;
  }
}

/** A random tree of routers with leaves anywhere, some more links, and each direction with a ratio of its own. */
function treeWithShortcuts(nodes: readonly PlanNode[], random: Random): Link[] {
  const links = new Map<string, Link>();
  const connect = (a: PlanNode, b: PlanNode, worst: number): void => {
    for (const [from, to] of [
      [a.id, b.id],
      [b.id, a.id],
    ] as const) {
      const prr = Math.round(1000 * (worst + (1 - worst) * random.float())) / 1000;
      if (!links.has(`${from}>${to}`)) links.set(`${from}>${to}`, { from, to, prr });
    }
  };
  const depths = [0];
  const deepest = 2 + random.int(8);
  for (const [index, node] of nodes.entries()) {
    if (index === 0) continue;
    const above = nodes
      .slice(0, index)
      .map((other, place) => ({ other, place }))
      .filter(({ other, place }) => other.power !== 'battery' && (depths[place] as number) < deepest);
    const { other, place } = above[random.int(above.length)] as (typeof above)[number];
    depths.push((depths[place] as number) + 1);
    connect(node, other, 0.55);
  }
  for (let more = random.int(2 * nodes.length); more > 0; more--) {
    const [a, b] = [nodes[random.int(nodes.length)], nodes[random.int(nodes.length)]];
    if (a && b && a !== b) connect(a, b, 0.05);
  }
  return [...links.values()];
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  return values
    .map((value) => ({ value, order: random.float() }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value);
}
