import { equalBytes } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';

/** Shorter draws may come twice by chance. */
const WATCHED_BYTES_MIN = 12;

/**
 * The same generator under watch: `randomStuck` when a draw is one byte over and over, or begins as the one before did. Keys must not be made of
 * either. (The continuous test of FIPS 140-2, section 4.9.2.)
 */
export function watchedRandom(random: (length: number) => Uint8Array): (length: number) => Uint8Array {
  let before: Uint8Array | undefined;
  return (length) => {
    const bytes = random(length);
    if (length < WATCHED_BYTES_MIN) return bytes;
    const begin = bytes.slice(0, WATCHED_BYTES_MIN);
    const isConstant = bytes.every((byte) => byte === bytes[0]);
    if (isConstant || (before && equalBytes(before, begin))) {
      throw new WattmeshError(
        'randomStuck',
        "this machine's random generator is stuck, so that keys would be known: repair or replace the machine",
      );
    }
    before = begin;
    return bytes;
  };
}
