import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { toHex } from '../../../nodes/headend/bytes.ts';
import type { EnergyClass, Role } from '../../../nodes/headend/frame/fields.ts';
import {
  decodeM2Payload,
  encodeM1Payload,
  type M1Payload,
  type M2Payload,
} from '../../../nodes/headend/frame/handshake.ts';
import {
  decodePacket,
  encodePacketHeader,
  openPlain,
  type Packet,
  type PacketHeader,
  SUITE_ECC,
  SUITE_NONE,
  SUITE_RSA,
  sealPlain,
} from '../../../nodes/headend/frame/packet.ts';
import { maskOf, type RegisterValues } from '../../../nodes/headend/frame/readings.ts';
import {
  type Ack,
  type DownSection,
  decodeDownSections,
  encodeUpSections,
  type ReadingsSection,
  type Telemetry,
  type UpSection,
} from '../../../nodes/headend/frame/sections.ts';
import { type KeyPair, keyPairOf } from '../../../nodes/headend/security/noise.ts';
import { nodeProvider } from '../../../nodes/headend/security/provider-node.ts';
import type { InitiatedHandshake, SessionKeys } from '../../../nodes/headend/security/suite.ts';
import { initiateEcc } from '../../../nodes/headend/security/suite-ecc.ts';
import { initiateRsa } from '../../../nodes/headend/security/suite-rsa.ts';
import { openSealed, sealPacket } from '../../../nodes/headend/security/transport.ts';

export interface ScriptOptions {
  readonly seed: string;
  readonly role?: Role;
  readonly intervalS?: number;
  readonly pollCycleS?: number;
  readonly localHubId?: number;
  readonly logId?: string;
  /** Default: suite 0x00. */
  readonly security?: NodeSecurity;
  readonly relay?: boolean;
  readonly energyClass?: EnergyClass;
}

/** What a node knows of its head-end. */
export type NodeSecurity = { readonly networkNumber: number } & (
  | { readonly suite: 'ecc'; readonly headEndKey: Uint8Array }
  | { readonly suite: 'rsa'; readonly publicKeyPem: string; readonly psk: Uint8Array }
);

/** UTC of the scripted rows: row `seq` was measured at BASE_S + seq × interval. */
export const BASE_S = Date.UTC(2026, 0, 1) / 1000;

const SUITES = { ecc: SUITE_ECC, rsa: SUITE_RSA } as const;

/** A node that speaks the real bytes of its suite and does only what a test tells it. */
export class ScriptedNode {
  /** Its public key. */
  readonly key: Uint8Array;
  readonly keyHex: string;
  readonly relay: boolean;
  readonly energyClass: EnergyClass;
  readonly #keyPair: KeyPair;
  readonly #security: NodeSecurity | undefined;
  #handshake: InitiatedHandshake | undefined;
  readonly #sessionKeys = new Map<number, SessionKeys>();
  nodeId: string;
  readonly role: Role;
  readonly intervalS: number;
  readonly pollCycleS: number;
  localHubId: number;
  logId: string;
  handshake = 0;
  shortId = 0;
  session = 0;
  counter = 0;

  constructor(options: ScriptOptions) {
    this.#keyPair = keyPairOf(nodeProvider, createHash('sha256').update(`key of ${options.seed}`).digest());
    this.#security = options.security;
    this.relay = options.relay ?? false;
    this.energyClass = options.energyClass ?? 'mains';
    this.key = this.#keyPair.publicKey;
    this.keyHex = toHex(this.key);
    this.nodeId = toHex(createHash('sha256').update(this.key).digest().subarray(0, 6));
    this.role = options.role ?? 'meter';
    this.intervalS = options.intervalS ?? 60;
    this.pollCycleS = options.pollCycleS ?? 60;
    this.localHubId = options.localHubId ?? 0;
    this.logId = options.logId ?? 'a0a0a0a0';
  }

  /** A new M1 of one packet; with `handshake` that number instead of the next. */
  m1(change: Partial<M1Payload> = {}): Uint8Array {
    const [m1, ...more] = this.m1Parts(change);
    assert.ok(m1 && more.length === 0, 'this M1 has two parts');
    return m1;
  }

