import { toHex, Writer } from '../../nodes/headend/bytes.ts';
import { crc32 } from '../../nodes/headend/frame/crc.ts';
import { nodeIdOf } from '../../nodes/headend/security/keys.ts';
import type { Flash } from './flash.ts';
import { x25519 } from './provider.ts';
import { Random } from './random.ts';

/**
 * Records in a device's flash before its first boot, as a factory would write them: a simulated mesh that starts again and again on empty
 * flash keeps its devices' keys, and its handshake numbers still rise. The layout is that of firmware/lib/wattmesh/src/wattmesh/records.hpp.
 */

export const RECORD_MAGIC = 0x31724d57;
/** Where the first sector of the journal has its first record. */
export const RECORD_ROOM = 16;
export const RECORD_SLOT_BYTES = 40;
const DATA_BYTES = 32;
export const RECORD = { identity: 1, handshake: 7, linkCounter: 8, bootCount: 9, ownerEpoch: 11 } as const;

const KEY_BYTES = 32;
/** RFC 7748, section 4.1. */
const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(KEY_BYTES - 1));

/** Handshake numbers start at the quarters of a second since this moment: 32 bits last for 34 years. */
const NUMBERS_SINCE_MS = Date.UTC(2025, 0, 1);
const NUMBER_MS = 250;

/** What a device is provisioned with. */
export interface Provision {
  /** X25519 private key, 32 bytes. */
  readonly identity: Uint8Array;
  /** The last handshake number that was used. */
  readonly handshake: number;
  /** End of the link counters that were reserved; default: none were. */
  readonly linkCounter?: number;
  /** Starts so far; default: none. */
  readonly bootCount?: number;
}

/** The private key of a device, fixed by the mesh's lasting seed and the device's id. */
export function identityOf(lastingSeed: string, id: string): Uint8Array {
  return new Random(lastingSeed).fork(`identity ${id}`).bytes(KEY_BYTES);
}

/** Public half of a device's private key. */
export function publicKeyOf(identity: Uint8Array): Uint8Array {
  return x25519(identity, BASE_POINT);
}

/** Node id of a device with this private key, hex. */
export function nodeIdOfIdentity(identity: Uint8Array): string {
  return nodeIdOf(publicKeyOf(identity));
}

/** The pre-shared key on a device's label, for suite 0x10, fixed as its identity is. */
export function pskOf(lastingSeed: string, id: string): Uint8Array {
  return new Random(lastingSeed).fork(`psk ${id}`).bytes(KEY_BYTES);
}

/** The list of devices that the factory delivers with them: CSV of key and psk, without names and hubs. */
export function factoryList(lastingSeed: string, ids: readonly string[]): string {
  const lines = ids.map((id) => {
    const key = publicKeyOf(identityOf(lastingSeed, id));
    return `${toHex(key)},,,${toHex(pskOf(lastingSeed, id))}\n`;
  });
  return `key,name,hub,psk\n${lines.join('')}`;
}

/** A handshake number above all that a start before `utcMs` can have used. */
export function handshakeAt(utcMs: number): number {
  return Math.max(0, Math.floor((utcMs - NUMBERS_SINCE_MS) / NUMBER_MS));
}

/** Link counters are reserved in blocks of so many; a start leaves one out (PROTOCOL.md, section 2.1). */
const LINK_BLOCK = 4096;
/** Numbers of a device that has seen much: the boot count comes round at its third start, the others pass 2^31 soon. */
export const OLD_NUMBERS = { handshake: 2 ** 31 - 3, linkCounter: 2 ** 31 - LINK_BLOCK - 30, bootCount: 2 ** 16 - 3 };

/** Writes the records into an empty flash. */
export function provision(flash: Flash, { identity, handshake, linkCounter, bootCount }: Provision): void {
  const sequence = new Writer(4).u32(1).finish();
  const crc = crc32(sequence, crc32(new Writer(4).u32(RECORD_MAGIC).finish()));
  flash.write(0, new Writer(8).bytes(sequence).u32(crc).finish());
  const slots = [
    recordSlot(RECORD.identity, identity),
    recordSlot(RECORD.handshake, new Writer(4).u32(handshake).finish()),
    ...(linkCounter === undefined ? [] : [recordSlot(RECORD.linkCounter, new Writer(4).u32(linkCounter).finish())]),
    ...(bootCount === undefined ? [] : [recordSlot(RECORD.bootCount, new Writer(2).u16(bootCount).finish())]),
  ];
  for (const [index, slot] of slots.entries()) flash.write(RECORD_ROOM + index * RECORD_SLOT_BYTES, slot);
}

/** A record as it stands in the journal, 40 bytes; `data` has at most 32. */
export function recordSlot(key: number, data: Uint8Array): Uint8Array {
  const padding = new Uint8Array(DATA_BYTES - data.length);
  const content = new Writer(RECORD_SLOT_BYTES).u8(key).u8(data.length).u16(0).bytes(data).bytes(padding).finish();
  return new Writer(RECORD_SLOT_BYTES).bytes(content).u32(crc32(content)).finish();
}
