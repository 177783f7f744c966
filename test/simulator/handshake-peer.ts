import type { World } from '../../firmware/simulator/world.ts';
import { decodeGatewayEnvelope, encodeHostEnvelope, type HostEnvelope } from '../../nodes/headend/frame/envelope.ts';
import type { M1Payload, M2Payload } from '../../nodes/headend/frame/handshake.ts';
import { decodePacket, type Packet, type Suite } from '../../nodes/headend/frame/packet.ts';
import {
  type DownSection,
  decodeUpSections,
  encodeDownSections,
  type UpSection,
} from '../../nodes/headend/frame/sections.ts';
import type { SessionKeys, SuiteEngine } from '../../nodes/headend/security/suite.ts';

const EPOCH = 1_700_000_000;
const SESSION = 9;
const TIME_EVERY_US = 10_000_000;
const DOWN_LIFE_S = 60;

/** A node that has said M1, and what it has said since. */
export interface Peer {
  readonly suite: Suite;
  readonly payload: M1Payload;
  readonly shortId: number;
  readonly m2: Uint8Array;
  readonly keys: SessionKeys | undefined;
  readonly sections: UpSection[];
  readonly counters: number[];
}

/**
 * The least that answers handshakes: a suite's engine at the other end of a simulated gateway's host link. It lets everybody in, opens what
 * comes, acknowledges every batch and stores nothing, so that only the firmware and the engine are on trial.
 */
export class HandshakePeer {
  /** By node id. */
  readonly peers = new Map<string, Peer>();
  /** Packets of every M1 that came, by node id, in hex. */
  readonly m1 = new Map<string, string[]>();
  readonly failures: Error[] = [];
  /** What is done to an M2 before it leaves; undefined: it is lost. */
  tamper: (m2: Uint8Array) => Uint8Array | undefined = (m2) => m2;
  readonly #world: World;
  readonly #engine: SuiteEngine;
  #token = 0;
  #downCounter = 0;

  /** The network key that M2 brings. */
  networkKey: { readonly keyId: number; readonly bytes: Uint8Array };

  constructor(world: World, engine: SuiteEngine, networkKey: Uint8Array) {
    this.#world = world;
    this.#engine = engine;
    this.networkKey = { keyId: 1, bytes: networkKey };
    world.gateway.onHostBytes((bytes) => this.#envelope(bytes));
    this.#tellTime();
  }

  /** Sends sections in a sealed packet; returns its counter. */
  command(nodeId: string, ...sections: DownSection[]): number {
    const peer = this.peers.get(nodeId);
    if (!peer) throw new RangeError(`no node ${nodeId} has said M1`);
    const counter = this.#downCounter++;
    const header = { type: 'down', suite: peer.suite, fragment: false, nodeId, session: SESSION } as const;
    const plaintext = encodeDownSections(sections);
    this.#down(this.#engine.seal({ ...header, epoch: EPOCH, counter }, { keys: peer.keys } as Peer, plaintext));
    return counter;
  }

  #tellTime(): void {
    this.#send({ type: 'time', utcMs: this.#world.utcMs(), synchronised: true });
    const { schedule } = this.#world;
    schedule.at(schedule.nowUs + TIME_EVERY_US, () => this.#tellTime());
  }

  #envelope(bytes: Uint8Array): void {
    const envelope = decodeGatewayEnvelope(bytes);
    if (envelope.type === 'hello') {
      this.#send({ type: 'hello', instanceId: '0123456789abcdef', networkNumber: envelope.networkNumber });
    }
    if (envelope.type !== 'up') return;
    this.#send({ type: 'upAck', numbers: [envelope.number] });
    try {
      this.#packet(decodePacket(envelope.item.packet), envelope.item.packet);
    } catch (error) {
      this.failures.push(error as Error);
    }
  }

  #packet(packet: Packet, bytes: Uint8Array): void {
    if (packet.type === 'm1') this.#m1(packet, bytes);
    else this.#transport(packet);
  }

  #transport(packet: Packet): void {
    const peer = this.peers.get(packet.nodeId);
    if (!peer) throw new Error(`a packet of ${packet.nodeId}, which has said no M1`);
    const sections = decodeUpSections(this.#engine.open(packet, { keys: peer.keys } as Peer));
    peer.sections.push(...sections);
    peer.counters.push(packet.counter);
    for (const section of sections) {
      if (section.kind !== 'readings') continue;
      const cumulative = section.first + section.rows.length - 1;
      const { logId } = section;
      this.command(packet.nodeId, { kind: 'ack', logId, cumulative, utcMs: this.#world.utcMs(), ranges: [] });
    }
  }

  #m1(packet: Packet, bytes: Uint8Array): void {
    const { nodeId } = packet;
    this.m1.set(nodeId, [...(this.m1.get(nodeId) ?? []), Buffer.from(bytes).toString('hex')]);
    const whole = this.#engine.assemble(packet);
    if (!whole) return;
    const known = this.peers.get(nodeId);
    const repeated = known?.payload.handshake === packet.counter;
    const peer = repeated ? known : this.#answer(whole);
    this.peers.set(nodeId, peer);
    const m2 = this.tamper(peer.m2.slice());
    if (m2) this.#down(m2);
  }

  #answer(packet: Packet): Peer {
    const { payload, suite, respond } = this.#engine.openM1(packet);
    const number = this.#number(packet.nodeId);
    const shortId = payload.role === 'meter' ? number : 0x8000 + number;
    const answer: M2Payload = {
      session: SESSION,
      shortId,
      keyId: this.networkKey.keyId,
      networkKey: this.networkKey.bytes,
      localHubId: payload.localHubId,
      utcMs: this.#world.utcMs(),
      acknowledged: 0,
      policy: { suiteNone: false, flooding: false },
    };
    const { m2, keys } = respond(answer, EPOCH);
    return { suite, payload, shortId, m2, keys, sections: [], counters: [] };
  }

  /** The same for every handshake of a node. */
  #number(nodeId: string): number {
    const place = [...this.peers.keys()].indexOf(nodeId);
    return place < 0 ? this.peers.size + 1 : place + 1;
  }

  #down(packet: Uint8Array): void {
    const expiresS = Math.floor(this.#world.utcMs() / 1000) + DOWN_LIFE_S;
    this.#send({ type: 'down', token: this.#token++, expiresS, hold: false, packet });
  }

  #send(envelope: HostEnvelope): void {
    this.#world.gateway.hostBytes(encodeHostEnvelope(envelope));
  }
}
