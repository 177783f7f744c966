import { toHex } from './bytes.ts';
import { WattmeshError } from './errors.ts';
import { decodePacket, type Packet } from './frame/packet.ts';
import { decodeUpSections } from './frame/sections.ts';
import type { JoinRequest, Transport } from './intake.ts';
import { checkHandshake } from './joining.ts';
import type { Registry } from './registry.ts';
import { sha256 } from './security/keys.ts';
import { slotOf } from './security/session.ts';
import { requireEngine, type SuitePolicy } from './security/suites.ts';

/**
 * Opens an end-to-end packet from a node: an M1, or a transport packet of a session. Throws the closed set's error for anything else;
 * nothing has changed then.
 */
export function openPacket(bytes: Uint8Array, registry: Registry, policy: SuitePolicy): JoinRequest | Transport {
  const packet = decodePacket(bytes);
  if (packet.type === 'm1') return openM1(packet, bytes, policy);
  if (packet.type === 'up') return openTransport(packet, registry, policy);
  throw new WattmeshError('unknownType', `a node does not send packets of type ${packet.type}`);
}

function openM1(packet: Packet, bytes: Uint8Array, policy: SuitePolicy): JoinRequest {
  const handshake = requireEngine(packet.suite, policy).openM1(packet);
  checkHandshake(handshake, packet.counter);
  return { kind: 'join', nodeId: packet.nodeId, handshake, hash: toHex(sha256(bytes)) };
}

function openTransport(packet: Packet, registry: Registry, policy: SuitePolicy): Transport {
  const { nodeId, counter } = packet;
  const node = registry.get(nodeId);
  if (!node) throw new WattmeshError('unknownNode', `node ${nodeId} has never joined`);
  const slot = slotOf(node.sessions, packet.session);
  const session = slot && node.sessions[slot];
  if (!session) throw new WattmeshError('notJoined', `node ${nodeId} has no session ${packet.session}`);
  if (session.suite !== packet.suite) {
    throw new WattmeshError('suiteRefused', `session ${packet.session} of node ${nodeId} belongs to another suite`);
  }
  const plaintext = requireEngine(packet.suite, policy).open(packet, session);
  return { kind: 'transport', nodeId, session, counter, sections: decodeUpSections(plaintext) };
}
