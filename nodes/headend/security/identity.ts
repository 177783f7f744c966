import { equalBytes, fromHex, toHex } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import { type KeyPair, keyPairOf } from './noise.ts';
import { type CryptoProvider, type RsaKeyPair, type RsaProvider, X25519_BYTES } from './provider.ts';

const FORMAT = 'wattmesh-identity';
const VERSION = 1;
const RSA_CHECK_BYTES = 32;

/** The head-end's keys: devices know the public halves. */
export interface HeadEndIdentity {
  readonly staticKey: KeyPair;
  /** For suite 0x10; most networks have none. */
  readonly rsa?: RsaKeyPair;
}

/** A new identity without an RSA key. Only for a network that has never had one: every device knows the key of its head-end. */
export function createIdentity(provider: CryptoProvider): HeadEndIdentity {
  return { staticKey: keyPairOf(provider) };
}

/** The same identity with a new RSA key; `suiteRefused` where there is no RSA. */
export async function withNewRsaKey(identity: HeadEndIdentity, provider: CryptoProvider): Promise<HeadEndIdentity> {
  return { ...identity, rsa: await rsaOf(provider).generateRsaKeyPair() };
}

/** The identity as text, with all its secrets: for credentials and their backups only. */
export function exportIdentity({ staticKey, rsa }: HeadEndIdentity): string {
  return JSON.stringify({
    format: FORMAT,
    version: VERSION,
    secret: toHex(staticKey.secret),
    publicKey: toHex(staticKey.publicKey),
    ...(rsa ? { rsa: rsa.privateKeyPem } : {}),
  });
}

/** The identity of an exported text; `badConfig` for anything else, also for halves that do not belong together. It quotes nothing of the text. */
export function importIdentity(provider: CryptoProvider, text: string): HeadEndIdentity {
  const fields = parsed(text);
  if (fields.format !== FORMAT) throw damaged('it is no identity');
  if (fields.version !== VERSION) throw damaged(`its version is not ${VERSION}: update this package`);
  const secret = keyField(fields.secret);
  const staticKey = keyPairOf(provider, secret);
  if (!equalBytes(staticKey.publicKey, keyField(fields.publicKey)))
    throw damaged('its two halves do not belong together');
  if (fields.rsa === undefined) return { staticKey };
  if (typeof fields.rsa !== 'string') throw damaged('its RSA key is no text');
  return { staticKey, rsa: checkedRsa(rsaOf(provider), provider, fields.rsa) };
}

/** The key pair of a private RSA key that decrypts what was encrypted for it. */
function checkedRsa(rsa: RsaProvider, provider: CryptoProvider, privateKeyPem: string): RsaKeyPair {
  const publicKeyPem = rsa.rsaPublicKey(privateKeyPem);
  const sample = provider.randomBytes(RSA_CHECK_BYTES);
  const label = new Uint8Array(0);
  const decrypts = (): boolean => {
    try {
      const decrypted = rsa.oaepDecrypt(privateKeyPem, rsa.oaepEncrypt(publicKeyPem, sample, label), label);
      return decrypted !== undefined && equalBytes(decrypted, sample);
    } catch {
      // With numbers that make no RSA key, as an even modulus, OpenSSL fails with errors of its own.
      return false;
    }
  };
  if (!decrypts()) throw damaged('its RSA key does not decrypt');
  return { privateKeyPem, publicKeyPem };
}

function rsaOf({ rsa, name }: CryptoProvider): RsaProvider {
  if (rsa) return rsa;
  throw new WattmeshError('suiteRefused', `RSA keys cannot be used here: the provider ${name} lacks RSA`);
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message would quote the text.
    throw damaged('it is no JSON');
  }
  if (typeof value !== 'object' || value === null) throw damaged('it is no JSON object');
  return value as Record<string, unknown>;
}

function keyField(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value))
    throw damaged(`a key in it has not ${X25519_BYTES} bytes`);
  return fromHex(value);
}

function damaged(why: string): WattmeshError {
  return new WattmeshError(
    'badConfig',
    `the head-end's identity cannot be read (${why}): restore it from the recovery file`,
  );
}
