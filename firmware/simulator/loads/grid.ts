/** The public grid at a household's connection. */
import { HOUR_MS, MINUTE_MS } from './calendar.ts';
import { driftAt, mix, seedWord } from './random.ts';

const NOMINAL_V = 230;
const NOMINAL_HZ = 50;
/** One synchronous area: the frequency is the same for all households. */
const AREA_SEED = seedWord('synchronous area');

/** Frequency in 0.01 Hz, within 50 Hz +- 0.05 Hz: slow balance errors of the area and faster ripples. */
export function frequencyChz(utcMs: number): number {
  const deviationHz =
    0.03 * driftAt(AREA_SEED, utcMs, 10 * MINUTE_MS) +
    0.015 * driftAt(mix(AREA_SEED, 1), utcMs, MINUTE_MS) +
    0.005 * driftAt(mix(AREA_SEED, 2), utcMs, 5000);
  return Math.round(100 * (NOMINAL_HZ + deviationHz));
}

/**
 * Voltage in 0.1 V: a drift of the feeder over hours and minutes, less the drop that the household's own current makes on the resistance of its
 * connection (a rise while it exports). Stays inside EN 50160's 230 V +- 10 %.
 */
export function voltageDv(seed: number, utcMs: number, powerDw: number, connectionOhm: number): number {
  const drift = 2.5 * driftAt(seed, utcMs, 2 * HOUR_MS) + driftAt(mix(seed, 1), utcMs, 4 * MINUTE_MS);
  const drop = (powerDw / 10 / NOMINAL_V) * connectionOhm;
  const volts = Math.min(NOMINAL_V * 1.1, Math.max(NOMINAL_V * 0.9, NOMINAL_V + drift - drop));
  return Math.round(10 * volts);
}
