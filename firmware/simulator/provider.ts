import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { HashCache } from './hash-cache.ts';

/**
 * The cryptographic functions that the firmware imports, but for its random numbers: those come from the scenario's seed. They are the
 * head-end's own, so that every run is a test of the firmware's cryptography against the head-end's.
 */
export const { x25519, aeadSeal, aeadOpen } = nodeProvider;

const HASH_BYTES = 32;

const hashes = new HashCache();

/** SHA-256 (FIPS 180-4), 32 bytes, not to be changed. Every frame needs several, and its receivers those of its sender. */
export function sha256(data: Uint8Array): Uint8Array {
  return hashes.sha256(data);
}

/**
 * RSAES-OAEP with SHA-256 (RFC 8017, section 7.1.1) to the key of a big-endian `modulus` and exponent 65537. The seed of 32 bytes is the
 * caller's, so that a run can be repeated; OpenSSL would draw its own.
 */
export function rsaOaepEncrypt(
  modulus: Uint8Array,
  label: Uint8Array,
  message: Uint8Array,
  seed: Uint8Array,
): Uint8Array {
  const dataBlock = new Uint8Array(modulus.length - HASH_BYTES - 1);
  dataBlock.set(sha256(label));
  dataBlock[dataBlock.length - message.length - 1] = 1;
  dataBlock.set(message, dataBlock.length - message.length);
  const maskedBlock = xor(dataBlock, mgf1(seed, dataBlock.length));
  const maskedSeed = xor(seed, mgf1(maskedBlock, HASH_BYTES));
  const n = Buffer.from(modulus).toString('base64url');
  const key = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' });
  const encoded = Buffer.concat([Uint8Array.of(0), maskedSeed, maskedBlock]);
  return publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
}

/** Mask generation function of RFC 8017, appendix B.2.1, over SHA-256. */
function mgf1(seed: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let counter = 0; counter * HASH_BYTES < length; counter++) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(counter);
    blocks.push(sha256(Buffer.concat([seed, number])));
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte ^ (b[index] as number));
}
