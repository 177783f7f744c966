import { checkPrimeSync, createPrivateKey, createPublicKey } from 'node:crypto';
import type { RsaKeyPair } from '../../nodes/headend/security/provider.ts';
import type { Random } from './random.ts';

const PRIME_BYTES = 128;
const EXPONENT = 65_537n;

/**
 * An RSA key of 2048 bits whose primes come from a seeded source, so that a run can be repeated: node:crypto would draw its own. For simulated
 * meshes only, since whoever knows the seed knows the key.
 */
export function rsaKeyFrom(random: Random): RsaKeyPair {
  const p = primeFrom(random);
  const q = primeFrom(random);
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
  const parts = { n: p * q, e: EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const jwk = Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, base64url(value)]));
  const key = createPrivateKey({ key: { kty: 'RSA', ...jwk }, format: 'jwk' });
  return {
    privateKeyPem: key.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicKeyPem: createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string,
  };
}

/** Modulus of a public key, big-endian. */
export function modulusOf({ publicKeyPem }: RsaKeyPair): Uint8Array {
  const { n = '' } = createPublicKey(publicKeyPem).export({ format: 'jwk' });
  return new Uint8Array(Buffer.from(n, 'base64url'));
}

/** A prime with both top bits set, so that a product of two has 2048 bits, for which the exponent has an inverse. */
function primeFrom(random: Random): bigint {
  for (;;) {
    const bytes = random.bytes(PRIME_BYTES);
    bytes[0] = (bytes[0] as number) | 0xc0;
    bytes[PRIME_BYTES - 1] = (bytes[PRIME_BYTES - 1] as number) | 1;
    const candidate = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
    if (candidate % EXPONENT !== 1n && checkPrimeSync(candidate)) return candidate;
  }
}

/** The number whose product with `value` is 1 modulo `modulus`: extended Euclid. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [rest, next] = [modulus, value % modulus];
  let [factor, nextFactor] = [0n, 1n];
  while (next > 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest - quotient * next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return factor < 0n ? factor + modulus : factor;
}

function base64url(value: bigint): string {
  const digits = value.toString(16);
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex').toString('base64url');
}
