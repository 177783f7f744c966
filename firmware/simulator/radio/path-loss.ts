import type { Random } from '../random.ts';
import type { Link } from './links.ts';
import { prrAt } from './reception.ts';

/** Log-distance path loss with log-normal shadowing (Rappaport, Wireless Communications, ch. 4). */
export interface PathLoss {
  /** Power sent, antenna gains of both sides included, dBm. */
  readonly txPowerDbm: number;
  /** Loss over the first metre, dB. */
  readonly firstMetreDb: number;
  /** Path loss exponent: 2.7 outdoors, 3.0 to 3.5 in buildings. */
  readonly exponent: number;
  /** Standard deviation of the shadowing that both directions of a pair share, dB. */
  readonly shadowingDb: number;
  /** Standard deviation of the difference between the two directions of a pair, dB. */
  readonly asymmetryDb: number;
}

/** A stock ESP32 or ESP8266 board at 2.4 GHz in a building. */
export const BUILDING: PathLoss = { txPowerDbm: 20, firstMetreDb: 40, exponent: 3, shadowingDb: 6, asymmetryDb: 2.5 };

/** A place in metres. */
export interface Position {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

/** Pairs below this ratio are left out unless they can interfere: they would cost time and deliver nothing. */
const NEGLIGIBLE_PRR = 0.001;

/**
 * Links between stations at these places, drawn once from `random` and stable for the run. Pairs that reach `interferencePrr` are
 * always among them, so that a small value extends the interference beyond the range of reception.
 */
export function linksFromPositions(
  places: readonly Position[],
  random: Random,
  interferencePrr: number,
  model: PathLoss = BUILDING,
): Link[] {
  const keep = Math.min(NEGLIGIBLE_PRR, interferencePrr);
  const links: Link[] = [];
  for (const [i, a] of places.entries()) {
    for (const b of places.slice(i + 1)) {
      const metres = Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
      const lossDb = model.firstMetreDb + 10 * model.exponent * Math.log10(metres);
      const meanDbm = model.txPowerDbm - lossDb + random.normal(0, model.shadowingDb);
      const halfDb = random.normal(0, model.asymmetryDb) / 2;
      for (const [from, to, rssi] of [
        [a.id, b.id, meanDbm + halfDb] as const,
        [b.id, a.id, meanDbm - halfDb] as const,
      ]) {
        const prr = prrAt(rssi);
        if (prr >= keep) links.push({ from, to, prr, rssi: Math.round(rssi) });
      }
    }
  }
  return links;
}
