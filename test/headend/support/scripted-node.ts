import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { toHex } from '../../../nodes/headend/bytes.ts';
import type { Role } from '../../../nodes/headend/frame/fields.ts';
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
  type PacketHeader,
  SUITE_NONE,
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

export interface ScriptOptions {
  readonly seed: string;
  readonly role?: Role;
  readonly intervalS?: number;
  readonly pollCycleS?: number;
  readonly localHubId?: number;
  readonly logId?: string;
}

/** UTC of the scripted rows: row `seq` was measured at BASE_S + seq × interval. */
export const BASE_S = Date.UTC(2026, 0, 1) / 1000;

/** A node that speaks the real bytes of suite 0x00 and does only what a test tells it. */
export class ScriptedNode {
  readonly key: Uint8Array;
  readonly keyHex: string;
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
    this.key = createHash('sha256').update(`key of ${options.seed}`).digest();
    this.keyHex = toHex(this.key);
    this.nodeId = toHex(createHash('sha256').update(this.key).digest().subarray(0, 6));
    this.role = options.role ?? 'meter';
    this.intervalS = options.intervalS ?? 60;
    this.pollCycleS = options.pollCycleS ?? 60;
    this.localHubId = options.localHubId ?? 0;
    this.logId = options.logId ?? 'a0a0a0a0';
  }

  /** A new M1; with `handshake` that number instead of the next. */
  m1(change: Partial<M1Payload> = {}): Uint8Array {
    const handshake = change.handshake ?? ++this.handshake;
    const payload: M1Payload = {
      logId: this.logId,
      firmware: '0.1.0',
      role: this.role,
      bootCount: 1,
      capabilities: { routes: true, relay: false, battery: false, simulated: true },
      localHubId: this.localHubId,
      shortId: this.shortId,
      intervalS: this.intervalS,
      pollCycleS: this.pollCycleS,
      energyClass: 'mains',
      resetCause: 'powerOn',
      registerMask: 0b101,
      ...change,
      handshake,
    };
    const header = this.#header({ type: 'm1', session: 0, counter: handshake });
    return sealPlain(header, Buffer.concat([this.key, encodeM1Payload(payload)]));
  }

  /** Takes an M2 that answers this node; returns its payload. */
  takeM2(packet: Uint8Array): M2Payload {
    const decoded = decodePacket(packet);
    assert.equal(decoded.type, 'm2');
    assert.equal(decoded.nodeId, this.nodeId);
    const payload = decodeM2Payload(openPlain(decoded));
    this.session = payload.session;
    this.shortId = payload.shortId;
    this.counter = 0;
    return payload;
  }

  /** A transport packet with the next counter, or with `counter`. */
  up(sections: readonly UpSection[], counter = this.counter++): Uint8Array {
    const header = this.#header({ type: 'up', session: this.session, counter });
    return sealPlain(header, encodeUpSections(sections));
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
    const sections = decodeDownSections(openPlain(decoded));
    return { epoch: decoded.epoch as number, counter: decoded.counter, session: decoded.session, sections };
  }

  #header(part: Pick<PacketHeader, 'type' | 'session' | 'counter'>): Uint8Array {
    return encodePacketHeader({ ...part, suite: SUITE_NONE, fragment: false, nodeId: this.nodeId });
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
