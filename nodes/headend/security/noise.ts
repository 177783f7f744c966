import { WattmeshError } from '../errors.ts';
import { packetNonce } from './nonce.ts';
import { AEAD_TAG_BYTES, type CryptoProvider, HASH_BYTES, isAllZero, wipe, X25519_BYTES } from './provider.ts';

/**
 * Noise_IK_25519_ChaChaPoly_SHA256 after revision 34 of the Noise Protocol Framework; section numbers are of that paper.
 *
 *     <- s
 *     ...
 *     -> e, es, s, ss
 *     <- e, ee, se
 *
 * Every failure is `badTag`, with nothing that says where it failed: whoever probes with chosen keys learns only that the handshake ended.
 */
const PROTOCOL_NAME = 'Noise_IK_25519_ChaChaPoly_SHA256';
const ENCRYPTED_KEY_BYTES = X25519_BYTES + AEAD_TAG_BYTES;
/** Bytes of the first message in front of its payload, and with the tag behind that. */
export const IK_M1_OVERHEAD = X25519_BYTES + ENCRYPTED_KEY_BYTES + AEAD_TAG_BYTES;
/** The same of the second message. */
export const IK_M2_OVERHEAD = X25519_BYTES + AEAD_TAG_BYTES;

const EMPTY = new Uint8Array(0);

/** An X25519 key pair. */
export interface KeyPair {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** What a finished handshake leaves behind. */
export interface IkResult {
  /** The initiator's sending key, then the responder's, 32 bytes each (section 5.2, Split). */
  readonly initiatorKey: Uint8Array;
  readonly responderKey: Uint8Array;
  /** Names this handshake uniquely (section 11.2). */
  readonly handshakeHash: Uint8Array;
}

export interface IkSecondMessage extends IkResult {
  readonly message: Uint8Array;
}

export interface IkFirstPayload {
  /** The initiator's static key; it holds the secret of it. */
  readonly remoteStatic: Uint8Array;
  readonly payload: Uint8Array;
}

/** What a second message may have beside its payload. */
export interface SecondMessageOptions {
  /** Hashed (MixHash) before the ephemeral key: both sides must have the same. Not part of Noise's own message. */
  readonly header?: Uint8Array;
  /** Secret half of the ephemeral key, 32 bytes; drawn when absent, as it must be outside of tests. */
  readonly ephemeral?: Uint8Array;
}

/** A key pair out of `secret`, or a new one. */
export function keyPairOf(provider: CryptoProvider, secret = provider.randomBytes(X25519_BYTES)): KeyPair {
  return { secret, publicKey: provider.x25519PublicKey(secret) };
}

/**
 * The X25519 result of two keys. All zeros, the mark of a public key of small order, is `badTag`: such a key proves nothing, like a tag that
 * does not verify, and whoever sent it shall not tell the two apart.
 */
function sharedSecret(provider: CryptoProvider, secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const shared = provider.x25519(secret, publicKey);
  if (isAllZero(shared)) throw handshakeFailed();
  return shared;
}

/** A SymmetricState (section 5.2) with its CipherState (section 5.1) in it: no key, nonce 0, until the first `mixKey`. */
class SymmetricState {
  readonly #provider: CryptoProvider;
  // The name is as long as a hash, and stands for itself then.
  #hash: Uint8Array = new TextEncoder().encode(PROTOCOL_NAME);
  #chainingKey: Uint8Array = this.#hash.slice();
  #key: Uint8Array | undefined;
  #nonce = 0;

  constructor(provider: CryptoProvider) {
    this.#provider = provider;
  }