  /** A new M1. */
  m1Parts(change: Partial<M1Payload> = {}): readonly Uint8Array[] {
    const handshake = change.handshake ?? ++this.handshake;
    const payload: M1Payload = {
      logId: this.logId,
      firmware: '0.1.0',
      role: this.role,
      bootCount: 1,
      capabilities: { routes: true, relay: this.relay, battery: this.energyClass === 'battery', simulated: true },
      localHubId: this.localHubId,
      shortId: this.shortId,
      intervalS: this.intervalS,
      pollCycleS: this.pollCycleS,
      energyClass: this.energyClass,
      resetCause: 'powerOn',
      registerMask: 0b101,
      ...change,
      handshake,
    };
    this.#handshake = this.#initiate(payload);
    if (this.#handshake) return this.#handshake.m1;
    const header = encodePacketHeader(this.#header({ type: 'm1', session: 0, counter: handshake }));
    return [sealPlain(header, Buffer.concat([this.key, encodeM1Payload(payload)]))];
  }

  #initiate(payload: M1Payload): InitiatedHandshake | undefined {
    if (!this.#security) return undefined;
    const common = { provider: nodeProvider, payload, networkNumber: this.#security.networkNumber };
    if (this.#security.suite === 'ecc') {
      return initiateEcc({ ...common, staticKey: this.#keyPair, headEndKey: this.#security.headEndKey });
    }
    const { psk, publicKeyPem } = this.#security;
    return initiateRsa({ ...common, deviceKey: this.key, psk, publicKeyPem });
  }

  /** Takes an M2 that answers this node; returns its payload. */
  takeM2(packet: Uint8Array): M2Payload {
    const decoded = decodePacket(packet);
    assert.equal(decoded.type, 'm2');
    assert.equal(decoded.nodeId, this.nodeId);
    const answer = this.#handshake?.readM2(decoded);
    const payload = answer?.payload ?? decodeM2Payload(openPlain(decoded));
    this.session = payload.session;
    if (answer) this.#sessionKeys.set(payload.session, answer.keys);
    this.shortId = payload.shortId;
    this.counter = 0;
    return payload;
  }

  /** Of its session. */
  get keys(): SessionKeys | undefined {
    return this.#sessionKeys.get(this.session);
  }

  /** A transport packet with the next counter, or with `counter`. */
  up(sections: readonly UpSection[], counter = this.counter++): Uint8Array {
    const header = this.#header({ type: 'up', session: this.session, counter });
    const plaintext = encodeUpSections(sections);
    if (this.keys) return sealPacket(nodeProvider, this.keys.up, header, plaintext);
    return sealPlain(encodePacketHeader(header), plaintext);
  }

  /** Rows `first` to `last` as this node always measures them. */
  readings(first: number, last: number, oldest = 1): ReadingsSection {
    const rows = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => rowOf(first + index));
    return {
      kind: 'readings',
      logId: this.logId,
      oldest,
      first,
      t0S: BASE_S + first * this.intervalS,
      intervalS: this.intervalS,
      quality: 'good',
      mask: maskOf(rowOf(1)),
      rows,
    };
  }

  telemetry(change: Partial<Telemetry> = {}): Telemetry {
    return {
      kind: 'telemetry',
      shortId: this.shortId,
      parent: 0,
      parentRssiDbm: -60,
      etx: 160,
      cost: 160,
      hops: 1,
      queue: 0,
      bootCount: 1,
      resetCause: 'powerOn',
      uptimeS: 100,
      ...change,
    };
  }

  /** Sections of a downlink to this node, with its epoch and counter. */
  open(packet: Uint8Array): { epoch: number; counter: number; session: number; sections: DownSection[] } {
    const decoded = decodePacket(packet);
    assert.equal(decoded.type, 'down');
    assert.equal(decoded.nodeId, this.nodeId);
    const sections = decodeDownSections(this.#plaintext(decoded));
    return { epoch: decoded.epoch as number, counter: decoded.counter, session: decoded.session, sections };
  }

  #plaintext(packet: Packet): Uint8Array {
    const keys = this.#sessionKeys.get(packet.session);
    return keys ? openSealed(nodeProvider, keys.down, packet) : openPlain(packet);
  }

  #header(part: Pick<PacketHeader, 'type' | 'session' | 'counter'>): PacketHeader {
    const suite = this.#security ? SUITES[this.#security.suite] : SUITE_NONE;
    return { ...part, suite, fragment: false, nodeId: this.nodeId };
  }
}

/** Registers of row `seq`, the same at each reading. */
export function rowOf(seq: number): RegisterValues {
  return { importDwh: 1_000_000 + seq * 50, powerDw: 3000 + (seq % 7) };
}

/** The acknowledgements among sections. */
export function acksOf(sections: readonly DownSection[]): Ack[] {
  return sections.filter((section) => section.kind === 'ack');
}
