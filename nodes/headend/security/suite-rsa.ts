import { Reader, Writer } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import { WattmeshError } from '../errors.ts';
import {
  DEVICE_KEY_BYTES,
  decodeM1Payload,
  decodeM2Payload,
  encodeM1Payload,
  encodeM2Payload,
  M1_PAYLOAD_BYTES,
  type M1Payload,
  M2_PAYLOAD_BYTES,
  type M2Payload,
} from '../frame/handshake.ts';
import { encodePacketHeader, type Packet, SUITE_RSA } from '../frame/packet.ts';
import { HalfMessages } from './half-messages.ts';
import { nodeIdOf } from './keys.ts';
import { packetNonce } from './nonce.ts';
import { AEAD_KEY_BYTES, AEAD_TAG_BYTES, type CryptoProvider, type RsaProvider, wipe } from './provider.ts';
import {
  type Handshake,
  type HandshakeAnswer,
  type InitiatedHandshake,
  m2Header,
  type SessionKeys,
  type SuiteEngine,
} from './suite.ts';
import { keysOf, openSealed, sealPacket, withHeader } from './transport.ts';

/** Suite 0x10, PROTOCOL.md section 3.1: a secret under the head-end's RSA key, and a key known beforehand. No forward secrecy. */
export const PSK_BYTES = 32;
const RSA_SECRET_BYTES = 32;
const RSA_CIPHERTEXT_BYTES = 256;
const HEADEND_RANDOM_BYTES = 16;
const MESSAGE_BYTES = RSA_CIPHERTEXT_BYTES + DEVICE_KEY_BYTES + M1_PAYLOAD_BYTES + AEAD_TAG_BYTES;
const FIRST_PART_BYTES = 180;
const FRAGMENTS = 2;

const OAEP_LABEL = ascii('wattmesh 1');
/** Both keys of the handshake seal one text each, for they are new in each handshake. */
const HANDSHAKE_NONCE = packetNonce(0);

export interface RsaContext {
  readonly provider: CryptoProvider;
  /** The head-end's key, PKCS#8 PEM. */
  readonly privateKeyPem: string;
  readonly networkNumber: number;
  readonly clock: Clock;
  /** The PSK of a device key (hex), 32 bytes; undefined for a device that has none. */
  pskOf(deviceKey: string): Uint8Array | undefined;
}

/**
 * The head-end's side; `suiteRefused` where there is no RSA. M1 fails in one way only, `badTag`, so that nobody can use the head-end as an
 * oracle for ciphertexts, device keys or PSKs.
 */
export function rsaEngine(context: RsaContext): SuiteEngine {
  const { provider, clock } = context;
  const rsa = rsaOf(provider);
  const halves = new HalfMessages(clock);
  return {
    name: 'rsa',
    assemble: (packet) => assemble(halves, packet),
    openM1: (packet) => openM1(context, rsa, packet),
    open: (packet, session) => openSealed(provider, keysOf(session).up, packet),
    seal: (header, session, plaintext) => sealPacket(provider, keysOf(session).down, header, plaintext),
  };
}

/** The whole M1 behind the header that its fragments share. */
function assemble(halves: HalfMessages, packet: Packet): Packet | undefined {
  const fragment = packet.body[0] ?? 0;
  const index = fragment >> 4;
  const part = packet.body.subarray(1);
  if (!packet.fragment || (fragment & 0x0f) !== FRAGMENTS || (index !== 0 && index !== 1)) throw refused();
  // With the one length that each part has, parts can neither overlap nor leave a hole.
  if (part.length !== (index === 0 ? FIRST_PART_BYTES : MESSAGE_BYTES - FIRST_PART_BYTES)) throw refused();
  const parts = halves.add(packet.header, index, part);
  if (parts === 'conflict') throw refused();
  return parts && { ...packet, body: withHeader(...parts) };
}

function openM1(context: RsaContext, rsa: RsaProvider, packet: Packet): Handshake {
  const { provider, networkNumber } = context;
  const { header, body } = packet;
  if (body.length !== MESSAGE_BYTES) throw refused();
  const reader = new Reader(body);
  const ciphertext = reader.bytes(RSA_CIPHERTEXT_BYTES);
  const deviceKey = reader.bytes(DEVICE_KEY_BYTES);
  const sealed = reader.rest();
  const psk = pskOr(context, deviceKey);
  const rsaSecret = rsaSecretOr(context, rsa, ciphertext);
  const key = firstKey(provider, psk, rsaSecret, networkNumber);
  const plaintext = provider.aeadOpen(key, HANDSHAKE_NONCE, withHeader(header, ciphertext, deviceKey), sealed);
  wipe(key);
  if (!plaintext) {
    wipe(rsaSecret);
    throw refused();
  }
  const messageHash = provider.sha256(body);
  return {
    suite: SUITE_RSA,
    nodeId: packet.nodeId,
    deviceKey,
    payload: payloadOf(plaintext),
    respond: (answer, epoch) =>
      answerOf(provider, packet, answer, epoch, (random) =>
        sessionSecrets(provider, psk, rsaSecret, random, messageHash, networkNumber),
      ),
  };
}

type Secrets = SessionKeys & { readonly m2Key: Uint8Array };

