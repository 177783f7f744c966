/** Bytes with one bit flipped; bit 0 is the least significant one of the first byte. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

/** Bytes with each of their bits flipped in turn. */
export function everyFlip(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length * 8 }, (_, bit) => flipped(bytes, bit));
}

/** Bytes cut off everywhere, from one byte left to one byte missing, and with one byte more. */
export function everyLength(bytes: Uint8Array): Uint8Array[] {
  const cut = Array.from({ length: bytes.length - 1 }, (_, index) => bytes.slice(0, index + 1));
  return [...cut, Uint8Array.from([...bytes, 0])];
}

/** All of these. */
export function everyDamage(bytes: Uint8Array): Uint8Array[] {
  return [...everyFlip(bytes), ...everyLength(bytes)];
}
