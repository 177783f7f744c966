/** Reflected generator polynomial of IEEE 802.3 (clause 3.2.9). */
const POLYNOMIAL = 0xedb88320;

/** Remainder of each byte value: one look-up a byte. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1;
  return remainder;
});

/**
 * CRC-32 of IEEE 802.3: reflected, initial value and final XOR 0xFFFFFFFF; `123456789` gives 0xCBF43926.
 * `before` is the CRC of what came before `bytes`, so `crc32(b, crc32(a))` is the CRC of a followed by b.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (let index = 0; index < bytes.length; index++) {
    crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[index] as number)) & 0xff] as number);
  }
  return ~crc >>> 0;
}
