// The stages of a packet's way by themselves, each beside node:crypto opening the same packets and doing nothing else.
import { createDecipheriv } from 'node:crypto';
import { decodeGatewayEnvelope } from '../../dist/nodes/headend/frame/envelope.js';
import { decodePacket } from '../../dist/nodes/headend/frame/packet.js';
import { decodeUpSections } from '../../dist/nodes/headend/frame/sections.js';
import { networkNumber } from '../../dist/nodes/headend/security/keys.js';
import { keyPairOf } from '../../dist/nodes/headend/security/noise.js';
import { packetNonce } from '../../dist/nodes/headend/security/nonce.js';
import { nodeProvider } from '../../dist/nodes/headend/security/provider-node.js';
import { eccEngine } from '../../dist/nodes/headend/security/suite-ecc.js';
import { BenchMeter, headEndKey, NETWORK, rowOf } from './frames.js';
import { newFolder, storeIn } from './head-end.js';
import { perSecond, rate } from './measure.js';

/** Scalar multiplications that the answering side of a Noise IK handshake cannot do without: es, ss, an ephemeral key, ee, se. */
const MULTIPLICATIONS = 5;
/** Frames of a commit: 50 ms of 50,000 a second. */
const GROUP_FRAMES = 2_500;
const TAG_BYTES = 16;

const engine = eccEngine({ provider: nodeProvider, staticKey: headEndKey, networkNumber: networkNumber(NETWORK) });

/** M1 to M2; the ceiling is its share of X25519. */
export function handshakeRound(count) {
  const m1s = Array.from({ length: 64 }, (_, index) => decodePacket(new BenchMeter(`handshake ${index}`).m1()));
  const answer = {
    ...{ session: 1, shortId: 1, keyId: 1, networkKey: new Uint8Array(16), localHubId: 0, utcMs: Date.now() },
    ...{ acknowledged: 0, policy: { suiteNone: false, flooding: false } },
  };
  const [one, other] = [keyPairOf(nodeProvider), keyPairOf(nodeProvider)];
  const multiplied = perSecond(count, () => nodeProvider.x25519(one.secret, other.publicKey));
  const done = perSecond(count, (index) => engine.openM1(m1s[index % m1s.length]).respond(answer, 1));
  return { perSecond: done, ceilingPerSecond: multiplied / MULTIPLICATIONS };
}

/** node:crypto opens the packets of all frames. */
export function rawOpenPerSecond(meters, frames, count) {
  const keys = new Map(meters.map(({ nodeId, keys }) => [nodeId, keys.up]));
  const inputs = Array.from({ length: Math.min(frames.count, 1_000) }, (_, index) => {
    const { nodeId, counter, header, body } = decodePacket(packetOf(frames, index));
    const [text, tag] = [body.subarray(0, -TAG_BYTES), body.subarray(-TAG_BYTES)];
    return { key: keys.get(nodeId), nonce: packetNonce(counter), header, text, tag };
  });
  return perSecond(count, (index) => {
    const { key, nonce, header, text, tag } = inputs[index % inputs.length];
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(tag);
    decipher.setAAD(header, { plaintextLength: text.length });
    decipher.update(text);
    decipher.final();
  });
}

/** Packet bytes to plaintext. */
export function openPerSecond(meters, frames, count) {
  const sessions = new Map(meters.map(({ nodeId, keys }) => [nodeId, { keys }]));
  const packets = Array.from({ length: frames.count }, (_, index) => packetOf(frames, index));
  return perSecond(count, (index) => {
    const packet = decodePacket(packets[index % packets.length]);
    engine.open(packet, sessions.get(packet.nodeId));
  });
}

/** Envelope bytes to a packet, and plaintext to rows. */
export function decodePerSecond(meters, frames, count) {
  const sessions = new Map(meters.map(({ nodeId, keys }) => [nodeId, { keys }]));
  const plaintexts = Array.from({ length: frames.count }, (_, index) => {
    const packet = decodePacket(packetOf(frames, index));
    return engine.open(packet, sessions.get(packet.nodeId));
  });
  return perSecond(count, (index) => {
    const at = index % plaintexts.length;
    decodePacket(packetOf(frames, at));
    decodeUpSections(plaintexts[at]);
  });
}

function packetOf(frames, index) {
  return decodeGatewayEnvelope(frames.envelope(index)).item.packet;
}

/** Groups as the head-end commits them: one row per frame, and the session and log of every node that was heard. */
export async function storePerSecond(groups, nodes) {
  const folder = newFolder();
  const store = await storeIn(folder);
  try {
    await store.open();
    const all = Array.from({ length: groups }, (_, index) => groupOf(index, nodes));
    let sent = 0;
    const startMs = performance.now();
    for (const group of all) {
      const { outbox } = await store.commit({ ...group, outboxSent: sent });
      sent += outbox.length;
    }
    const done = rate(groups * GROUP_FRAMES, startMs);
    if ((await store.count()) !== groups * GROUP_FRAMES) throw new Error('rows are missing in the store');
    return done;
  } finally {
    await store.close();
  }
}

function groupOf(index, nodes) {
  const rows = [];
  const sessions = new Map();
  const logs = new Map();
  for (let number = index * GROUP_FRAMES; number < (index + 1) * GROUP_FRAMES; number++) {
    const node = number % nodes;
    const log = { key: node.toString(16).padStart(64, '0'), logId: '01020304' };
    const seq = Math.floor(number / nodes) + 1;
    const row = { ...log, seq, measuredAtMs: seq * 60_000, intervalS: 60, quality: 'good', ...rowOf(seq) };
    const way = { gateway: `gw${node % 32}`, rssiDbm: -70, route: [node + 1, 0x8001] };
    rows.push({ row, arrival: { receivedAtMs: index * 50, session: 1, suite: 1, ...way } });
    sessions.set(log.key, {
      ...{ key: log.key, slot: 'current', sessionId: 1, suite: 1, highest: seq, window: 2n ** 64n - 1n },
      ...{ downCounter: 0, handshakeHash: log.key, logId: log.logId, beganMs: 1, sealedKeys: '00'.repeat(93) },
    });
    logs.set(log.key, { ...log, cumulative: seq, ranges: [], gaps: [] });
  }
  return { rows, nodes: [], sessions: [...sessions.values()], clearedSessions: [], logs: [...logs.values()] };
}
