// The topologies of the mesh bench. Each is the same at every run; seeds change what happens on it.
import { Random } from '../../../dist/firmware/simulator/random.js';
import { boundOf, leavesOf } from './bound.js';
import { DISTURBING_PRR, discLinks, pathLossLinks } from './links.js';

/** Layouts that are drawn are drawn again until every meter has a way to the gateway. */
const DRAWS_MAX = 50;
/** Pairs of the path-loss model disturb each other from this ratio on. */
const INTERFERENCE_PRR = 0.001;
const CAPTURE_DB = 6;
/** Every link falls silent for a moment, one time in 26, whatever its mean ratio is. */
const BURST = { meanBadS: 0.2, meanGoodS: 5 };

const TOO_LARGE = 'no run of flooding, which would take longer than all others together';
const LEAVES_IN_FLOODS = 'the 80 battery leaves sleep, but not where packets are flooded: there they listen';

function node(id, role, x, y) {
  return { id, role, x, y };
}

/** Names what stands at each place: `g` the gateway, `h` a hub, anything else a meter. */
function named(places) {
  let meters = 0;
  let hubs = 0;
  return places.map(({ kind, x, y, ...rest }) => {
    if (kind === 'g') return { ...node('gw', 'gateway', x, y), ...rest };
    if (kind === 'h') return { ...node(`h${++hubs}`, 'hub', x, y), ...rest };
    return { ...node(`m${++meters}`, 'meter', x, y), ...rest };
  });
}

/** Eight nodes behind a gateway, each in reach of its neighbours. */
function line() {
  const nodes = named([...'gmmhmmhmm'].map((kind, x) => ({ kind, x, y: 0 })));
  const links = discLinks(nodes, { rangeM: 1, interferenceM: 2, prrOf: () => 0.9 });
  return { nodes, links, radio: { interferencePrr: DISTURBING_PRR, captureDb: null, burst: BURST } };
}

/** A square with the gateway in a corner and hubs at `hubs`; everybody hears the eight around. `reach`: of interference, in ranges. */
function grid(side, hubs, reach) {
  const range = Math.SQRT2 * 1.01;
  const kindAt = (x, y) => (x + y === 0 ? 'g' : hubs.some(([hx, hy]) => hx === x && hy === y) ? 'h' : 'm');
  const places = Array.from({ length: side * side }, (_, at) => [at % side, Math.floor(at / side)]);
  const nodes = named(places.map(([x, y]) => ({ kind: kindAt(x, y), x, y })));
  const prrOf = (distance) => (distance > 1 ? 0.8 : 0.95);
  const links = discLinks(nodes, { rangeM: range, interferenceM: reach * range, prrOf });
  return { nodes, links, radio: { interferencePrr: DISTURBING_PRR, captureDb: null, burst: BURST } };
}

/** `draw(random)` gives places; the first draw whose meters all reach the gateway is taken. */
function drawn(name, model, draw) {
  for (let attempt = 1; attempt <= DRAWS_MAX; attempt++) {
    const random = new Random(`${name} ${attempt}`);
    const nodes = named(draw(random));
    const links = pathLossLinks(nodes, model, random);
    const others = nodes.filter(({ role }) => role !== 'gateway').map(({ id }) => id);
    if (Number.isFinite(boundOf(links, 'gw', others, leavesOf(nodes)).etx)) {
      return { nodes, links, radio: { interferencePrr: INTERFERENCE_PRR, captureDb: CAPTURE_DB, burst: BURST } };
    }
  }
  throw new Error(`no layout of ${name} in ${DRAWS_MAX} draws connects everybody: change its size or its path loss`);
}

/** Four floors of 60 m × 20 m with 15 meters each, a hub in the stairwell of the upper three, the gateway in the basement's corner. */
function building() {
  const floorDb = 24;
  const model = { exponent: 3.5, perMetreDb: 1, extraDb: (a, b) => floorDb * Math.abs(a.floor - b.floor) };
  return drawn('building', model, (random) => {
    const places = [{ kind: 'g', x: 2, y: 2, floor: 0 }];
    for (let floor = 1; floor < 4; floor++) places.push({ kind: 'h', x: 30, y: 10, floor });
    for (let meter = 0; meter < 60; meter++) {
      places.push({ kind: 'm', x: 60 * random.float(), y: 20 * random.float(), floor: meter % 4 });
    }
    return places;
  });
}

/** 2 km along a lake: the gateway at the reception, a hub at each washhouse, 40 meters on posts every 50 m and 80 on pitches. */
function campsite() {
  return drawn('campsite', { exponent: 2.7, perMetreDb: 0.12 }, (random) => {
    const places = [{ kind: 'g', x: 0, y: 100 }];
    for (const x of [400, 800, 1200, 1600]) places.push({ kind: 'h', x, y: 100 });
    for (let post = 0; post < 40; post++) places.push({ kind: 'm', x: 50 * post + 25, y: 60 + 80 * (post % 2) });
    for (let pitch = 0; pitch < 80; pitch++)
      places.push({ kind: 'm', power: 'battery', x: 2000 * random.float(), y: 200 * random.float() });
    return places;
  });
}

/** 490 houses on 1.5 km × 1.5 km, nine hubs, the gateway in the middle. */
function village() {
  const side = 1500;
  return drawn('village-500', { exponent: 3, perMetreDb: 0.08 }, (random) => {
    const places = [{ kind: 'g', x: side / 2, y: side / 2 }];
    for (let hub = 0; hub < 9; hub++) {
      const [column, line] = [hub % 3, Math.floor(hub / 3)];
      places.push({ kind: 'h', x: side * (0.2 + 0.3 * column) + 20, y: side * (0.2 + 0.3 * line) });
    }
    for (let house = 0; house < 490; house++)
      places.push({ kind: 'm', x: side * random.float(), y: side * random.float() });
    return places;
  });
}

const GRID_25_HUBS = [
  [1, 3],
  [3, 1],
  [3, 3],
];
const GRID_100_HUBS = [
  [2, 2],
  [2, 7],
  [7, 2],
  [7, 7],
];

/** By name: how to make it, and how much can be run on it: of a large one less is flooded, and of the village one seed is enough. */
export const SCENARIOS = {
  'line-8': { make: line },
  'grid-5x5': { make: () => grid(5, GRID_25_HUBS, 1), bulk: true },
  'grid-10x10': { make: () => grid(10, GRID_100_HUBS, 1), isLarge: true, faults: true },
  'grid-10x10-interference-2x': { make: () => grid(10, GRID_100_HUBS, 2), isLarge: true },
  building: { make: building, isLarge: true, bulk: true, faults: true },
  campsite: { make: campsite, isLarge: true, note: LEAVES_IN_FLOODS },
  'village-500': { make: village, isVillage: true, note: TOO_LARGE },
};
