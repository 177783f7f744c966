import { createHash } from 'node:crypto';

/**
 * A seeded source of pseudo-random numbers for the simulation (sfc32 of the PractRand suite, seeded through SHA-256). Not for keys.
 * The same seed gives the same numbers on every machine.
 */
export class Random {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter: number;
  #spareNormal: number | undefined;

  /** The number 7 and the string '7' are the same seed. */
  constructor(seed: string | number) {
    this.#seed = String(seed);
    const digest = createHash('sha256').update(this.#seed).digest();
    this.#a = digest.readInt32LE(0);
    this.#b = digest.readInt32LE(4);
    this.#c = digest.readInt32LE(8);
    this.#counter = 1;
  }

  /** Uniform over 0 … 2^32 - 1. */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** Uniform over [0, 1), in steps of 2^-32. */
  float(): number {
    return this.uint32() / 2 ** 32;
  }

  /** Uniform over 0 … n - 1, for a whole n of 1 … 2^32. */
  int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32)
      throw new RangeError(`int(${n}): give a whole number of 1 to 2^32`);
    return Math.floor(this.float() * n);
  }

  /** Normally distributed (Box and Muller 1958). */
  normal(mean: number, standardDeviation: number): number {
    let unit = this.#spareNormal;
    if (unit === undefined) {
      const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
      const angle = 2 * Math.PI * this.float();
      unit = radius * Math.cos(angle);
      this.#spareNormal = radius * Math.sin(angle);
    } else {
      this.#spareNormal = undefined;
    }
    return mean + standardDeviation * unit;
  }

  /** `n` uniform bytes. */
  bytes(n: number): Uint8Array {
    const bytes = new Uint8Array(n);
    for (let i = 0; i < n; i++) bytes[i] = this.uint32() & 0xff;
    return bytes;
  }

  /** A source of its own, fixed by this one's seed and `name` alone: neither draws nor other forks change it. */
  fork(name: string): Random {
    return new Random(JSON.stringify([this.#seed, name]));
  }
}
