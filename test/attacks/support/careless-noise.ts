import { Writer } from '../../../nodes/headend/bytes.ts';
import { encodePacketHeader, SUITE_ECC } from '../../../nodes/headend/frame/packet.ts';
import { packetNonce } from '../../../nodes/headend/security/nonce.ts';
import { AEAD_TAG_BYTES, HASH_BYTES, isAllZero, X25519_BYTES } from '../../../nodes/headend/security/provider.ts';
import { nodeProvider } from '../../../nodes/headend/security/provider-node.ts';

const NAME = new TextEncoder().encode('Noise_IK_25519_ChaChaPoly_SHA256');
const EMPTY = new Uint8Array(0);
const NONCE = packetNonce(0);
const UP_HEADER_BYTES = 13;
const DOWN_HEADER_BYTES = 17;

/**
 * Public keys with which X25519 gives zeros whatever the secret: the points of small order of Curve25519 and of its twist, reduced and not, with and
 * without the bit that RFC 7748 ignores (section 5; the points stand in section 6.1's reference and in libsodium's list).
 */
export const SMALL_ORDER: readonly Uint8Array[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].flatMap((text) => {
  const point = new Uint8Array(Buffer.from(text, 'hex'));
  const other = point.slice();
  other[X25519_BYTES - 1] = (other[X25519_BYTES - 1] as number) | 0x80;
  return [point, other];
});

/** Suite 0x01 as somebody has it who does not mind zeros: both ends of it, for those who want to smuggle in keys of small order. */
class CarelessState {
  #hash = NAME;
  #chainingKey = NAME;
  #key = EMPTY;

  constructor(prologue: Uint8Array, responderKey: Uint8Array) {
    this.mixHash(prologue);
    this.mixHash(responderKey);
  }

  mixHash(data: Uint8Array): void {
    this.#hash = nodeProvider.sha256(this.#hash, data) as Uint8Array<ArrayBuffer>;
  }

  /** Zeros where the point is of small order: no secret is needed for those. */
  mixKey(secret: Uint8Array, publicKey: Uint8Array): void {
    const shared = nodeProvider.x25519(secret, publicKey);
    const output = nodeProvider.hkdf(this.#chainingKey, shared, EMPTY, 2 * HASH_BYTES) as Uint8Array<ArrayBuffer>;
    this.#chainingKey = output.slice(0, HASH_BYTES);
    this.#key = output.slice(HASH_BYTES);
  }

  seal(plaintext: Uint8Array): Uint8Array {
    const sealed = nodeProvider.aeadSeal(this.#key, NONCE, this.#hash, plaintext);
    this.mixHash(sealed);
    return sealed;
  }

  open(sealed: Uint8Array): Uint8Array {
    const plaintext = nodeProvider.aeadOpen(this.#key, NONCE, this.#hash, sealed);
    if (!plaintext) throw new Error('the message does not open');
    this.mixHash(sealed);
    return plaintext;
  }
}

export interface CarelessM1 {
  readonly headEndKey: Uint8Array;
  readonly networkNumber: number;
  readonly nodeId: string;
  readonly handshake: number;
  readonly payload: Uint8Array;
  /** Secret and public key; a public key of small order needs no secret that fits it. */
  readonly ephemeral: readonly [secret: Uint8Array, publicKey: Uint8Array];
  readonly identity: readonly [secret: Uint8Array, publicKey: Uint8Array];
}

/** A handshake begun. */
export interface Begun {
  /** An M1 that verifies for whoever does not look at the results of X25519. */
  readonly m1: Uint8Array;
  /** What an M2 says, whatever its key; throws when it does not verify. */
  readM2(packet: Uint8Array): Uint8Array;
}

export function begin(options: CarelessM1): Begun {
  const { headEndKey, networkNumber, nodeId, handshake: counter, payload, ephemeral, identity } = options;
  const header = encodePacketHeader({ type: 'm1', suite: SUITE_ECC, fragment: false, nodeId, session: 0, counter });
  const state = new CarelessState(prologueOf(header, networkNumber), headEndKey);
  const zeros = new Uint8Array(X25519_BYTES);
  const agree = ([secret, publicKey]: CarelessM1['ephemeral']): void => {
    // The head-end gets zeros of a point of small order: so must this side.
    const isSmall = isAllZero(nodeProvider.x25519(secret, publicKey));
    state.mixKey(secret, isSmall ? zeros : headEndKey);
  };
  state.mixHash(ephemeral[1]);
  agree(ephemeral);
  const key = state.seal(identity[1]);
  agree(identity);
  const m1 = Buffer.concat([header, ephemeral[1], key, state.seal(payload)]);
  const readM2 = (packet: Uint8Array): Uint8Array => {
    const point = packet.subarray(DOWN_HEADER_BYTES, DOWN_HEADER_BYTES + X25519_BYTES);
    state.mixHash(packet.subarray(0, DOWN_HEADER_BYTES));
    state.mixHash(point);
    state.mixKey(ephemeral[0], point);
    state.mixKey(identity[0], point);
    return state.open(packet.subarray(DOWN_HEADER_BYTES + X25519_BYTES));
  };
  return { m1, readM2 };
}

export interface CarelessM2 {
  /** The packet that it answers. */
  readonly m1: Uint8Array;
  readonly headEnd: readonly [secret: Uint8Array, publicKey: Uint8Array];
  readonly networkNumber: number;
  /** Header of the M2 and what it says. */
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
  /** The ephemeral public key, of small order. */
  readonly point: Uint8Array;
}

/** An M2 that verifies for a device that does not look at the results of X25519. */
export function carelessM2({ m1, headEnd, networkNumber, header, payload, point }: CarelessM2): Uint8Array {
  const [secret, publicKey] = headEnd;
  const state = new CarelessState(prologueOf(m1.subarray(0, UP_HEADER_BYTES), networkNumber), publicKey);
  const ephemeral = m1.subarray(UP_HEADER_BYTES, UP_HEADER_BYTES + X25519_BYTES);
  const sealedKey = m1.subarray(UP_HEADER_BYTES + X25519_BYTES, UP_HEADER_BYTES + 2 * X25519_BYTES + AEAD_TAG_BYTES);
  state.mixHash(ephemeral);
  state.mixKey(secret, ephemeral);
  const deviceKey = state.open(sealedKey);
  state.mixKey(secret, deviceKey);
  state.open(m1.subarray(UP_HEADER_BYTES + 2 * X25519_BYTES + AEAD_TAG_BYTES));
  state.mixHash(header);
  state.mixHash(point);
  // The device multiplies its own secrets with the point: both results are zeros.
  state.mixKey(secret, new Uint8Array(X25519_BYTES));
  state.mixKey(secret, new Uint8Array(X25519_BYTES));
  return Buffer.concat([header, point, state.seal(payload)]);
}

function prologueOf(header: Uint8Array, networkNumber: number): Uint8Array {
  return new Writer(64)
    .bytes(new TextEncoder().encode('wattmesh'))
    .bytes(header.subarray(0, 2))
    .u32(networkNumber)
    .bytes(header)
    .finish();
}
