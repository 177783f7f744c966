// Frames of a network under suite 0x01 as gateways hand them over: real sealed packets in real UP envelopes, through one hub, each one new.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
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

/** A meter with the bytes of its handshakes. */
export class BenchMeter {
  #handshake = 0;
  /** Packets sent and rows measured. */
  sent = 0;
  measured = 0;

  constructor(name, gateway) {
    this.gateway = gateway;
    this.keyPair = keyPairOf(nodeProvider, createHash('sha256').update(`bench ${name}`).digest());
    this.key = Buffer.from(this.keyPair.publicKey).toString('hex');
    this.nodeId = createHash('sha256').update(this.keyPair.publicKey).digest().subarray(0, 6).toString('hex');
    this.logId = randomBytes(4).toString('hex');
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

  /** An M1 in its envelope. */
  joinEnvelope(number) {
    return envelopeOf(number, [0], this.m1());
  }
}

/** What a joined meter needs to send: plain data, for another thread. */
function senderOf({ nodeId, logId, session, shortId, keys, sent, measured }) {
  return { nodeId, logId, session, shortId, key: keys.up, sent, measured };
}

/** The next UP envelope of a sender: a transport packet with its next `rows` rows. */
function nextEnvelope(sender, number, rows) {
  const first = sender.measured + 1;
  sender.measured += rows;
  const header = {
    ...{ type: 'up', suite: SUITE_ECC, fragment: false, nodeId: sender.nodeId, session: sender.session },
    counter: sender.sent++,
  };
  const section = {
    ...{ kind: 'readings', logId: sender.logId, oldest: 1, first, t0S: T0_S + first * INTERVAL_S },
    ...{ intervalS: INTERVAL_S, quality: 'good', mask: 0b101 },
    rows: Array.from({ length: rows }, (_, index) => rowOf(first + index)),
  };
  const packet = sealPacket(nodeProvider, sender.key, header, encodeUpSections([section]));
  return envelopeOf(number, [sender.shortId, HUB], packet);
}

function envelopeOf(number, route, packet) {
  const item = { more: false, urgent: false, route, packet };
  return encodeGatewayEnvelope({ type: 'up', number, rssiDbm: -70, utcMs: 0, item });
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

/** Bytes of `count` frames of `senders` in turn, one after the other, and where each ends. */
export function packFrames({ senders, count, rows }) {
  const envelopes = [];
  const ends = new Uint32Array(count);
  let end = 0;
  for (let index = 0; index < count; index++) {
    const envelope = nextEnvelope(senders[index % senders.length], index + 1, rows);
    envelopes.push(envelope);
    end += envelope.length;
    ends[index] = end;
  }
  const bytes = new Uint8Array(end);
  envelopes.forEach((envelope, index) => {
    bytes.set(envelope, index === 0 ? 0 : ends[index - 1]);
  });
  return { bytes, ends };
}

/**
 * `count` new frames of `rows` rows each, as a link gets them. The meters take turns, each through its own gateway. Another thread makes them:
 * what is left over of that is not the head-end's.
 */
export async function makeFrames(meters, count, rows) {
  const worker = new Worker(new URL('frames-worker.js', import.meta.url), {
    workerData: { senders: meters.map(senderOf), count, rows },
  });
  const [{ bytes, ends }] = await once(worker, 'message');
  await once(worker, 'exit');
  meters.forEach((meter, index) => {
    const sent = Math.ceil((count - index) / meters.length);
    meter.sent += sent;
    meter.measured += sent * rows;
  });
  return new Frames(meters, bytes, ends);
}

/** Frames in the order in which they come. */
class Frames {
  constructor(meters, bytes, ends) {
    this.gateways = meters.map(({ gateway }) => gateway);
    this.bytes = bytes;
    this.ends = ends;
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
