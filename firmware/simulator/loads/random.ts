/**
 * Randomness addressed by position instead of drawn from a running state: the n-th number of a seed is always the same, so that a household's
 * day can be computed without computing the days before it.
 */

/** Spreads a seed of either kind over 32 bits (FNV-1a over its decimal or UTF-16 text, then mixed). */
export function seedWord(seed: string | number): number {
  const text = String(seed);
  let word = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) word = Math.imul(word ^ text.charCodeAt(index), 0x01000193);
  return mix(word, text.length);
}

/** A 32-bit word that depends on every bit of both arguments (the finaliser of MurmurHash3, run over each in turn). */
export function mix(seed: number, position: number): number {
  return avalanche(avalanche(seed ^ 0x5bd1e995) + Math.imul(position | 0, 0x9e3779b1));
}

function avalanche(value: number): number {
  let word = value | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}

/** The number in [0, 1) at a position of a seed. */
export function unitAt(seed: number, position: number): number {
  return mix(seed, position) / 2 ** 32;
}

/** A source of numbers in [0, 1). */
export type Uniform = () => number;

/** The numbers of a seed from position 0 on. */
export function uniformFrom(seed: number): Uniform {
  let position = 0;
  return () => unitAt(seed, position++);
}

/** Uniform between two limits. */
export function between(uniform: Uniform, low: number, high: number): number {
  return low + (high - low) * uniform();
}

/** A smooth curve through one random value in [-1, 1] every `periodMs`, at a moment (value noise with cosine interpolation). */
export function driftAt(seed: number, utcMs: number, periodMs: number): number {
  const knot = Math.floor(utcMs / periodMs);
  const blend = (1 - Math.cos(Math.PI * (utcMs / periodMs - knot))) / 2;
  const from = unitAt(seed, knot);
  return 2 * (from + (unitAt(seed, knot + 1) - from) * blend) - 1;
}
