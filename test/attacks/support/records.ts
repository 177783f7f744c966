import type { Flash } from '../../../firmware/simulator/flash.ts';
import { RECORD_ROOM, recordSlot } from '../../../firmware/simulator/provision.ts';

/**
 * Writes a valid record behind those that a device has in the first sector of its journal, as somebody with a programmer can: from the next
 * boot on it is the value of its key.
 */
export function appendRecord(flash: Flash, key: number, data: Uint8Array): void {
  const slot = recordSlot(key, data);
  const there = new Uint8Array(slot.length);
  let address = RECORD_ROOM;
  while (flash.read(address, there) && there.some((byte) => byte !== 0xff)) address += slot.length;
  flash.write(address, slot);
}
