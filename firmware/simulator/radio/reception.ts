/** How received power and the packet reception ratio of a link belong together. */

/** Sensitivity of the receiver at 1 Mbit/s, dBm: here 90 % of the frames arrive. */
export const SENSITIVITY_DBM = -97;
const RATIO_AT_SENSITIVITY = 0.9;

/** Width of the soft edge, dB: the ratio falls from 0.9 to 0.1 within 4.4 of these. */
const EDGE_DB = 1.5;

/** A link given without a power is taken to be no stronger than this above the sensitivity, dB. */
const ASSUMED_MARGIN_DB = 17;

/** Packet reception ratio, 0 … 1, at this power: a logistic curve through 0.9 at the sensitivity. */
export function prrAt(rssiDbm: number): number {
  const halfDbm = SENSITIVITY_DBM - EDGE_DB * logit(RATIO_AT_SENSITIVITY);
  return 1 / (1 + Math.exp((halfDbm - rssiDbm) / EDGE_DB));
}

/** The power that fits a packet reception ratio, dBm: the inverse of {@link prrAt}, limited to 17 dB around the sensitivity. */
export function rssiFor(prr: number): number {
  const marginDb = EDGE_DB * (logit(prr) - logit(RATIO_AT_SENSITIVITY));
  return Math.round(SENSITIVITY_DBM + Math.min(ASSUMED_MARGIN_DB, Math.max(-ASSUMED_MARGIN_DB, marginDb)));
}

function logit(ratio: number): number {
  return Math.log(ratio / (1 - ratio));
}