  /** The same state again: what happens to one does not touch the other. */
  copy(): SymmetricState {
    const copy = new SymmetricState(this.#provider);
    copy.#hash = this.#hash;
    copy.#chainingKey = this.#chainingKey.slice();
    copy.#key = this.#key?.slice();
    copy.#nonce = this.#nonce;
    return copy;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#provider.sha256(this.#hash, data);
  }

  /** Mixes in the X25519 result of two keys; `badTag` when that is all zeros. */
  mixShared(secret: Uint8Array, publicKey: Uint8Array): void {
    const shared = sharedSecret(this.#provider, secret, publicKey);
    const [chainingKey, key] = this.#derive(shared);
    wipe(shared);
    this.wipe();
    this.#chainingKey = chainingKey;
    this.#key = key;
    this.#nonce = 0;
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const nonce = packetNonce(this.#nonce++);
    const ciphertext = this.#provider.aeadSeal(this.#keyThere(), nonce, this.#hash, plaintext);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  decryptAndHash(ciphertext: Uint8Array): Uint8Array {
    const nonce = packetNonce(this.#nonce++);
    const plaintext = this.#provider.aeadOpen(this.#keyThere(), nonce, this.#hash, ciphertext);
    if (!plaintext) throw handshakeFailed();
    this.mixHash(ciphertext);
    return plaintext;
  }

  /** The session's keys; the state is wiped. */
  split(): IkResult {
    const [initiatorKey, responderKey] = this.#derive(EMPTY);
    this.wipe();
    return { initiatorKey, responderKey, handshakeHash: this.#hash };
  }

  wipe(): void {
    wipe(this.#chainingKey);
    if (this.#key) wipe(this.#key);
  }

  /** Noise's HKDF with two outputs (section 4.3). */
  #derive(ikm: Uint8Array): [Uint8Array, Uint8Array] {
    const output = this.#provider.hkdf(this.#chainingKey, ikm, EMPTY, 2 * HASH_BYTES);
    const keys: [Uint8Array, Uint8Array] = [output.slice(0, HASH_BYTES), output.slice(HASH_BYTES)];
    wipe(output);
    return keys;
  }

  #keyThere(): Uint8Array {
    // IK encrypts nothing before its first key agreement.
    if (!this.#key) throw new Error('nothing can be encrypted before a key has been mixed in');
    return this.#key;
  }
}

export interface IkInitiatorOptions {
  readonly prologue: Uint8Array;
  readonly staticKey: KeyPair;
  /** The responder's static public key. */
  readonly remoteStatic: Uint8Array;
  /** As in SecondMessageOptions. */
  readonly ephemeral?: Uint8Array;
}

/** The side that speaks first: a node. */
export class IkInitiator {
  readonly #staticKey: KeyPair;
  readonly #remoteStatic: Uint8Array;
  readonly #ephemeral: KeyPair;
  readonly #state: SymmetricState;

  constructor(provider: CryptoProvider, { prologue, staticKey, remoteStatic, ephemeral }: IkInitiatorOptions) {
    this.#staticKey = staticKey;
    this.#remoteStatic = remoteStatic;
    this.#ephemeral = keyPairOf(provider, ephemeral);
    this.#state = new SymmetricState(provider);
    this.#state.mixHash(prologue);
    this.#state.mixHash(remoteStatic);
  }

  /** The first message; call it once. */
  writeFirst(payload: Uint8Array): Uint8Array {
    const state = this.#state;
    state.mixHash(this.#ephemeral.publicKey);
    state.mixShared(this.#ephemeral.secret, this.#remoteStatic);
    const encryptedStatic = state.encryptAndHash(this.#staticKey.publicKey);
    state.mixShared(this.#staticKey.secret, this.#remoteStatic);
    return joined(this.#ephemeral.publicKey, encryptedStatic, state.encryptAndHash(payload));
  }

  /** Reads a second message. A forged one is `badTag` and changes nothing: the true one may still come. */
  readSecond(message: Uint8Array, header?: Uint8Array): IkResult & { readonly payload: Uint8Array } {
    requireOverhead(message, IK_M2_OVERHEAD);
    const remoteEphemeral = message.subarray(0, X25519_BYTES);
    const state = this.#state.copy();
    if (header) state.mixHash(header);
    state.mixHash(remoteEphemeral);
    state.mixShared(this.#ephemeral.secret, remoteEphemeral);
    state.mixShared(this.#staticKey.secret, remoteEphemeral);
    const payload = state.decryptAndHash(message.subarray(X25519_BYTES));
    return { payload, ...state.split() };
  }

  /** Forgets the ephemeral secret and the state: nothing can be read afterwards. */
  wipe(): void {
    wipe(this.#ephemeral.secret);
    this.#state.wipe();
  }
}

/** The side that answers: the head-end. */
export class IkResponder {
  readonly #provider: CryptoProvider;
  readonly #staticKey: KeyPair;
  readonly #state: SymmetricState;
  #remote: { readonly ephemeral: Uint8Array; readonly staticKey: Uint8Array } | undefined;

  constructor(provider: CryptoProvider, prologue: Uint8Array, staticKey: KeyPair) {
    this.#provider = provider;
    this.#staticKey = staticKey;
    this.#state = new SymmetricState(provider);
    this.#state.mixHash(prologue);
    this.#state.mixHash(staticKey.publicKey);
  }

  /** Reads the first message; call it once. After an error this object is of no use. */
  readFirst(message: Uint8Array): IkFirstPayload {
    requireOverhead(message, IK_M1_OVERHEAD);
    const state = this.#state;
    const { secret } = this.#staticKey;
    const payloadAt = X25519_BYTES + ENCRYPTED_KEY_BYTES;
    const ephemeral = message.slice(0, X25519_BYTES);
    state.mixHash(ephemeral);
    state.mixShared(secret, ephemeral);
    const remoteStatic = state.decryptAndHash(message.subarray(X25519_BYTES, payloadAt));
    state.mixShared(secret, remoteStatic);
    const payload = state.decryptAndHash(message.subarray(payloadAt));
    this.#remote = { ephemeral, staticKey: remoteStatic };
    return { remoteStatic, payload };
  }

  /** The second message and the keys. Each call draws a new ephemeral key, so that two answers share nothing. */
  writeSecond(payload: Uint8Array, { header, ephemeral }: SecondMessageOptions = {}): IkSecondMessage {
    const remote = this.#remote;
    if (!remote) throw new Error('there is no first message to answer');
    const own = keyPairOf(this.#provider, ephemeral);
    const state = this.#state.copy();
    if (header) state.mixHash(header);
    state.mixHash(own.publicKey);
    state.mixShared(own.secret, remote.ephemeral);
    state.mixShared(own.secret, remote.staticKey);
    const message = joined(own.publicKey, state.encryptAndHash(payload));
    if (!ephemeral) wipe(own.secret);
    return { message, ...state.split() };
  }

  /** Forgets the state: nothing can be answered afterwards. */
  wipe(): void {
    this.#remote = undefined;
    this.#state.wipe();
  }
}

function handshakeFailed(): WattmeshError {
  return new WattmeshError(
    'badTag',
    'the handshake does not verify: wrong key of the head-end, wrong network, or forged',
  );
}

function requireOverhead(message: Uint8Array, overhead: number): void {
  if (message.length >= overhead) return;
  throw new WattmeshError(
    'truncated',
    `a handshake message has ${message.length} bytes: at least ${overhead} are needed`,
  );
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
