import { equalBytes } from './bytes.ts';
import { WattmeshError } from './errors.ts';
import { Keyring } from './keyring.ts';
import { chooseProvider } from './security/choose-provider.ts';
import type { HeadEndIdentity } from './security/identity.ts';
import type { CryptoProvider } from './security/provider.ts';
import { StoreKey } from './security/store-key.ts';

const RANDOM_CHECK_BYTES = 16;

/** A network's secrets as its owner keeps them. Without an identity only suite 0x00 is left. */
export interface Credentials {
  /** The head-end's keys. */
  readonly identity?: HeadEndIdentity;
  /** 32 bytes, under which the store's secrets are sealed; goes with the identity. */
  readonly storeKey?: Uint8Array;
  /** Who computes; default: the faster one that works on this machine. */
  readonly provider?: CryptoProvider;
  random(length: number): Uint8Array;
}

/** What the head-end works with. */
export interface NetworkKeys {
  readonly keyring: Keyring;
  readonly keys: { readonly identity: HeadEndIdentity; readonly provider: CryptoProvider } | undefined;
  /** Why a faster provider was passed over. */
  readonly warning: string | undefined;
}

/** `badConfig` for an identity without its store key, or a random generator that is stuck; `noDriver` when no cryptography works here. */
export async function loadKeys(credentials: Credentials): Promise<NetworkKeys> {
  const { identity, storeKey, random } = credentials;
  if (!identity && !storeKey) return { keyring: new Keyring(undefined), keys: undefined, warning: undefined };
  if (!storeKey) {
    throw new WattmeshError(
      'badConfig',
      'the store key is missing: restore it with the identity from a backup of the credentials',
    );
  }
  if (equalBytes(random(RANDOM_CHECK_BYTES), random(RANDOM_CHECK_BYTES))) {
    throw new WattmeshError('badConfig', "this machine's random generator is stuck: keys would be the same every time");
  }
  const { provider, warning } = credentials.provider
    ? { provider: credentials.provider, warning: undefined }
    : await chooseProvider();
  const keyring = new Keyring(new StoreKey(provider, storeKey));
  return { keyring, keys: identity && { identity, provider }, warning };
}
