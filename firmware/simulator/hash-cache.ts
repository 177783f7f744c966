import { hash } from 'node:crypto';

/** Inputs remembered. */
const ENTRIES = 1024;
/** Longer inputs are not: the MAC of a frame hashes 64 bytes of key, the addresses and the frame. */
const INPUT_BYTES_MAX = 384;

interface Entry {
  readonly input: Buffer;
  length: number;
  digest: Uint8Array;
}

/**
 * SHA-256 that remembers. All receivers of a frame compute the HMAC that its sender computed, over the same bytes, and what was computed
 * a moment ago need not be computed again. The result is the same with and without it.
 */
export class HashCache {
  /** Results that were remembered, and that were computed. */
  hits = 0;
  misses = 0;
  readonly #entries: (Entry | undefined)[] = new Array<Entry | undefined>(ENTRIES).fill(undefined);

  /** SHA-256 (FIPS 180-4), 32 bytes, not to be changed. */
  sha256(data: Uint8Array): Uint8Array {
    const { length } = data;
    if (length > INPUT_BYTES_MAX || length < 4) return hash('sha256', data, 'buffer');
    const place = placeOf(data);
    const known = this.#entries[place];
    if (known?.length === length && known.input.compare(data, 0, length, 0, length) === 0) {
      this.hits++;
      return known.digest;
    }
    this.misses++;
    const digest = hash('sha256', data, 'buffer');
    const entry = known ?? { input: Buffer.alloc(INPUT_BYTES_MAX), length, digest };
    entry.input.set(data);
    entry.length = length;
    entry.digest = digest;
    this.#entries[place] = entry;
    return digest;
  }
}

/** Where an input is remembered: its last bytes differ most, be they those of a digest, of a counter or of a cipher text. */
function placeOf(data: Uint8Array): number {
  const { length } = data;
  const last = ((data[length - 1] as number) << 8) ^ (data[length - 2] as number);
  const before = ((data[length - 3] as number) << 4) ^ (data[length - 4] as number);
  return (last ^ before ^ (length << 3)) & (ENTRIES - 1);
}
