import { Random } from '../../firmware/simulator/random.ts';
import { ENVELOPE_BYTES_MAX } from '../../nodes/headend/frame/slip.ts';

/** Bytes of one flood. */
export const GARBAGE_BYTES = 10 * 1024 * 1024;

/** RFC 1055. */
const END = 0xc0;
const STREAM_CHUNK_BYTES = 16_384;
const OVERSIZED_BYTES_MAX = 65_536;

/**
 * Pieces of a byte stream, GARBAGE_BYTES in all: random bytes, SLIP packets that break off in the middle (`genuine` gives a real one) and
 * packets far too long. The same seed gives the same pieces.
 */
export function* garbageStream(genuine: () => Uint8Array, seed = 1): Generator<Uint8Array> {
  yield* flood(seed, [
    (random) => random.bytes(STREAM_CHUNK_BYTES),
    () => Uint8Array.of(...cut(genuine()), END),
    (random) => Uint8Array.of(END, ...longerThanAllowed(random).fill(0x55), END),
  ]);
}

/** Supposed envelopes, GARBAGE_BYTES in all: random bytes of any length, nothing at all, real ones (`genuine`) cut short, and too long ones. */
export function* garbageEnvelopes(genuine: () => Uint8Array, seed = 1): Generator<Uint8Array> {
  yield* flood(seed, [
    (random) => random.bytes(random.int(ENVELOPE_BYTES_MAX + 1)),
    () => new Uint8Array(0),
    () => cut(genuine()),
    longerThanAllowed,
  ]);
}

function* flood(seed: number, kinds: readonly ((random: Random) => Uint8Array)[]): Generator<Uint8Array> {
  const random = new Random(seed);
  for (let bytes = 0, turn = 0; bytes < GARBAGE_BYTES; turn++) {
    const piece = (kinds[turn % kinds.length] as (random: Random) => Uint8Array)(random);
    bytes += piece.length;
    yield piece;
  }
}

function cut(whole: Uint8Array): Uint8Array {
  return whole.subarray(0, whole.length >> 1);
}

function longerThanAllowed(random: Random): Uint8Array {
  return random.bytes(
    ENVELOPE_BYTES_MAX + 1 + random.int(random.int(4) === 0 ? OVERSIZED_BYTES_MAX : ENVELOPE_BYTES_MAX),
  );
}
