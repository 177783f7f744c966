import { toHex } from './bytes.ts';
import type { Clock } from './clock.ts';
import { WattmeshError } from './errors.ts';
import { decodePacket, type Packet } from './frame/packet.ts';
import { decodeUpSections } from './frame/sections.ts';
import type { Gate } from './gate.ts';
import type { JoinRequest, Transport } from './intake.ts';
import { checkHandshake, type Joined } from './joining.ts';
import type { M2Cache } from './m2-cache.ts';
import type { Registry } from './registry.ts';
import { sha256 } from './security/keys.ts';
import { isSpent, sessionIn, slotOf } from './security/session.ts';
import type { Suites } from './security/suites.ts';

/** An M1 that was answered before: its M2 again. */
export interface Answered {
  readonly kind: 'answered';
  readonly joined: Joined;
}

export interface OpenerParts {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly suites: Suites;
  readonly gate: Gate;
  readonly m2s: M2Cache;
}

/** Opens end-to-end packets from nodes. */
export class Opener {
  readonly #parts: OpenerParts;

  constructor(parts: OpenerParts) {
    this.#parts = parts;
  }

  /**
   * Opens a packet that came through `gateway`: an M1, or a transport packet of a session. Undefined for a part of an M1 whose other part is
   * missing. Throws the closed set's error for anything else; nothing has changed then.
   */
  open(bytes: Uint8Array, gateway: string): JoinRequest | Transport | Answered | undefined {
    const packet = decodePacket(bytes);
    if (packet.type === 'up') return this.#transport(packet);
    if (packet.type === 'm1') return this.#m1(packet, gateway);
    throw new WattmeshError('unknownType', `a node does not send packets of type ${packet.type}`);
  }

  /** What is cheap comes first: M1 is not authenticated until it is open. */
  #m1(part: Packet, gateway: string): JoinRequest | Answered | undefined {
    const { clock, suites, gate, m2s } = this.#parts;
    const engine = suites.require(part.suite);
    const packet = engine.assemble(part);
    if (!packet) return undefined;
    const hash = toHex(sha256(packet.header, packet.body));
    const joined = m2s.get(hash, clock.nowMs());
    if (joined) return { kind: 'answered', joined };
    gate.pass(packet.nodeId, gateway);
    const handshake = engine.openM1(packet);
    checkHandshake(handshake, packet.counter);
    return { kind: 'join', nodeId: packet.nodeId, handshake, hash };
  }

  #transport(packet: Packet): Transport {
    const { registry, suites, clock } = this.#parts;
    const { nodeId, counter } = packet;
    const node = registry.get(nodeId);
    if (!node) throw new WattmeshError('unknownNode', `node ${nodeId} has never joined`);
    const slot = slotOf(node.sessions, packet.session);
    const session = slot && sessionIn(node.sessions, slot);
    if (!session) throw new WattmeshError('notJoined', `node ${nodeId} has no session ${packet.session}`);
    if (session.suite !== packet.suite) {
      throw new WattmeshError('suiteRefused', `session ${packet.session} of node ${nodeId} belongs to another suite`);
    }
    if (isSpent(session, counter, clock.nowMs())) {
      throw new WattmeshError('notJoined', `session ${packet.session} of node ${nodeId} has ended: it joins again`);
    }
    const plaintext = suites.require(packet.suite).open(packet, session);
    // The registry's own text for the node id: it goes on to many look-ups.
    return { kind: 'transport', nodeId: node.record.nodeId, session, counter, sections: decodeUpSections(plaintext) };
  }
}
