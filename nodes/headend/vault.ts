import { approvalName, Keyring, pskName } from './keyring.ts';
import type { NetworkKeyRing } from './security/network-keys.ts';
import type { SecretRecord } from './store/store.ts';

/** The secrets of a network in memory, as committed: PSKs by device key, and the network's keys. */
export class Vault {
  #keyring = new Keyring(undefined);
  #psks = new Map<string, Uint8Array>();
  #ring: NetworkKeyRing | undefined;
  #marked = false;
  #approvals: ReadonlySet<string> | undefined;

  get keyring(): Keyring {
    return this.#keyring;
  }

  /** Absent in networks without an identity: suite 0x00 gives no keys away. */
  get ring(): NetworkKeyRing | undefined {
    return this.#ring;
  }

  /** The store said whose it is when it was opened. */
  get marked(): boolean {
    return this.#marked;
  }

  /** Devices that the store proved to be approved when it was opened; undefined where nothing can be proven. */
  get approvals(): ReadonlySet<string> | undefined {
    return this.#approvals;
  }

  /** Opens what is in the store. */
  open(keyring: Keyring, secrets: readonly SecretRecord[]): void {
    const { psks, ring, marked, approvals } = keyring.openAll(secrets);
    this.#keyring = keyring;
    this.#psks = psks;
    this.#ring = ring;
    this.#marked = marked;
    this.#approvals = approvals;
  }

  psk(deviceKey: string): Uint8Array | undefined {
    return this.#psks.get(deviceKey);
  }

  setPsk(deviceKey: string, psk: Uint8Array | undefined): void {
    if (psk) this.#psks.set(deviceKey, psk);
    else this.#psks.delete(deviceKey);
  }

  setRing(ring: NetworkKeyRing): void {
    this.#ring = ring;
  }
}

/** Secrets as they will be once a group is committed. They are sealed as they are put: what cannot be sealed is refused at once. */
export class VaultDraft {
  readonly #vault: Vault;
  readonly #psks = new Map<string, Uint8Array | undefined>();
  readonly #sealed = new Map<string, SecretRecord | undefined>();
  #ring: NetworkKeyRing | undefined;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  get keyring(): Keyring {
    return this.#vault.keyring;
  }

  get ring(): NetworkKeyRing | undefined {
    return this.#ring ?? this.#vault.ring;
  }

  /** Sets a device's PSK; undefined: it has none any more. */
  putPsk(deviceKey: string, psk: Uint8Array | undefined): void {
    if (!psk && !this.#psks.has(deviceKey) && !this.#vault.psk(deviceKey)) return;
    this.#sealed.set(pskName(deviceKey), psk && this.keyring.sealPsk(deviceKey, psk));
    this.#psks.set(deviceKey, psk);
  }

  /** Proves that a device was approved here: the list of devices itself lies open in the store. */
  putApproval(deviceKey: string): void {
    const proof = this.keyring.sealApproval(deviceKey);
    if (proof) this.#sealed.set(proof.name, proof);
  }

  dropApproval(deviceKey: string): void {
    this.#sealed.set(approvalName(deviceKey), undefined);
  }

  putRing(ring: NetworkKeyRing): void {
    const sealed = this.keyring.sealRing(ring);
    this.#sealed.set(sealed.name, sealed);
    this.#ring = ring;
  }

  /** Marks the store as that of the identity with this public key, for good. */
  putMark(headEndKey: Uint8Array): void {
    if (this.#vault.marked) return;
    const sealed = this.keyring.sealMark(headEndKey);
    this.#sealed.set(sealed.name, sealed);
  }

  /** For the store. */
  changes(): { secrets: SecretRecord[]; droppedSecrets: string[] } {
    const secrets: SecretRecord[] = [];
    const droppedSecrets: string[] = [];
    for (const [name, secret] of this.#sealed) {
      if (secret) secrets.push(secret);
      else droppedSecrets.push(name);
    }
    return { secrets, droppedSecrets };
  }

  adopt(): void {
    for (const [key, psk] of this.#psks) this.#vault.setPsk(key, psk);
    if (this.#ring) this.#vault.setRing(this.#ring);
  }
}
