import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type CryptoProvider,
  HKDF_BYTES_MAX,
  requireLength,
  X25519_BYTES,
} from './provider.ts';
import { rsaNode } from './rsa-node.ts';

const AEAD = 'chacha20-poly1305';
const AEAD_OPTIONS = { authTagLength: AEAD_TAG_BYTES } as const;

interface CachedKey {
  /** SHA-256 of the secret that `key` was made of. */
  readonly digest: Uint8Array;
  readonly key: KeyObject;
}

/**
 * Key objects by the array that held the secret: making one costs twice what an X25519 does. An array that was wiped or used again for another
 * secret no longer matches its digest.
 */
const privateKeys = new WeakMap<Uint8Array, CachedKey>();

/** Cryptography by node:crypto, that is OpenSSL: the fast one. */
export const nodeProvider: CryptoProvider = {
  name: 'node',
  rsa: rsaNode,
  sha256,
  hmacSha256: (key, data) => plain(createHmac('sha256', key).update(data).digest()),
  hkdf(salt, ikm, info, length) {
    if (length < 1 || length > HKDF_BYTES_MAX) throw new RangeError(`HKDF gives 1..${HKDF_BYTES_MAX} bytes`);
    return new Uint8Array(hkdfSync('sha256', ikm, salt, info, length));
  },
  x25519(secret, publicKey) {
    requireLength(publicKey, X25519_BYTES, 'an X25519 public key');
    const privateKey = privateKeyOf(secret);
    const peer = createPublicKey({ key: okp(publicKey), format: 'jwk' });
    try {
      return plain(diffieHellman({ privateKey, publicKey: peer }));
    } catch {
      // Both lengths are right: OpenSSL refuses a derivation for one other reason, that its result is all zeros.
      return new Uint8Array(X25519_BYTES);
    }
  },
  x25519PublicKey(secret) {
    const { x } = createPublicKey(privateKeyOf(secret)).export({ format: 'jwk' });
    return plain(Buffer.from(x as string, 'base64url'));
  },
  aeadSeal(key, nonce, aad, plaintext) {
    requireAead(key, nonce);
    const cipher = createCipheriv(AEAD, key, nonce, AEAD_OPTIONS);
    cipher.setAAD(aad, { plaintextLength: plaintext.length });
    const sealed = new Uint8Array(plaintext.length + AEAD_TAG_BYTES);
    sealed.set(cipher.update(plaintext));
    cipher.final();
    sealed.set(cipher.getAuthTag(), plaintext.length);
    return sealed;
  },
  aeadOpen(key, nonce, aad, ciphertext) {
    requireAead(key, nonce);
    const length = ciphertext.length - AEAD_TAG_BYTES;
    if (length < 0) return undefined;
    const decipher = createDecipheriv(AEAD, key, nonce, AEAD_OPTIONS);
    decipher.setAuthTag(ciphertext.subarray(length));
    decipher.setAAD(aad, { plaintextLength: length });
    const plaintext = decipher.update(ciphertext.subarray(0, length));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return plain(plaintext);
  },
  randomBytes: (length) => plain(randomBytes(length)),
};

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return plain(hash.digest());
}

function requireAead(key: Uint8Array, nonce: Uint8Array): void {
  requireLength(key, AEAD_KEY_BYTES, 'an AEAD key');
  requireLength(nonce, AEAD_NONCE_BYTES, 'an AEAD nonce');
}

function privateKeyOf(secret: Uint8Array): KeyObject {
  requireLength(secret, X25519_BYTES, 'an X25519 secret');
  const digest = sha256(secret);
  const cached = privateKeys.get(secret);
  if (cached && timingSafeEqual(cached.digest, digest)) return cached.key;
  // JWK (RFC 8037) loads eight times as fast as PKCS#8. Its `x` has to be there; it is derived from `d` anew.
  const key = createPrivateKey({ key: { ...okp(new Uint8Array(X25519_BYTES)), d: base64url(secret) }, format: 'jwk' });
  privateKeys.set(secret, { digest, key });
  return key;
}

function okp(publicKey: Uint8Array): { kty: string; crv: string; x: string } {
  return { kty: 'OKP', crv: 'X25519', x: base64url(publicKey) };
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/** The same memory as a plain array: a Buffer is another class, whose `slice` shares memory. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