function answerOf(
  provider: CryptoProvider,
  m1: Packet,
  answer: M2Payload,
  epoch: number,
  secretsOf: (random: Uint8Array) => Secrets,
): HandshakeAnswer {
  // New in each answer, and so are the keys.
  const random = provider.randomBytes(HEADEND_RANDOM_BYTES);
  const { m2Key, up, down } = secretsOf(random);
  const header = m2Header(m1, epoch);
  const payload = encodeM2Payload(answer);
  const sealed = provider.aeadSeal(m2Key, HANDSHAKE_NONCE, withHeader(header, random), payload);
  wipe(m2Key, payload);
  return { m2: withHeader(header, random, sealed), keys: { up, down } };
}

export interface RsaInitiatorOptions {
  readonly provider: CryptoProvider;
  /** The device's public key, 32 bytes: its name, here. */
  readonly deviceKey: Uint8Array;
  readonly psk: Uint8Array;
  /** The head-end's key, SPKI PEM. */
  readonly publicKeyPem: string;
  readonly networkNumber: number;
  readonly payload: M1Payload;
}

/** The node's side, as the firmware has it. */
export function initiateRsa(options: RsaInitiatorOptions): InitiatedHandshake {
  const { provider, deviceKey, psk, publicKeyPem, networkNumber, payload } = options;
  const header = encodePacketHeader({
    type: 'm1',
    suite: SUITE_RSA,
    fragment: true,
    nodeId: nodeIdOf(deviceKey),
    session: 0,
    counter: payload.handshake,
  });
  const rsaSecret = provider.randomBytes(RSA_SECRET_BYTES);
  const ciphertext = rsaOf(provider).oaepEncrypt(publicKeyPem, rsaSecret, OAEP_LABEL);
  const key = firstKey(provider, psk, rsaSecret, networkNumber);
  const aad = withHeader(header, ciphertext, deviceKey);
  const sealed = provider.aeadSeal(key, HANDSHAKE_NONCE, aad, encodeM1Payload(payload));
  const message = withHeader(ciphertext, deviceKey, sealed);
  const messageHash = provider.sha256(message);
  const parts = [message.subarray(0, FIRST_PART_BYTES), message.subarray(FIRST_PART_BYTES)];
  return {
    m1: parts.map((part, index) => withHeader(header, Uint8Array.of((index << 4) | FRAGMENTS), part)),
    readM2(packet) {
      const reader = new Reader(packet.body);
      const random = reader.bytes(HEADEND_RANDOM_BYTES);
      const answer = reader.bytes(M2_PAYLOAD_BYTES + AEAD_TAG_BYTES);
      reader.end();
      const { m2Key, up, down } = sessionSecrets(provider, psk, rsaSecret, random, messageHash, networkNumber);
      const plaintext = provider.aeadOpen(m2Key, HANDSHAKE_NONCE, withHeader(packet.header, random), answer);
      wipe(m2Key);
      if (!plaintext) throw refused();
      return { payload: decodeM2Payload(plaintext), keys: { up, down } };
    },
  };
}

/** K1 of PROTOCOL.md. */
function firstKey(provider: CryptoProvider, psk: Uint8Array, rsaSecret: Uint8Array, networkNumber: number): Uint8Array {
  return provider.hkdf(psk, rsaSecret, infoOf('wattmesh rsa m1', networkNumber), AEAD_KEY_BYTES);
}

/** K2, K_up and K_down of PROTOCOL.md. */
function sessionSecrets(
  provider: CryptoProvider,
  psk: Uint8Array,
  rsaSecret: Uint8Array,
  random: Uint8Array,
  messageHash: Uint8Array,
  networkNumber: number,
): Secrets {
  const ikm = withHeader(rsaSecret, random, messageHash);
  const output = provider.hkdf(psk, ikm, infoOf('wattmesh rsa', networkNumber), 3 * AEAD_KEY_BYTES);
  const keyAt = (index: number): Uint8Array => output.slice(index * AEAD_KEY_BYTES, (index + 1) * AEAD_KEY_BYTES);
  const secrets = { m2Key: keyAt(0), up: keyAt(1), down: keyAt(2) };
  wipe(ikm, output);
  return secrets;
}

/** The device's PSK, or a random one: a device without one takes the same way, and as long, to its refusal. */
function pskOr({ provider, pskOf }: RsaContext, deviceKey: Uint8Array): Uint8Array {
  const psk = pskOf(Buffer.from(deviceKey).toString('hex'));
  return psk?.length === PSK_BYTES ? psk : provider.randomBytes(PSK_BYTES);
}

/** What the node has encrypted, or something random: a false ciphertext takes the same way, and as long, to its refusal. */
function rsaSecretOr({ provider, privateKeyPem }: RsaContext, rsa: RsaProvider, ciphertext: Uint8Array): Uint8Array {
  const secret = rsa.oaepDecrypt(privateKeyPem, ciphertext, OAEP_LABEL);
  return secret?.length === RSA_SECRET_BYTES ? secret : provider.randomBytes(RSA_SECRET_BYTES);
}

function payloadOf(plaintext: Uint8Array): M1Payload {
  try {
    return decodeM1Payload(plaintext);
  } catch {
    throw refused();
  }
}

function rsaOf({ rsa, name }: CryptoProvider): RsaProvider {
  if (rsa) return rsa;
  throw new WattmeshError(
    'suiteRefused',
    `suite 0x10 needs RSA, which the provider ${name} lacks: set the node to another suite`,
  );
}

function refused(): WattmeshError {
  return new WattmeshError(
    'badTag',
    'the handshake does not verify: wrong PSK, wrong key of the head-end, wrong network, or forged',
  );
}

function infoOf(name: string, networkNumber: number): Uint8Array {
  const text = ascii(name);
  return new Writer(text.length + 4).bytes(text).u32(networkNumber).finish();
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
