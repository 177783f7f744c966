/** Refrigerators and freezers: compressors that cycle all day, whatever the people do. */
import { between, mix, uniformFrom, unitAt } from './random.ts';
import { pushRun, type Step } from './steps.ts';

export interface Cooler {
  readonly seed: number;
  readonly watts: number;
  readonly periodS: number;
  /** Part of the time the compressor runs. */
  readonly duty: number;
}

/** A compressor draws more until the refrigerant has settled: factor and seconds. */
const STARTING = [
  { factor: 1.12, seconds: 60 },
  { factor: 1.04, seconds: 180 },
] as const;
const COMPRESSOR_TAN_PHI = 0.85;
const FREEZER_OWNED = 0.45;
/** Below this mean power (W) of the household two coolers would draw more than H25 leaves for the night. */
const FREEZER_MEAN_W_MIN = 200;

/** The refrigerator and, in some, the freezer of a household with a mean power of `meanW`. */
export function drawCoolers(seed: number, meanW: number): Cooler[] {
  const uniform = uniformFrom(seed);
  const count = uniform() < FREEZER_OWNED && meanW >= FREEZER_MEAN_W_MIN ? 2 : 1;
  return Array.from({ length: count }, (_, index) => ({
    seed: mix(seed, index),
    watts: between(uniform, 55, 90),
    periodS: Math.round(between(uniform, 1800, 3600)),
    duty: between(uniform, 0.3, 0.42),
  }));
}

/** Mean power (W). */
export function coolerMeanW({ watts, periodS, duty }: Cooler): number {
  const extraS = STARTING.reduce((sum, { factor, seconds }) => sum + (factor - 1) * seconds, 0);
  return watts * (duty + extraS / periodS);
}

/** Appends the cycles that begin in [fromMs, toMs). */
export function pushCoolerCycles(steps: Step[], cooler: Cooler, fromMs: number, toMs: number): void {
  const { seed, watts, periodS, duty } = cooler;
  const periodMs = periodS * 1000;
  const shiftS = Math.floor(periodS * unitAt(seed, 0));
  for (let cycle = Math.floor(fromMs / periodMs) - 2; ; cycle++) {
    const uniform = uniformFrom(mix(seed, cycle));
    const startMs = cycle * periodMs + (shiftS + Math.floor(0.1 * periodS * uniform())) * 1000;
    if (startMs >= toMs) return;
    if (startMs < fromMs) continue;
    const onS = Math.round(duty * periodS * between(uniform, 0.85, 1.15));
    const startingS = STARTING.reduce((sum, { seconds }) => sum + seconds, 0);
    const phases = STARTING.map(({ factor, seconds }) => ({ seconds, watts: watts * factor }));
    pushRun(steps, startMs, [...phases, { seconds: onS - startingS, watts }], 1, COMPRESSOR_TAN_PHI);
  }
}
