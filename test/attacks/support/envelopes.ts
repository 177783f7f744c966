import {
  decodeGatewayEnvelope,
  decodeHostEnvelope,
  type Envelope,
  encodeGatewayEnvelope,
  encodeHostEnvelope,
  type HostEnvelope,
} from '../../../nodes/headend/frame/envelope.ts';
import { decodePacket, type Packet, type PacketHeader } from '../../../nodes/headend/frame/packet.ts';

type Up = Extract<Envelope, { type: 'up' }>;
type Down = Extract<HostEnvelope, { type: 'down' }>;

/** What a gateway, or who sits in its place, sees of the packets that it carries. */

/** An UP envelope with a packet in it, and that packet's header. */
export function upPacket(bytes: Uint8Array): (Up & { readonly packet: Packet }) | undefined {
  const envelope = decodeGatewayEnvelope(bytes);
  if (envelope.type !== 'up' || envelope.item.packet.length === 0) return undefined;
  return { ...envelope, packet: decodePacket(envelope.item.packet) };
}

/** The same of a DOWN envelope; `bytes` of the packet as they are. */
export function downPacket(bytes: Uint8Array): (Down & { readonly header: PacketHeader }) | undefined {
  const envelope = decodeHostEnvelope(bytes);
  return envelope.type === 'down' ? { ...envelope, header: decodePacket(envelope.packet) } : undefined;
}

/** An UP envelope under another number, as if its packet had come again over the air. */
export function renumbered(bytes: Uint8Array, number: number): Uint8Array {
  const envelope = decodeGatewayEnvelope(bytes);
  return encodeGatewayEnvelope(envelope.type === 'up' ? { ...envelope, number } : envelope);
}

/** An UP envelope with a packet of the caller's. */
export function upWith(packet: Uint8Array, number: number): Uint8Array {
  const item = { more: false, urgent: false, route: [0], packet };
  return encodeGatewayEnvelope({ type: 'up', number, rssiDbm: -70, utcMs: 0, item });
}

/** A DOWN envelope with another packet, token and life. */
export function downWith(packet: Uint8Array, token: number, expiresS = 0xffff_ffff): Uint8Array {
  return encodeHostEnvelope({ type: 'down', token, expiresS, hold: false, packet });
}

/** The host's word that it has these items, which it never had. */
export function upAckOf(...numbers: number[]): Uint8Array {
  return encodeHostEnvelope({ type: 'upAck', numbers });
}
