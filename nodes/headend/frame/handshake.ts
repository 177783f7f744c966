import { Reader, Writer } from '../bytes.ts';
import * as fields from './fields.ts';

/** Handshake payloads, PROTOCOL.md section 3.1: what M1 and M2 say, whatever suite carries them. */
export const M1_PAYLOAD_BYTES = 28;
export const M2_PAYLOAD_BYTES = 40;
/** An X25519 public key, in the clear before the payload of an M1 of suite 0x00. */
export const DEVICE_KEY_BYTES = 32;

const CAPABILITIES = ['routes', 'relay', 'battery', 'simulated'] as const;
const POLICIES = ['suiteNone', 'flooding'] as const;
const REGISTER_MASK_MAX = 0x7f;
const KEY_ID_MAX = 15;
const RESERVED = new Uint8Array(4);
const SHORT_ID_MAX = 0xfffe;

/** What a node can do: `routes` for others, switches a `relay`, runs on a `battery`, is `simulated`. */
export type Capabilities = Readonly<Record<(typeof CAPABILITIES)[number], boolean>>;
/** What a network allows: `suiteNone`: suite 0x00; `flooding`: that mode. */
export type Policy = Readonly<Record<(typeof POLICIES)[number], boolean>>;

export interface M1Payload {
  /** Strictly increasing over reboots. */
  readonly handshake: number;
  /** 4 bytes, hex. */
  readonly logId: string;
  /** `major.minor.patch`. */
  readonly firmware: string;
  readonly role: fields.Role;
  readonly bootCount: number;
  readonly capabilities: Capabilities;
  /** As configured on the device; 0: none. */
  readonly localHubId: number;
  /** Last known; 0: none. */
  readonly shortId: number;
  readonly intervalS: number;
  readonly pollCycleS: number;
  readonly energyClass: fields.EnergyClass;
  readonly resetCause: fields.ResetCause;
  /** Registers that the node measures, bits as in READINGS. */
  readonly registerMask: number;
}

export interface M2Payload {
  /** 1..255. */
  readonly session: number;
  readonly shortId: number;
  /** 0 under suite 0x00, where no key is sent. */
  readonly keyId: number;
  /** K_net, 16 bytes; zeros under suite 0x00. */
  readonly networkKey: Uint8Array;
  readonly localHubId: number;
  readonly utcMs: number;
  /** Rows up to this seq are durable at the head-end: replaces all of the node's marks. */
  readonly acknowledged: number;
  readonly policy: Policy;
}

export function decodeM1Payload(bytes: Uint8Array): M1Payload {
  const reader = new Reader(bytes);
  const payload = {
    handshake: reader.u32(),
    logId: fields.readHex(reader, fields.LOG_ID_BYTES),
    firmware: fields.readFirmware(reader),
    role: fields.nameOf(fields.ROLES, reader.u8(), 'role'),
    bootCount: reader.u16(),
    capabilities: fields.readFlags(CAPABILITIES, reader.u16()),
    localHubId: reader.u16(),
    shortId: reader.u16(),
    intervalS: reader.u16(),
    pollCycleS: reader.u16(),
    energyClass: fields.nameOf(fields.ENERGY_CLASSES, reader.u8(), 'energy class'),
    resetCause: fields.nameOf(fields.RESET_CAUSES, reader.u8(), 'reset cause'),
    registerMask: fields.inRange(reader.u16(), 0, REGISTER_MASK_MAX, 'register mask'),
  };
  reader.end();
  return payload;
}

export function encodeM1Payload(payload: M1Payload): Uint8Array {
  const writer = new Writer(M1_PAYLOAD_BYTES)
    .u32(payload.handshake)
    .bytes(fields.fixedHex(payload.logId, fields.LOG_ID_BYTES, 'log id'));
  fields.writeFirmware(writer, payload.firmware);
  return writer
    .u8(fields.codeOf(fields.ROLES, payload.role, 'role'))
    .u16(payload.bootCount)
    .u16(fields.flagsOf(CAPABILITIES, payload.capabilities))
    .u16(payload.localHubId)
    .u16(payload.shortId)
    .u16(payload.intervalS)
    .u16(payload.pollCycleS)
    .u8(fields.codeOf(fields.ENERGY_CLASSES, payload.energyClass, 'energy class'))
    .u8(fields.codeOf(fields.RESET_CAUSES, payload.resetCause, 'reset cause'))
    .u16(fields.inRange(payload.registerMask, 0, REGISTER_MASK_MAX, 'register mask'))
    .finish();
}

export function decodeM2Payload(bytes: Uint8Array): M2Payload {
  const reader = new Reader(bytes);
  const payload = {
    session: fields.inRange(reader.u8(), 1, 255, 'session'),
    shortId: fields.inRange(reader.u16(), 1, SHORT_ID_MAX, 'short id'),
    keyId: fields.inRange(reader.u8(), 0, KEY_ID_MAX, 'key id'),
    networkKey: reader.bytes(fields.NETWORK_KEY_BYTES),
    localHubId: reader.u16(),
    utcMs: reader.u64(),
    acknowledged: reader.u32(),
    policy: fields.readFlags(POLICIES, reader.u16()),
  };
  reader.bytes(RESERVED.length);
  reader.end();
  return payload;
}

export function encodeM2Payload(payload: M2Payload): Uint8Array {
  fields.inRange(
    payload.networkKey.length,
    fields.NETWORK_KEY_BYTES,
    fields.NETWORK_KEY_BYTES,
    'length of a network key',
  );
  return new Writer(M2_PAYLOAD_BYTES)
    .u8(fields.inRange(payload.session, 1, 255, 'session'))
    .u16(fields.inRange(payload.shortId, 1, SHORT_ID_MAX, 'short id'))
    .u8(fields.inRange(payload.keyId, 0, KEY_ID_MAX, 'key id'))
    .bytes(payload.networkKey)
    .u16(payload.localHubId)
    .u64(payload.utcMs)
    .u32(payload.acknowledged)
    .u16(fields.flagsOf(POLICIES, payload.policy))
    .bytes(RESERVED)
    .finish();
}
