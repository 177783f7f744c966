import { type ScryptOptions, scrypt } from 'node:crypto';
import { fromHex, toHex } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, type CryptoProvider, wipe } from './provider.ts';

/**
 * The recovery file: a network's secrets under a passphrase. JSON; the key is scrypt (RFC 7914) of the passphrase, the secrets are sealed with
 * ChaCha20-Poly1305, everything else in the file is their associated data. `checksum` tells a damaged file from a wrong passphrase.
 */
const FORMAT = 'wattmesh-recovery';
const VERSION = 1;
const SALT_BYTES = 16;
export const PASSPHRASE_CHARS_MIN = 12;
export const RECOVERY_CHARS_MAX = 64 * 1024;

/** 64 MiB and about half a second on a small computer. */
const COST = { n: 2 ** 16, r: 8, p: 2 } as const;
/** What a file may ask for: a file that was made to hurt must not take all memory. */
const COST_N_MIN = 2 ** 14;
const COST_N_MAX = 2 ** 18;
const COST_P_MAX = 4;

/** What the file keeps; the values are secret, the network id is not. */
export interface Recovery {
  readonly network: string;
  /** By name: the exported identity, the store key in hex, and so on. */
  readonly secrets: Readonly<Record<string, string>>;
}

interface Header {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly network: string;
  /** ISO 8601, UTC. */
  readonly created: string;
  readonly kdf: {
    readonly name: 'scrypt';
    readonly n: number;
    readonly r: number;
    readonly p: number;
    readonly salt: string;
  };
  readonly cipher: 'chacha20-poly1305';
  readonly nonce: string;
}

type RecoveryFile = Header & { readonly data: string; readonly checksum: string };

/** Text of a recovery file; `badConfig` for a passphrase shorter than 12 characters. `nowMs`: UTC. */
export async function writeRecovery(
  provider: CryptoProvider,
  { network, secrets }: Recovery,
  passphrase: string,
  nowMs: number,
): Promise<string> {
  if ([...passphrase].length < PASSPHRASE_CHARS_MIN) {
    throw new WattmeshError(
      'badConfig',
      `the passphrase is too short: use at least ${PASSPHRASE_CHARS_MIN} characters`,
    );
  }
  const header: Header = {
    format: FORMAT,
    version: VERSION,
    network,
    created: new Date(nowMs).toISOString(),
    kdf: { name: 'scrypt', ...COST, salt: toHex(provider.randomBytes(SALT_BYTES)) },
    cipher: 'chacha20-poly1305',
    nonce: toHex(provider.randomBytes(AEAD_NONCE_BYTES)),
  };
  const key = await keyOf(passphrase, header);
  const plaintext = new TextEncoder().encode(JSON.stringify(secrets));
  const sealed = provider.aeadSeal(key, fromHex(header.nonce), aadOf(header), plaintext);
  wipe(key, plaintext);
  const data = Buffer.from(sealed).toString('base64');
  return `${JSON.stringify({ ...header, data, checksum: checksumOf(provider, header, data) }, undefined, 2)}\n`;
}

/**
 * What a recovery file keeps. `badField`: not a recovery file; `badVersion`: of a later version; `badCrc`: damaged; `badTag`: the passphrase is
 * wrong.
 */
export async function readRecovery(provider: CryptoProvider, text: string, passphrase: string): Promise<Recovery> {
  const { data, checksum, ...header } = parsed(text);
  if (checksumOf(provider, header, data) !== checksum) {
    throw new WattmeshError('badCrc', 'the recovery file is damaged: use another copy of it');
  }
  const key = await keyOf(passphrase, header);
  const plaintext = provider.aeadOpen(key, fromHex(header.nonce), aadOf(header), Buffer.from(data, 'base64'));
  wipe(key);
  if (!plaintext) {
    throw new WattmeshError(
      'badTag',
      `the passphrase is not the one of this recovery file of ${header.created.slice(0, 10)}`,
    );
  }
  const secrets = JSON.parse(new TextDecoder().decode(plaintext)) as Recovery['secrets'];
  wipe(plaintext);
  return { network: header.network, secrets };
}

/** Off the main thread. Passphrases are compared as people read them (NFKC). */
function keyOf(passphrase: string, { kdf: { n, r, p, salt } }: Header): Promise<Uint8Array> {
  const options: ScryptOptions = { N: n, r, p, maxmem: 2 * 128 * n * r };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), fromHex(salt), AEAD_KEY_BYTES, options, (error, key) => {
      if (error) reject(error);
      else resolve(new Uint8Array(key.buffer, key.byteOffset, key.length));
    });
  });
}

/** The header in one order of fields, whatever editor has touched the file. */
function aadOf({ format, version, network, created, kdf: { name, n, r, p, salt }, cipher, nonce }: Header): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify([format, version, network, created, name, n, r, p, salt, cipher, nonce]),
  );
}

function checksumOf(provider: CryptoProvider, header: Header, data: string): string {
  return toHex(provider.sha256(aadOf(header), new TextEncoder().encode(data)));
}

function parsed(text: string): RecoveryFile {
  const file = json(text);
  if (file?.format !== FORMAT) {
    throw new WattmeshError(
      'badField',
      'this is no recovery file of Wattmesh: choose the file that was saved by its dialog',
    );
  }
  if (file.version !== VERSION) {
    throw new WattmeshError('badVersion', `this recovery file is not of version ${VERSION}: update this package`);
  }
  if (isHeader(file) && typeof file.data === 'string' && /^[0-9a-f]{64}$/.test(String(file.checksum))) {
    return file as unknown as RecoveryFile;
  }
  throw new WattmeshError(
    'badCrc',
    'the recovery file is damaged, a part of it is missing or changed: use another copy of it',
  );
}

function json(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text.length > RECOVERY_CHARS_MAX) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isHeader({ network, created, kdf, cipher, nonce }: Readonly<Record<string, unknown>>): boolean {
  if (typeof kdf !== 'object' || kdf === null) return false;
  const { name, n, r, p, salt } = kdf as Readonly<Record<string, unknown>>;
  return (
    typeof network === 'string' &&
    typeof created === 'string' &&
    cipher === 'chacha20-poly1305' &&
    isHex(nonce, AEAD_NONCE_BYTES) &&
    name === 'scrypt' &&
    isCost(n, r, p) &&
    isHex(salt, SALT_BYTES)
  );
}

function isCost(n: unknown, r: unknown, p: unknown): boolean {
  if (typeof n !== 'number' || typeof p !== 'number') return false;
  const isPower = Number.isInteger(Math.log2(n));
  return (
    isPower && n >= COST_N_MIN && n <= COST_N_MAX && r === COST.r && Number.isInteger(p) && p >= 1 && p <= COST_P_MAX
  );
}

function isHex(value: unknown, length: number): boolean {
  return typeof value === 'string' && new RegExp(`^[0-9a-f]{${length * 2}}$`).test(value);
}
