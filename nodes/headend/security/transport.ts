import { WattmeshError } from '../errors.ts';
import { encodePacketHeader, PACKET_BYTES_MAX, type Packet, type PacketHeader } from '../frame/packet.ts';
import { packetNonce, writePacketNonce } from './nonce.ts';
import { AEAD_TAG_BYTES, type CryptoProvider } from './provider.ts';
import type { Keyed, SessionKeys } from './suite.ts';

/** Transport packets of the suites with keys, in both directions (PROTOCOL.md, section 3.1). */

/** A session ends before its counters reach this, and after SESSION_LIFE_MS at the latest. */
export const SESSION_PACKETS_MAX = 2 ** 24;
export const SESSION_LIFE_MS = 30 * 24 * 3600 * 1000;

/** Providers do not keep it: every packet to open takes it over from the one before. */
const openingNonce = packetNonce(0);

/** The plaintext of a packet sealed with `key`; `truncated` or `badTag`. */
export function openSealed(provider: CryptoProvider, key: Uint8Array, packet: Packet): Uint8Array {
  const { body, header, counter, epoch } = packet;
  if (body.length < AEAD_TAG_BYTES) {
    throw new WattmeshError('truncated', `a packet's body of ${body.length} bytes has no room for its tag`);
  }
  writePacketNonce(openingNonce, counter, epoch);
  const plaintext = provider.aeadOpen(key, openingNonce, header, body);
  if (!plaintext)
    throw new WattmeshError('badTag', "the packet's tag does not verify: forged, damaged, or of another session");
  return plaintext;
}

/** A whole packet. The caller answers for it that no counter (and epoch) is ever used twice with one key. */
export function sealPacket(
  provider: CryptoProvider,
  key: Uint8Array,
  header: PacketHeader,
  plaintext: Uint8Array,
): Uint8Array {
  const aad = encodePacketHeader(header);
  const length = aad.length + plaintext.length + AEAD_TAG_BYTES;
  if (length > PACKET_BYTES_MAX) {
    throw new WattmeshError('oversize', `a packet would have ${length} bytes: at most ${PACKET_BYTES_MAX} are allowed`);
  }
  return withHeader(aad, provider.aeadSeal(key, packetNonce(header.counter, header.epoch), aad, plaintext));
}

/** Header and what follows it as one packet. */
export function withHeader(header: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat([header, ...parts]));
}

/** The keys of a session that must have them: a session without belongs to another suite, and nothing of it verifies here. */
export function keysOf({ keys }: Keyed): SessionKeys {
  if (!keys) throw new WattmeshError('noKey', 'this session has no keys: the node starts over with a new handshake');
  return keys;
}
