import { fromHex } from '../headend/bytes.ts';
import { WattmeshError } from '../headend/errors.ts';
import { NETWORK_KEY_BYTES } from '../headend/frame/fields.ts';
import type { HeadEndOptions } from '../headend/options.ts';
import { chooseProvider } from '../headend/security/choose-provider.ts';
import { importIdentity } from '../headend/security/identity.ts';
import { STORE_KEY_BYTES } from '../headend/security/store-key.ts';

/** Longest text of an identity, with an RSA key in it. */
export const IDENTITY_CHARS_MAX = 8_192;
/** Id of the network key in the credentials; keys that follow it by rotation are in the store only. */
const FIRST_KEY_ID = 1;

/** Kept in Node-RED's credentials, never in the flow. */
export interface NetworkCredentials {
  /** Hexadecimal digits. */
  networkKey?: string;
  /** As `exportIdentity` writes it. */
  identity?: string;
  /** Hexadecimal digits. */
  storeKey?: string;
  user?: string;
  password?: string;
}

/** The secrets of a real network, all there; `identity` is still to be read. */
export interface NetworkSecrets {
  readonly networkKey: string;
  readonly identity: string;
  readonly storeKey: string;
}

/** What each secret is called in messages. */
const NAMES = { networkKey: 'network key', identity: 'identity', storeKey: 'store key' } as const;

/**
 * The secrets among credentials. `noNetworkKey` without a network key, `noKey` when others are missing, `badConfig` for one that cannot be
 * right. Nothing of a secret stands in a message.
 */
export function readSecrets(credentials: NetworkCredentials): NetworkSecrets {
  const { networkKey, identity, storeKey } = credentials;
  if (!networkKey || !identity || !storeKey) throw missing(credentials);
  requireHex('networkKey', networkKey, NETWORK_KEY_BYTES);
  requireHex('storeKey', storeKey, STORE_KEY_BYTES);
  if (identity.length > IDENTITY_CHARS_MAX) {
    throw bad(`the identity is not usable: it has more than ${IDENTITY_CHARS_MAX} characters`);
  }
  return { networkKey, identity, storeKey };
}

/** The network key alone, for networks without an identity; errors as those of `readSecrets`. */
export function readNetworkKey({ networkKey }: NetworkCredentials): string {
  if (!networkKey) {
    throw new WattmeshError(
      'noNetworkKey',
      'this network has no network key, for example because it was imported: open it and paste the key that its devices have, or make a new one',
    );
  }
  requireHex('networkKey', networkKey, NETWORK_KEY_BYTES);
  return networkKey;
}

/** What a head-end takes of the secrets. Rejects with `badConfig` for an identity that is damaged, `noDriver` when no cryptography works here. */
export async function headEndSecrets({
  networkKey,
  identity,
  storeKey,
}: NetworkSecrets): Promise<Required<Pick<HeadEndOptions, 'identity' | 'storeKey' | 'networkKey'>>> {
  const { provider } = await chooseProvider();
  return {
    identity: importIdentity(provider, identity),
    storeKey: fromHex(storeKey),
    networkKey: { keyId: FIRST_KEY_ID, key: fromHex(networkKey) },
  };
}

function missing(credentials: NetworkCredentials): WattmeshError {
  const absent = (['networkKey', 'identity', 'storeKey'] as const).filter((name) => !credentials[name]);
  const names = absent.map((name) => NAMES[name]).join(' and no ');
  return new WattmeshError(
    absent.includes('networkKey') ? 'noNetworkKey' : 'noKey',
    `this network has no ${names}, for example because it was imported: open it and restore its keys from the recovery file, or make new ones, for which every device must join anew`,
  );
}

function requireHex(name: 'networkKey' | 'storeKey', value: string, bytes: number): void {
  if (new RegExp(`^[0-9a-f]{${2 * bytes}}$`, 'i').test(value)) return;
  throw bad(`the ${NAMES[name]} is not usable: it must be ${2 * bytes} hexadecimal digits`);
}

function bad(message: string): WattmeshError {
  return new WattmeshError('badConfig', message);
}
