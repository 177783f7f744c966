import { equalBytes, fromHex, toHex } from './bytes.ts';
import { WattmeshError } from './errors.ts';
import { decodeRing, encodeRing, type NetworkKeyRing } from './security/network-keys.ts';
import { AEAD_KEY_BYTES } from './security/provider.ts';
import type { StoreKey } from './security/store-key.ts';
import type { SessionKeys } from './security/suite.ts';
import type { SecretRecord, SessionRecord } from './store/store.ts';

const NETWORK_KEYS = 'network keys';
const IDENTITY = 'identity';
const PSK_PREFIX = 'psk/';
const APPROVAL_PREFIX = 'approved/';

/** Names of entries in the key table. */
export function pskName(deviceKey: string): string {
  return `${PSK_PREFIX}${deviceKey}`;
}

export function approvalName(deviceKey: string): string {
  return `${APPROVAL_PREFIX}${deviceKey}`;
}

/** What a store holds under its store key. */
export interface OpenedSecrets {
  /** By device key. */
  readonly psks: Map<string, Uint8Array>;
  readonly ring: NetworkKeyRing | undefined;
  /** The store says whose it is. */
  readonly marked: boolean;
  /** Keys of the devices that were approved under this store key; undefined without one, when nothing can be proven. */
  readonly approvals: ReadonlySet<string> | undefined;
}

/** Seals what is secret before it goes into the store, and opens what comes out of it. */
export class Keyring {
  readonly #storeKey: StoreKey | undefined;
  readonly #headEndKey: Uint8Array | undefined;

  /**
   * Without a store key there is nothing to seal; what is sealed already is an error then. `headEndKey`: the public key of the identity that the
   * store is for.
   */
  constructor(storeKey: StoreKey | undefined, headEndKey?: Uint8Array) {
    this.#storeKey = storeKey;
    this.#headEndKey = headEndKey;
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

  /** Proof that a device was approved by somebody who has the store key; undefined without one. */
  sealApproval(deviceKey: string): SecretRecord | undefined {
    return this.#storeKey && this.#seal(approvalName(deviceKey), new Uint8Array(0));
  }

  sealRing(ring: NetworkKeyRing): SecretRecord {
    return this.#seal(NETWORK_KEYS, encodeRing(ring));
  }

  /** Marks a store as this identity's. */
  sealMark(headEndKey: Uint8Array): SecretRecord {
    return this.#seal(IDENTITY, headEndKey);
  }

  /** All secrets of a store. `badConfig` for the store of another identity: its devices would not know this head-end. */
  openAll(secrets: readonly SecretRecord[]): OpenedSecrets {
    const psks = new Map<string, Uint8Array>();
    const approvals = new Set<string>();
    let ring: NetworkKeyRing | undefined;
    let marked = false;
    for (const { name, sealed } of secrets) {
      const secret = this.#required().open(name, fromHex(sealed));
      if (name === NETWORK_KEYS) ring = decodeRing(secret);
      else if (name.startsWith(PSK_PREFIX)) psks.set(name.slice(PSK_PREFIX.length), secret);
      else if (name.startsWith(APPROVAL_PREFIX)) approvals.add(name.slice(APPROVAL_PREFIX.length));
      else if (name === IDENTITY) {
        this.#requireOwn(secret);
        marked = true;
      }
    }
    return { psks, ring, marked, approvals: this.#storeKey && approvals };
  }

  #requireOwn(headEndKey: Uint8Array): void {
    if (this.#headEndKey && equalBytes(this.#headEndKey, headEndKey)) return;
    throw new WattmeshError(
      'badConfig',
      'this store belongs to a head-end with another identity: restore that one from the recovery file, or choose another store file',
    );
  }

  #seal(name: string, secret: Uint8Array): SecretRecord {
    return { name, sealed: toHex(this.#required().seal(name, secret)) };
  }

  #required(): StoreKey {
    if (this.#storeKey) return this.#storeKey;
    throw new WattmeshError(
      'noKey',
      'the store key is missing: restore the credentials of this network from the recovery file',
    );
  }
}

function sessionRow(key: string, handshakeHash: string): string {
  return `session/${key}/${handshakeHash}`;
}
