// Directed links for the scenarios of the mesh bench.
import { prrAt } from '../../../dist/firmware/simulator/radio/reception.js';

/** Below this ratio a link delivers nothing and disturbs nobody that could not bear it. */
const PRR_MIN = 0.001;
/** What stands in the table for a pair that only disturbs each other. */
export const DISTURBING_PRR = 0.0001;
const TX_POWER_DBM = 20;
const FIRST_METRE_DB = 40;
const SHADOWING_DB = 6;
const ASYMMETRY_DB = 2.5;

/** Calls `each(a, b)` for every pair of places. */
function forPairs(places, each) {
  for (const [index, a] of places.entries()) for (const b of places.slice(index + 1)) each(a, b);
}

function metresBetween(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/**
 * Links of a regular layout: everybody within `rangeM` is heard with the ratio that `prrOf(metres)` gives, everybody within `interferenceM` is
 * sensed and disturbs.
 */
export function discLinks(places, { rangeM, interferenceM, prrOf }) {
  const links = [];
  forPairs(places, (a, b) => {
    const metres = metresBetween(a, b);
    if (metres > Math.max(rangeM, interferenceM)) return;
    const prr = metres <= rangeM ? prrOf(metres) : DISTURBING_PRR;
    links.push({ from: a.id, to: b.id, prr }, { from: b.id, to: a.id, prr });
  });
  return links;
}

/**
 * Links by log-distance path loss with shadowing that both directions share and a difference between them: a loss of 10 × `exponent` dB per
 * decade, `perMetreDb` for what stands in the way, and `extraDb(a, b)`. `random` decides the shadowing.
 */
export function pathLossLinks(places, { exponent, perMetreDb, extraDb = () => 0 }, random) {
  const links = [];
  forPairs(places, (a, b) => {
    const metres = Math.max(1, metresBetween(a, b));
    const lossDb = FIRST_METRE_DB + 10 * exponent * Math.log10(metres) + perMetreDb * metres + extraDb(a, b);
    const meanDbm = TX_POWER_DBM - lossDb + random.normal(0, SHADOWING_DB);
    const halfDb = random.normal(0, ASYMMETRY_DB) / 2;
    for (const [from, to, rssi] of [
      [a.id, b.id, meanDbm + halfDb],
      [b.id, a.id, meanDbm - halfDb],
    ]) {
      const prr = prrAt(rssi);
      if (prr >= PRR_MIN) links.push({ from, to, prr, rssi: Math.max(-128, Math.min(0, Math.round(rssi))) });
    }
  });
  return links;
}
