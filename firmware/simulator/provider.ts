import { createPrivateKey, createPublicKey, diffieHellman, hash } from 'node:crypto';

/** The cryptographic functions that the firmware imports, but for its random numbers: those come from the scenario's seed. */

/** RFC 8410, section 7 and 4: DER of an X25519 key up to its 32 bytes. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** SHA-256 (FIPS 180-4), 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  return hash('sha256', data, 'buffer');
}

/**
 * X25519 of a scalar and a point of 32 bytes each (RFC 7748, section 5). For a point of small order the result is all zeros, as the
 * RFC's function gives it: the firmware makes its own check.
 */
export function x25519(scalar: Uint8Array, point: Uint8Array): Uint8Array {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, scalar]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, point]), format: 'der', type: 'spki' });
  try {
    return diffieHellman({ privateKey, publicKey });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_OSSL_FAILED_DURING_DERIVATION') return new Uint8Array(32);
    throw error;
  }
}
