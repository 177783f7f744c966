/** Lengths in bytes: X25519 keys and results (RFC 7748), SHA-256 (FIPS 180-4), ChaCha20-Poly1305 (RFC 8439). */
export const X25519_BYTES = 32;
export const HASH_BYTES = 32;
export const AEAD_KEY_BYTES = 32;
export const AEAD_NONCE_BYTES = 12;
export const AEAD_TAG_BYTES = 16;
/** HKDF gives at most 255 blocks (RFC 5869, section 2.3). */
export const HKDF_BYTES_MAX = 255 * HASH_BYTES;

/** An RSA key pair of 2048 bits: PKCS#8 and SPKI, PEM. */
export interface RsaKeyPair {
  readonly privateKeyPem: string;
  readonly publicKeyPem: string;
}

/** RSAES-OAEP with SHA-256 for the hash and for MGF1 (RFC 8017, section 7.1), keys of 2048 bits. */
export interface RsaProvider {
  /** A new key pair; takes some 100 ms off the main thread. */
  generateRsaKeyPair(): Promise<RsaKeyPair>;
  /** The public half of a private key; throws `badConfig` for anything but an RSA key of 2048 bits. */
  rsaPublicKey(privateKeyPem: string): string;
  oaepEncrypt(publicKeyPem: string, plaintext: Uint8Array, label: Uint8Array): Uint8Array;
  /** Undefined for every ciphertext that is not one of this key and label, whatever is wrong with it. */
  oaepDecrypt(privateKeyPem: string, ciphertext: Uint8Array, label: Uint8Array): Uint8Array | undefined;
}

/**
 * The primitives that everything else in `security/` is made of. Results are plain byte arrays of their own. A key or nonce of a wrong length is
 * a programmer's error: RangeError.
 */
export interface CryptoProvider {
  readonly name: 'node' | 'noble';
  /** SHA-256 of the parts one after the other, 32 bytes. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC-SHA256 (RFC 2104), 32 bytes. */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** HKDF-SHA256 (RFC 5869); `length` 1..HKDF_BYTES_MAX. */
  hkdf(salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /**
   * X25519 (RFC 7748, section 5). A public key of small order gives 32 zeros and no error, with every provider alike: whoever uses the result
   * calls `isAllZero` first.
   */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array;
  /** The public key of a secret of 32 arbitrary bytes. */
  x25519PublicKey(secret: Uint8Array): Uint8Array;
  /** ChaCha20-Poly1305: ciphertext ‖ tag 16. */
  aeadSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** The plaintext of ciphertext ‖ tag; undefined when the tag does not verify or is not there. */
  aeadOpen(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
  /** Bytes of the system's generator. */
  randomBytes(length: number): Uint8Array;
  /** Absent where RSA cannot be had: suite 0x10 is refused then. */
  readonly rsa?: RsaProvider;
}

/** RangeError unless `bytes` has `length` bytes. */
export function requireLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new RangeError(`${what} has ${bytes.length} bytes instead of ${length}`);
}

/** True for zeros only, in a time that depends on the length alone (RFC 7748, section 6.1). */
export function isAllZero(bytes: Uint8Array): boolean {
  let bits = 0;
  for (const byte of bytes) bits |= byte;
  return bits === 0;
}

/** Overwrites key material. It reaches these arrays only: what the engine has copied elsewhere is beyond JavaScript. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}
