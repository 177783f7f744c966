import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto';
import { promisify } from 'node:util';
import { WattmeshError } from '../errors.ts';
import type { RsaProvider } from './provider.ts';

export const RSA_BITS = 2048;
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const;

const generate = promisify(generateKeyPair);
/** The key used last: a head-end has one, and reading it costs more than a decryption of a small message. */
let loaded: { readonly pem: string; readonly key: KeyObject } | undefined;

/** RSA by node:crypto, whose OAEP runs in constant time; no other provider here has RSA. */
export const rsaNode: RsaProvider = {
  async generateRsaKeyPair() {
    const { privateKey, publicKey } = await generate('rsa', {
      modulusLength: RSA_BITS,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    return { privateKeyPem: privateKey, publicKeyPem: publicKey };
  },
  rsaPublicKey: (privateKeyPem) =>
    createPublicKey(privateKeyOf(privateKeyPem)).export({ type: 'spki', format: 'pem' }) as string,
  oaepEncrypt(publicKeyPem, plaintext, label) {
    return new Uint8Array(publicEncrypt({ ...OAEP, key: publicKeyPem, oaepLabel: Buffer.from(label) }, plaintext));
  },
  oaepDecrypt(privateKeyPem, ciphertext, label) {
    const key = privateKeyOf(privateKeyPem);
    try {
      return new Uint8Array(privateDecrypt({ ...OAEP, key, oaepLabel: Buffer.from(label) }, ciphertext));
    } catch {
      return undefined;
    }
  },
};

function privateKeyOf(pem: string): KeyObject {
  if (loaded?.pem === pem) return loaded.key;
  const key = parsed(pem);
  if (key?.asymmetricKeyType !== 'rsa' || key.asymmetricKeyDetails?.modulusLength !== RSA_BITS) {
    throw new WattmeshError(
      'badConfig',
      `the RSA key is not a private key of ${RSA_BITS} bits in PEM: restore it from the recovery file, or make a new one`,
    );
  }
  loaded = { pem, key };
  return key;
}

/** Undefined for text that is no private key; OpenSSL's own error could quote it. */
function parsed(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
