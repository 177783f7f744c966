import { Reader, Writer } from '../bytes.ts';
import {
  decodeM1Payload,
  decodeM2Payload,
  encodeM1Payload,
  encodeM2Payload,
  M1_PAYLOAD_BYTES,
  type M1Payload,
  M2_PAYLOAD_BYTES,
  type M2Payload,
} from '../frame/handshake.ts';
import { encodePacketHeader, type Packet, SUITE_ECC, UP_HEADER_BYTES } from '../frame/packet.ts';
import { nodeIdOf } from './keys.ts';
import { IK_M1_OVERHEAD, IK_M2_OVERHEAD, IkInitiator, IkResponder, type IkResult, type KeyPair } from './noise.ts';
import { type CryptoProvider, wipe } from './provider.ts';
import {
  type Handshake,
  type HandshakeAnswer,
  type InitiatedHandshake,
  m2Header,
  type SessionKeys,
  type SuiteEngine,
} from './suite.ts';
import { keysOf, openSealed, sealPacket, withHeader } from './transport.ts';

/** Suite 0x01, PROTOCOL.md section 3.1: Noise IK with the node as its initiator, then explicit counters. */
const PROLOGUE_NAME = new TextEncoder().encode('wattmesh');
const M1_BODY_BYTES = IK_M1_OVERHEAD + M1_PAYLOAD_BYTES;
const M2_BODY_BYTES = IK_M2_OVERHEAD + M2_PAYLOAD_BYTES;

export interface EccContext {
  readonly provider: CryptoProvider;
  /** The head-end's static key. */
  readonly staticKey: KeyPair;
  /** PROTOCOL.md, section 1. */
  readonly networkNumber: number;
}

/** The head-end's side. */
export function eccEngine({ provider, staticKey, networkNumber }: EccContext): SuiteEngine {
  return {
    name: 'ecc',
    assemble: (packet) => packet,
    openM1(packet) {
      const message = exactly(packet.body, M1_BODY_BYTES);
      const responder = new IkResponder(provider, prologueOf(packet.header, networkNumber), staticKey);
      return opened(packet, responder, message);
    },
    open: (packet, session) => openSealed(provider, keysOf(session).up, packet),
    seal: (header, session, plaintext) => sealPacket(provider, keysOf(session).down, header, plaintext),
  };
}

function opened(packet: Packet, responder: IkResponder, message: Uint8Array): Handshake {
  try {
    const { remoteStatic, payload } = responder.readFirst(message);
    return {
      suite: SUITE_ECC,
      nodeId: packet.nodeId,
      deviceKey: remoteStatic,
      payload: decodeM1Payload(payload),
      respond: (answer, epoch) => answerOf(packet, responder, answer, epoch),
    };
  } catch (error) {
    responder.wipe();
    throw error;
  }
}

function answerOf(m1: Packet, responder: IkResponder, answer: M2Payload, epoch: number): HandshakeAnswer {
  const header = m2Header(m1, epoch);
  const payload = encodeM2Payload(answer);
  const second = responder.writeSecond(payload, { header });
  wipe(payload);
  return { m2: withHeader(header, second.message), keys: sessionKeys(second) };
}

export interface EccInitiatorOptions {
  readonly provider: CryptoProvider;
  /** The device's key. */
  readonly staticKey: KeyPair;
  /** The head-end's public key. */
  readonly headEndKey: Uint8Array;
  readonly networkNumber: number;
  readonly payload: M1Payload;
  /** Secret of the ephemeral key, in tests only. */
  readonly ephemeral?: Uint8Array;
}

/** The node's side, as the firmware has it. */
export function initiateEcc(options: EccInitiatorOptions): InitiatedHandshake {
  const { provider, staticKey, headEndKey, networkNumber, payload, ephemeral } = options;
  const header = encodePacketHeader({
    type: 'm1',
    suite: SUITE_ECC,
    fragment: false,
    nodeId: nodeIdOf(staticKey.publicKey),
    session: 0,
    counter: payload.handshake,
  });
  const initiator = new IkInitiator(provider, {
    prologue: prologueOf(header, networkNumber),
    staticKey,
    remoteStatic: headEndKey,
    ...(ephemeral ? { ephemeral } : {}),
  });
  return {
    m1: [withHeader(header, initiator.writeFirst(encodeM1Payload(payload)))],
    readM2(packet) {
      const second = initiator.readSecond(exactly(packet.body, M2_BODY_BYTES), packet.header);
      return { payload: decodeM2Payload(second.payload), keys: sessionKeys(second) };
    },
  };
}

/** `truncated` or `trailingBytes` unless a body has the one length that it can have. */
function exactly(body: Uint8Array, length: number): Uint8Array {
  const reader = new Reader(body);
  const bytes = reader.bytes(length);
  reader.end();
  return bytes;
}

function prologueOf(header: Uint8Array, networkNumber: number): Uint8Array {
  return new Writer(PROLOGUE_NAME.length + 2 + 4 + UP_HEADER_BYTES)
    .bytes(PROLOGUE_NAME)
    .bytes(header.subarray(0, 2))
    .u32(networkNumber)
    .bytes(header)
    .finish();
}

function sessionKeys({ initiatorKey, responderKey }: IkResult): SessionKeys {
  return { up: initiatorKey, down: responderKey };
}
