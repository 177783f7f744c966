import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { errorCodes, WattmeshError } from '../../nodes/headend/errors.ts';

/** Cases for each decoder that takes microseconds. WATTMESH_FUZZ_CASES is another number. */
export const CASES = Number(process.env.WATTMESH_FUZZ_CASES ?? 100_000);
/** No decoder may take as long for any input, however busy the machine is. */
const DECODE_MS_MAX = 5000;
const MUTATIONS_MAX = 4;
const STACK_FRAMES = 1;
const SLICE_MAX = 40;
const SEED_MAX = 0x7fff_ffff;

type Random = Parameters<fc.Arbitrary<unknown>['generate']>[0];
type Units = readonly number[];

/** What inputs are made of: bytes, or UTF-16 code units. */
interface Medium<T> {
  /** Units that an input consists of; the more often one is named the more often it comes. */
  readonly alphabet: Units;
  /** Longest input without a sample. */
  readonly unitsMax: number;
  read(value: T): Units;
  build(units: Units): T;
}

const everyByte = Array.from({ length: 256 }, (_, byte) => byte);

/** Bytes; the edges come up often. */
const bytes = (unitsMax: number): Medium<Uint8Array> => ({
  alphabet: [...everyByte, ...Array.from({ length: 32 }, () => [0, 1, 0x7f, 0x80, 0xfe, 0xff]).flat()],
  unitsMax,
  read: (value) => Array.from(value),
  build: (units) => Uint8Array.from(units),
});

/** Texts that are made of `letters` above all, and of others that programs stumble over: NUL, quotes, half of a surrogate pair. */
const text = (letters: string, unitsMax: number): Medium<string> => ({
  alphabet: [...`${letters}${letters}${letters} ",\0\n\r\t\\/+#{}[]:%<\u{feff}\u{2028}\u{e9}\u{ff11}\u{1f50c}`]
    .flatMap((letter) => Array.from({ length: letter.length }, (_, at) => letter.charCodeAt(at)))
    .concat(0xd83d),
  unitsMax,
  read: (value) => Array.from({ length: value.length }, (_, at) => value.charCodeAt(at)),
  build: (units) => String.fromCharCode(...units),
});

/** Numbers from a seed (Marsaglia, "Xorshift RNGs", 2003): fast-check's own are better, and ten times as slow. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 to `count` - 1. */
  below(count: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % count;
  }
}

/**
 * Inputs that nobody sent: some random, some that begin as a sample does, most of them samples with up to four changes. Faster than fast-check's
 * own arrays, which are made for shrinking; this one leaves out slices.
 */
class Garbage<T> extends fc.Arbitrary<T> {
  readonly #medium: Medium<T>;
  readonly #samples: readonly Units[];

  constructor(medium: Medium<T>, samples: readonly T[]) {
    super();
    this.#medium = medium;
    this.#samples = samples.map((sample) => medium.read(sample));
  }

  override generate(random: Random): fc.Value<T> {
    return new fc.Value(this.#medium.build(this.#drawn(new Dice(random.nextInt(1, SEED_MAX)))), undefined);
  }

  #drawn(dice: Dice): Units {
    const { unitsMax } = this.#medium;
    const sample = this.#samples[dice.below(this.#samples.length)] ?? [];
    const way = dice.below(6);
    if (way === 0) return this.#random(dice, unitsMax);
    if (way === 1) return sample.slice(0, 1 + dice.below(4)).concat(this.#random(dice, unitsMax));
    let units: Units = sample;
    for (let left = dice.below(MUTATIONS_MAX + 1); left > 0; left--) units = this.#changed(dice, units);
    return units;
  }

  override canShrinkWithoutContext(_value: unknown): _value is T {
    return false;
  }

  override shrink(value: T): fc.Stream<fc.Value<T>> {
    return fc.stream(this.#shorter(this.#medium.read(value)));
  }

  *#shorter(units: Units): IterableIterator<fc.Value<T>> {
    for (let size = units.length; size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < units.length; at += size) {
        yield new fc.Value(this.#medium.build([...units.slice(0, at), ...units.slice(at + size)]), undefined);
      }
    }
  }

  #unit(dice: Dice): number {
    const { alphabet } = this.#medium;
    return alphabet[dice.below(alphabet.length)] as number;
  }

  /** Half of them short. */
  #random(dice: Dice, unitsMax: number): number[] {
    const max = dice.below(2) === 0 ? Math.min(unitsMax, SLICE_MAX) : unitsMax;
    const units: number[] = [];
    for (let left = dice.below(max + 1); left > 0; left--) units.push(this.#unit(dice));
    return units;
  }

  #changed(dice: Dice, units: Units): Units {
    const at = dice.below(Math.max(1, units.length));
    const end = at + 1 + dice.below(SLICE_MAX);
    const before = units.slice(0, at);
    switch (dice.below(7)) {
      case 0: // one bit
        return before.concat((units[at] ?? 0) ^ (1 << dice.below(8)), units.slice(at + 1));
      case 1: // one unit
        return before.concat(this.#unit(dice), units.slice(at + 1));
      case 2: // the end is missing
        return before;
      case 3: // a slice is missing
        return before.concat(units.slice(end));
      case 4: // a slice comes twice
        return units.slice(0, end).concat(units.slice(at));
      case 5: // something stands between
        return before.concat(this.#random(dice, SLICE_MAX), units.slice(at));
      default: {
        // the end of another sample
        const other = this.#samples[dice.below(this.#samples.length)] ?? [];
        return before.concat(other.slice(dice.below(Math.max(1, other.length))));
      }
    }
  }
}

/** Bytes that are nearly one of the samples, or nothing like them. `bytesMax`: of those without a sample. */
export function garbageBytes(samples: readonly Uint8Array[], bytesMax: number): fc.Arbitrary<Uint8Array> {
  return new Garbage(bytes(bytesMax), samples);
}

/** Texts that are nearly one of the samples, or nothing like them. `letters`: what they are made of above all. */
export function garbageText(samples: readonly string[], letters: string, unitsMax: number): fc.Arbitrary<string> {
  return new Garbage(text(letters, unitsMax), samples);
}

/** For a suite of such tests: most inputs end in an error, and noting its stack costs more than finding it. */
export function shortenStacks(): void {
  const usual = Error.stackTraceLimit;
  before(() => {
    Error.stackTraceLimit = STACK_FRAMES;
  });
  after(() => {
    Error.stackTraceLimit = usual;
  });
}

/** The result, or undefined for input that was refused with an error of the closed set; any other error is thrown on. */
export function attempt<T>(decode: () => T): T | undefined {
  const startedMs = performance.now();
  try {
    return decode();
  } catch (error) {
    assertProper(error);
    return undefined;
  } finally {
    assertQuick(startedMs);
  }
}

/** As `attempt`, for decoders that answer later. */
export async function attemptLater<T>(decode: () => Promise<T>): Promise<T | undefined> {
  const startedMs = performance.now();
  try {
    return await decode();
  } catch (error) {
    assertProper(error);
    return undefined;
  } finally {
    assertQuick(startedMs);
  }
}

function assertProper(error: unknown): void {
  if (!(error instanceof WattmeshError)) throw error;
  assert.equal(error.code, errorCodes[error.reason]);
}

function assertQuick(startedMs: number): void {
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs <= DECODE_MS_MAX, `decoding took ${Math.round(tookMs)} ms`);
}
