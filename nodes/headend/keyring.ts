import { fromHex, toHex } from './bytes.ts';
import { WattmeshError } from './errors.ts';
import { decodeRing, encodeRing, type NetworkKeyRing } from './security/network-keys.ts';
import { AEAD_KEY_BYTES } from './security/provider.ts';
import type { StoreKey } from './security/store-key.ts';
import type { SessionKeys } from './security/suite.ts';
import type { SecretRecord, SessionRecord } from './store/store.ts';

const NETWORK_KEYS = 'network keys';
const PSK_PREFIX = 'psk/';

/** Names of entries in the key table. */
export function pskName(deviceKey: string): string {
  return `${PSK_PREFIX}${deviceKey}`;
}

/** Seals what is secret before it goes into the store, and opens what comes out of it. */
export class Keyring {
  readonly #storeKey: StoreKey | undefined;

  /** Without a store key there is nothing to seal; what is sealed already is an error then. */
  constructor(storeKey: StoreKey | undefined) {
    this.#storeKey = storeKey;
  }

  /** Keys of a session for its record. A session keeps its handshake for life while its slot changes. */
  sealSession(key: string, handshakeHash: string, { up, down }: SessionKeys): string {
    return toHex(this.#required().seal(sessionRow(key, handshakeHash), Buffer.concat([up, down])));
  }

  /** The keys of a stored session; undefined when it has none. */
  openSession({ key, handshakeHash, sealedKeys }: SessionRecord): SessionKeys | undefined {
    if (sealedKeys === '') return undefined;
    const keys = this.#required().open(sessionRow(key, handshakeHash), fromHex(sealedKeys));
    return { up: keys.slice(0, AEAD_KEY_BYTES), down: keys.slice(AEAD_KEY_BYTES) };
  }

  sealPsk(deviceKey: string, psk: Uint8Array): SecretRecord {
    return this.#seal(pskName(deviceKey), psk);
  }

  sealRing(ring: NetworkKeyRing): SecretRecord {
    return this.#seal(NETWORK_KEYS, encodeRing(ring));
  }

  /** All secrets of a store: PSKs by device key, and the network's keys if it has any. */
  openAll(secrets: readonly SecretRecord[]): { psks: Map<string, Uint8Array>; ring: NetworkKeyRing | undefined } {
    const psks = new Map<string, Uint8Array>();
    let ring: NetworkKeyRing | undefined;
    for (const { name, sealed } of secrets) {
      const secret = this.#required().open(name, fromHex(sealed));
      if (name === NETWORK_KEYS) ring = decodeRing(secret);
      else if (name.startsWith(PSK_PREFIX)) psks.set(name.slice(PSK_PREFIX.length), secret);
    }
    return { psks, ring };
  }

  #seal(name: string, secret: Uint8Array): SecretRecord {
    return { name, sealed: toHex(this.#required().seal(name, secret)) };
  }

  #required(): StoreKey {
    if (this.#storeKey) return this.#storeKey;
    throw new WattmeshError(
      'noKey',
      'the store key is missing: restore the credentials of this network from a backup of the credentials',
    );
  }
}

function sessionRow(key: string, handshakeHash: string): string {
  return `session/${key}/${handshakeHash}`;
}
