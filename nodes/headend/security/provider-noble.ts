import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { randomBytes } from '@noble/hashes/utils.js';
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

/** Cryptography in JavaScript, audited: slower, but there where OpenSSL lacks X25519 or ChaCha20-Poly1305 (as in FIPS mode). RSA stays OpenSSL's. */
export const nobleProvider: CryptoProvider = {
  name: 'noble',
  rsa: rsaNode,
  sha256(...parts) {
    const hash = sha256.create();
    for (const part of parts) hash.update(part);
    return hash.digest();
  },
  hmacSha256: (key, data) => hmac(sha256, key, data),
  hkdf(salt, ikm, info, length) {
    if (length < 1 || length > HKDF_BYTES_MAX) throw new RangeError(`HKDF gives 1..${HKDF_BYTES_MAX} bytes`);
    return hkdf(sha256, ikm, salt, info, length);
  },
  x25519(secret, publicKey) {
    requireLength(secret, X25519_BYTES, 'an X25519 secret');
    requireLength(publicKey, X25519_BYTES, 'an X25519 public key');
    try {
      return x25519.getSharedSecret(secret, publicKey);
    } catch {
      // Both lengths are right: one other thing is refused, a result of all zeros.
      return new Uint8Array(X25519_BYTES);
    }
  },
  x25519PublicKey(secret) {
    requireLength(secret, X25519_BYTES, 'an X25519 secret');
    return x25519.getPublicKey(secret);
  },
  aeadSeal(key, nonce, aad, plaintext) {
    requireAead(key, nonce);
    return chacha20poly1305(key, nonce, aad).encrypt(plaintext);
  },
  aeadOpen(key, nonce, aad, ciphertext) {
    requireAead(key, nonce);
    if (ciphertext.length < AEAD_TAG_BYTES) return undefined;
    try {
      return chacha20poly1305(key, nonce, aad).decrypt(ciphertext);
    } catch {
      // Lengths are right: what is left is a tag that does not verify.
      return undefined;
    }
  },
  randomBytes,
};

function requireAead(key: Uint8Array, nonce: Uint8Array): void {
  requireLength(key, AEAD_KEY_BYTES, 'an AEAD key');
  requireLength(nonce, AEAD_NONCE_BYTES, 'an AEAD nonce');
}
