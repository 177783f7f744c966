import { WattmeshError } from './errors.ts';
import { Keyring } from './keyring.ts';
import { chooseProvider } from './security/choose-provider.ts';
import type { HeadEndIdentity } from './security/identity.ts';
import type { CryptoProvider } from './security/provider.ts';
import { watchedRandom } from './security/random-watch.ts';
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

/**
 * What credentials come to; their `random` is one under watch. `badConfig` for an identity without its store key, `randomStuck` for a generator
 * that gives the same again and again, `noDriver` when no cryptography works here.
 */
export async function loadKeys(credentials: Credentials): Promise<NetworkKeys> {
  const { identity, storeKey, random } = credentials;
  if (!identity && !storeKey) return { keyring: new Keyring(undefined), keys: undefined, warning: undefined };
  if (!storeKey) {
    throw new WattmeshError(
      'badConfig',
      'the store key is missing: restore it with the identity from the recovery file',
    );
  }
  const { provider: chosen, warning } = credentials.provider
    ? { provider: credentials.provider, warning: undefined }
    : await chooseProvider();
  const provider = { ...chosen, randomBytes: watchedRandom(chosen.randomBytes) };
  for (const draw of [random, random, provider.randomBytes, provider.randomBytes]) draw(RANDOM_CHECK_BYTES);
  const keyring = new Keyring(new StoreKey(provider, storeKey), identity?.staticKey.publicKey);
  return { keyring, keys: identity && { identity, provider }, warning };
}
