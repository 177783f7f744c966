// Frames of a network under suite 0x01 as gateways hand them over: real sealed packets in real UP envelopes, through one hub, each one new.
import { createHash, randomBytes } from 'node:crypto';
import { encodeGatewayEnvelope } from '../../dist/nodes/headend/frame/envelope.js';
import { decodePacket, SUITE_ECC } from '../../dist/nodes/headend/frame/packet.js';
import { encodeUpSections } from '../../dist/nodes/headend/frame/sections.js';
import { networkNumber } from '../../dist/nodes/headend/security/keys.js';
import { keyPairOf } from '../../dist/nodes/headend/security/noise.js';
import { nodeProvider } from '../../dist/nodes/headend/security/provider-node.js';
import { initiateEcc } from '../../dist/nodes/headend/security/suite-ecc.js';
import { sealPacket } from '../../dist/nodes/headend/security/transport.js';

export const NETWORK = 'bench';
export const headEndKey = keyPairOf(nodeProvider);

const INTERVAL_S = 60;
const HUB = 0x8001;
/** Rows begin a month ago, so that none is from the future. */
const T0_S = Math.floor(Date.now() / 1000) - 3600 * 24 * 30;

/** A meter with the bytes of its handshakes and packets. */
export class BenchMeter {
  #handshake = 0;
  #counter = 0;
  #seq = 0;

  constructor(name) {
    this.keyPair = keyPairOf(nodeProvider, createHash('sha256').update(`bench ${name}`).digest());
    this.key = Buffer.from(this.keyPair.publicKey).toString('hex');
    this.nodeId = createHash('sha256').update(this.keyPair.publicKey).digest().subarray(0, 6).toString('hex');
    this.logId = randomBytes(4).toString('hex');
  }

  /** Rows that it has measured. */
  get measured() {
    return this.#seq;
  }

  /** A new M1. */
  m1() {
    const payload = {
      ...{ handshake: ++this.#handshake, logId: this.logId, firmware: '1.0.0', role: 'meter', bootCount: 1 },
      capabilities: { routes: true, relay: false, battery: false, simulated: true },
      ...{ localHubId: 0, shortId: 0, intervalS: INTERVAL_S, pollCycleS: INTERVAL_S, energyClass: 'mains' },
      ...{ resetCause: 'powerOn', registerMask: 0b101 },
    };
    this.initiated = initiateEcc({
      ...{ provider: nodeProvider, staticKey: this.keyPair, headEndKey: headEndKey.publicKey, payload },
      networkNumber: networkNumber(NETWORK),
    });
    return this.initiated.m1[0];
  }

  /** Takes the M2 that answers it. */
  takeM2(packet) {
    const { payload, keys } = this.initiated.readM2(packet);
    this.session = payload.session;
    this.shortId = payload.shortId;
    this.keys = keys;
  }

  /** The next transport packet, with the next `rows` rows. */
  packet(rows) {
    const first = this.#seq + 1;
    this.#seq += rows;
    const header = {
      ...{ type: 'up', suite: SUITE_ECC, fragment: false, nodeId: this.nodeId, session: this.session },
      counter: this.#counter++,
    };
    const section = {
      ...{ kind: 'readings', logId: this.logId, oldest: 1, first, t0S: T0_S + first * INTERVAL_S },
      ...{ intervalS: INTERVAL_S, quality: 'good', mask: 0b101 },
      rows: Array.from({ length: rows }, (_, index) => rowOf(first + index)),
    };
    return sealPacket(nodeProvider, this.keys.up, header, encodeUpSections([section]));
  }

  /** A packet in its envelope. */
  envelope(number, packet, joined = true) {
    const route = joined ? [this.shortId, HUB] : [0];
    const item = { more: false, urgent: false, route, packet };
    return encodeGatewayEnvelope({ type: 'up', number, rssiDbm: -70, utcMs: 0, item });
  }
}

/** The registers of a row. */
export function rowOf(seq) {
  return { importDwh: 1_000_000 + seq * 50, powerDw: 3000 + (seq % 700) };
}

/** Hands every M2 among packets to its meter. */
export function takeM2s(meters, packets) {
  const byNodeId = new Map(meters.map((meter) => [meter.nodeId, meter]));
  for (const bytes of packets) {
    const packet = decodePacket(bytes);
    if (packet.type === 'm2') byNodeId.get(packet.nodeId)?.takeM2(packet);
  }
}

/** Frames as a link gets them: bytes one after the other, and through which gateway they come. */
export class Frames {
  /** `gateways[n]`: name of the gateway of frames n, n + gateways.length, … */
  constructor(envelopes, gateways) {
    this.gateways = gateways;
    this.bytes = new Uint8Array(Buffer.concat(envelopes));
    this.ends = new Uint32Array(envelopes.length);
    let end = 0;
    envelopes.forEach((envelope, index) => {
      end += envelope.length;
      this.ends[index] = end;
    });
  }

  get count() {
    return this.ends.length;
  }

  gateway(index) {
    return this.gateways[index % this.gateways.length];
  }

  /** The envelope of frame `index`, where it lies. */
  envelope(index) {
    return this.bytes.subarray(index === 0 ? 0 : this.ends[index - 1], this.ends[index]);
  }
}

/** `count` new frames of all meters in turn, `rows` rows each. Every meter always comes through the same gateway. */
export function makeFrames(meters, count, { gateways, rows = 1 }) {
  const envelopes = [];
  for (let index = 0; index < count; index++) {
    const meter = meters[index % meters.length];
    envelopes.push(meter.envelope(index + 1, meter.packet(rows)));
  }
  return new Frames(
    envelopes,
    meters.map((_, index) => `gw${index % gateways}`),
  );
}
