/** A photovoltaic roof: clear-sky irradiance on a tilted plane, dimmed by clouds. */
import { DAY_MS, dayOfYear, HOUR_MS, MINUTE_MS } from './calendar.ts';
import { driftAt, mix, seedWord } from './random.ts';

/** Central Germany. */
const LATITUDE = (51 * Math.PI) / 180;
const LONGITUDE_DEG = 10;
/** Modules face south at this angle. */
const TILT = (30 * Math.PI) / 180;
/** Modules, cables and inverter against the rated power under standard test conditions. */
const SYSTEM_EFFICIENCY = 0.84;
/** Part of the clear-sky yield that a closed cloud cover lets through. */
const OVERCAST = 0.12;
/** Weather fronts reach all households alike. */
const WEATHER_SEED = seedWord('weather');

/** Power (W) of a roof of `kwPeak` at a moment; single clouds depend on the seed. */
export function solarW(seed: number, kwPeak: number, utcMs: number): number {
  return 1000 * kwPeak * SYSTEM_EFFICIENCY * clearSky(utcMs) * cloudTransmission(seed, utcMs);
}

/**
 * Irradiance on the module plane under a clear sky in kW/m2. Declination after Cooper, direct light after Meinel's air-mass formula with a tenth
 * more for the diffuse part; the equation of time (at most 16 minutes) is left out.
 */
export function clearSky(utcMs: number): number {
  const utcDay = Math.floor(utcMs / DAY_MS);
  const declination = ((23.45 * Math.PI) / 180) * Math.sin((2 * Math.PI * (285 + dayOfYear(utcDay))) / 365);
  const solarHours = (utcMs - utcDay * DAY_MS) / HOUR_MS + LONGITUDE_DEG / 15;
  const hourCosine = Math.cos(((solarHours - 12) * Math.PI) / 12);
  const elevationSine =
    Math.sin(declination) * Math.sin(LATITUDE) + Math.cos(declination) * Math.cos(LATITUDE) * hourCosine;
  const incidence =
    Math.sin(declination) * Math.sin(LATITUDE - TILT) + Math.cos(declination) * Math.cos(LATITUDE - TILT) * hourCosine;
  if (elevationSine <= 0 || incidence <= 0) return 0;
  return 1.353 * 1.1 * 0.7 ** ((1 / elevationSine) ** 0.678) * incidence;
}

/** Part of the clear-sky yield that passes the clouds: fronts of many hours for all, single clouds of minutes where the sky is mixed. */
function cloudTransmission(seed: number, utcMs: number): number {
  const fronts =
    0.65 * driftAt(WEATHER_SEED, utcMs, 11 * HOUR_MS) + 0.35 * driftAt(mix(WEATHER_SEED, 1), utcMs, 2 * HOUR_MS);
  const clear = limit(0.5 + 0.9 * fronts);
  const mixed = 1 - Math.abs(2 * clear - 1);
  const passing = limit(clear + 0.6 * mixed * driftAt(seed, utcMs, 3 * MINUTE_MS));
  return OVERCAST + (1 - OVERCAST) * passing;
}

function limit(value: number): number {
  return Math.min(1, Math.max(0, value));
}
