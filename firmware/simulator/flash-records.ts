import { Reader, Writer } from '../../nodes/headend/bytes.ts';
import { crc32 } from '../../nodes/headend/frame/crc.ts';
import { type Flash, SECTOR_BYTES } from './flash.ts';
import { RECORD_MAGIC, RECORD_ROOM, RECORD_SLOT_BYTES } from './provision.ts';

const JOURNAL_SECTORS = 2;
const HEADER_BYTES = 8;
const SLOT_HEAD_BYTES = 4;
const CRC_BYTES = 4;

/**
 * The records of a device's flash as its firmware would find them now: the last valid value of each key in the sector in force, none on a flash
 * that was never used. The layout is that of firmware/lib/wattmesh/src/wattmesh/records.hpp.
 */
export function readRecords(flash: Flash): Map<number, Uint8Array> {
  const records = new Map<number, Uint8Array>();
  const address = sectorInForce(flash);
  if (address === undefined) return records;
  const slot = new Uint8Array(RECORD_SLOT_BYTES);
  for (let at = RECORD_ROOM; at + RECORD_SLOT_BYTES <= SECTOR_BYTES; at += RECORD_SLOT_BYTES) {
    flash.read(address + at, slot);
    const content = slot.subarray(0, RECORD_SLOT_BYTES - CRC_BYTES);
    if (new Reader(slot.subarray(content.length)).u32() !== crc32(content)) continue;
    const [key = 0, length = 0] = slot;
    records.set(key, content.slice(SLOT_HEAD_BYTES, SLOT_HEAD_BYTES + length));
  }
  return records;
}

/** Address of the sector whose header is valid and newer. */
function sectorInForce(flash: Flash): number | undefined {
  let found: { readonly address: number; readonly sequence: number } | undefined;
  const header = new Uint8Array(HEADER_BYTES);
  for (let sector = 0; sector < JOURNAL_SECTORS; sector++) {
    const address = sector * SECTOR_BYTES;
    flash.read(address, header);
    const reader = new Reader(header);
    const sequence = reader.u32();
    const magic = crc32(new Writer(4).u32(RECORD_MAGIC).finish());
    const isValid = reader.u32() === crc32(header.subarray(0, 4), magic);
    if (isValid && (found === undefined || sequence > found.sequence)) found = { address, sequence };
  }
  return found?.address;
}
