/**
 * Time that runs `factor` times as fast as the machine's clock. Any process that knows these three numbers reads the same time, so a mesh in
 * one process and a head-end in another live through the same minute in a few seconds, with every time-out in proportion.
 */
export interface FastTime {
  /** Fast UTC at the start, ms. */
  readonly startUtcMs: number;
  /** The machine's UTC at the start, ms. */
  readonly startWallMs: number;
  readonly factor: number;
}

/** The household loads' reference day; the same at each run, so that the same seed measures the same rows. */
const START_UTC_MS = Date.UTC(2026, 0, 15, 10);

/** Fast time that starts now. */
export function startFastTime(factor: number): FastTime {
  return { startUtcMs: START_UTC_MS, startWallMs: Date.now(), factor };
}

/** Fast time since the start, ms. `wallMs`: the machine's UTC now. */
export function elapsedMs({ startWallMs, factor }: FastTime, wallMs: number): number {
  return (wallMs - startWallMs) * factor;
}
