import { type Flash, SECTOR_BYTES } from '../../../firmware/simulator/flash.ts';
import { Reader, Writer } from '../../../nodes/headend/bytes.ts';
import { crc32 } from '../../../nodes/headend/frame/crc.ts';

/** What lies in a device's flash (firmware/lib/wattmesh/src/wattmesh/records.hpp and log.hpp), for those who damage it. */

const RECORD_SECTORS = 2;
const RECORDS_HEADER_ROOM = 16;
export const SLOT_BYTES = 40;
const SLOTS = 102;
const SLOT_DATA_AT = 4;
const CRC_BYTES = 4;
const LOG_AT = RECORD_SECTORS * SECTOR_BYTES;
export const LOG_HEADER_BYTES = 16;
const LOG_MAGIC = new TextEncoder().encode('WMl1');

/** Kinds of records by their numbers. */
export const RECORDS = { identity: 1, networkKey: 5, handshake: 7, linkCounter: 8, bootCount: 9, logId: 14 } as const;

/** A part of the flash. */
export interface Place {
  readonly at: number;
  readonly length: number;
}

/** A copy of a device's whole flash. */
export function imageOf(flash: Flash): Uint8Array {
  const image = new Uint8Array(flash.bytes);
  flash.read(0, image);
  return image;
}

/** Puts a copy, or that part of it, into the flash of a device that is off. */
export function putImage(flash: Flash, image: Uint8Array, from = 0, to = image.length): void {
  for (let at = from; at < to; at += SECTOR_BYTES) {
    flash.erase(at);
    flash.write(at, image.subarray(at, at + SECTOR_BYTES));
  }
}

/** Slots of one kind of record that verify, in the order of the flash; that of the highest number is the newest. */
export function recordSlots(image: Uint8Array, key: number): Place[] {
  const places: Place[] = [];
  for (let sector = 0; sector < RECORD_SECTORS; sector++) {
    for (let slot = 0; slot < SLOTS; slot++) {
      const at = sector * SECTOR_BYTES + RECORDS_HEADER_ROOM + slot * SLOT_BYTES;
      const bytes = image.subarray(at, at + SLOT_BYTES);
      if (bytes[0] === key && verifies(bytes)) places.push({ at, length: SLOT_BYTES });
    }
  }
  return places;
}

/** The number in a record's slot. */
export function numberIn(image: Uint8Array, { at }: Place): number {
  return new Reader(image.subarray(at + SLOT_DATA_AT)).u32();
}

/** The journal's headers. */
export function recordHeaders(): Place[] {
  return Array.from({ length: RECORD_SECTORS }, (_, sector) => ({ at: sector * SECTOR_BYTES, length: 8 }));
}

/** A record as the firmware writes it. */
export function recordSlot(key: number, data: Uint8Array): Uint8Array {
  const padding = new Uint8Array(SLOT_BYTES - SLOT_DATA_AT - CRC_BYTES - data.length);
  const content = new Writer(SLOT_BYTES).u8(key).u8(data.length).u16(0).bytes(data).bytes(padding).finish();
  return new Writer(SLOT_BYTES).bytes(content).u32(crc32(content)).finish();
}

/** Header of the log's sector `index`. */
export function logHeader(index: number): Place {
  return { at: LOG_AT + index * SECTOR_BYTES, length: LOG_HEADER_BYTES };
}

export function logSector(index: number): Place {
  return { at: LOG_AT + index * SECTOR_BYTES, length: SECTOR_BYTES };
}

/** Slot of row `index` of a sector, counted from 0. */
export function logRow(sector: number, index: number): Place {
  return { at: LOG_AT + sector * SECTOR_BYTES + LOG_HEADER_BYTES + index * SLOT_BYTES, length: SLOT_BYTES };
}

/** The whole log; everything before it are records. */
export function logPart(image: Uint8Array): Place {
  return { at: LOG_AT, length: image.length - LOG_AT };
}

/** The header of a log's sector that holds rows from seq `first` on. */
export function logHeaderOf(logId: Uint8Array, sequence: number, first: number): Uint8Array {
  const fields = new Writer(12).bytes(logId).u32(sequence).u32(first).finish();
  return new Writer(LOG_HEADER_BYTES)
    .bytes(fields)
    .u32(crc32(fields, crc32(LOG_MAGIC)))
    .finish();
}

/** What becomes of bytes. */
export const DAMAGES = {
  corrupted: (bytes: Uint8Array) => bytes.map((byte, index) => (index % 7 === 3 ? byte ^ 0x41 : byte)),
  zeroed: (bytes: Uint8Array) => bytes.map(() => 0),
} as const;
export type Damage = keyof typeof DAMAGES;

/** Damages parts of a copy. */
export function damage(image: Uint8Array, kind: Damage, ...places: readonly Place[]): void {
  for (const { at, length } of places) image.set(DAMAGES[kind](image.subarray(at, at + length)), at);
}

function verifies(slot: Uint8Array): boolean {
  const content = slot.subarray(0, SLOT_BYTES - CRC_BYTES);
  return new Reader(slot.subarray(SLOT_BYTES - CRC_BYTES)).u32() === crc32(content);
}
