import { WattmeshError } from '../errors.ts';
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type CryptoProvider,
  HASH_BYTES,
  requireLength,
} from './provider.ts';

const VERSION = 1;
const OVERHEAD_BYTES = 1 + AEAD_NONCE_BYTES + AEAD_TAG_BYTES;
const AAD_PREFIX = 'wattmesh store';
const NONCE_LABEL = 'wattmesh store nonce';
const NONCE_RANDOM_BYTES = 32;

export const STORE_KEY_BYTES = AEAD_KEY_BYTES;

/**
 * Secrets in the store, sealed under the store key: whoever copies the database alone gets none of them. A sealed entry is version 1 ‖ nonce 12 ‖
 * ciphertext ‖ tag 16; its associated data is "wattmesh store" ‖ 0x00 ‖ the row's identity, so that an entry moved to another row does not open.
 * Nonces are the first 12 bytes of HMAC-SHA256 over 32 random bytes, the row and the plaintext, under a key of their own: as good as random ones,
 * and where the random generator is stuck still no nonce for two contents. A store key is good for 2^32 entries (NIST SP 800-38D, section 8.3, has
 * the reckoning for 96 bits).
 */
export class StoreKey {
  readonly #provider: CryptoProvider;
  readonly #key: Uint8Array;
  readonly #nonceKey: Uint8Array;

  /** `key`: 32 bytes, of the network's credentials. */
  constructor(provider: CryptoProvider, key: Uint8Array) {
    requireLength(key, STORE_KEY_BYTES, 'the store key');
    this.#provider = provider;
    this.#key = key.slice();
    this.#nonceKey = provider.hkdf(new Uint8Array(0), key, new TextEncoder().encode(NONCE_LABEL), HASH_BYTES);
  }

  /** Seals what belongs to one row; `row` must name it alone among all tables and never change. */
  seal(row: string, plaintext: Uint8Array): Uint8Array {
    const aad = aadOf(row);
    const random = this.#provider.randomBytes(NONCE_RANDOM_BYTES);
    // The row's name ends before the plaintext begins: its length says where.
    const content = Buffer.concat([random, Uint8Array.of(aad.length >> 8, aad.length & 0xff), aad, plaintext]);
    const nonce = this.#provider.hmacSha256(this.#nonceKey, content).slice(0, AEAD_NONCE_BYTES);
    const sealed = this.#provider.aeadSeal(this.#key, nonce, aad, plaintext);
    return new Uint8Array(Buffer.concat([Uint8Array.of(VERSION), nonce, sealed]));
  }

  /** What `seal` was given for this row; `badVersion`, `truncated`, or `badTag` for another store key, another row or damage. */
  open(row: string, entry: Uint8Array): Uint8Array {
    if (entry.length < OVERHEAD_BYTES) throw new WattmeshError('truncated', `the stored key of ${row} is incomplete`);
    if (entry[0] !== VERSION) {
      throw new WattmeshError('badVersion', `the stored key of ${row} is of a later version: update this package`);
    }
    const nonce = entry.subarray(1, 1 + AEAD_NONCE_BYTES);
    const plaintext = this.#provider.aeadOpen(this.#key, nonce, aadOf(row), entry.subarray(1 + AEAD_NONCE_BYTES));
    if (plaintext) return plaintext;
    throw new WattmeshError(
      'badTag',
      `the stored key of ${row} does not open: this store belongs to other credentials: restore them from the recovery file, or choose another store file`,
    );
  }
}

function aadOf(row: string): Uint8Array {
  return new TextEncoder().encode(`${AAD_PREFIX}\0${row}`);
}
