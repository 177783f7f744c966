/** Level M: 15 % of the codewords can be restored. */
export const LEVEL_M = 0b00;

/** Which modules each mask turns over (ISO/IEC 18004, table 10). */
export const MASKS: readonly ((row: number, column: number) => boolean)[] = [
  (row, column) => (row + column) % 2 === 0,
  (row) => row % 2 === 0,
  (_row, column) => column % 3 === 0,
  (row, column) => (row + column) % 3 === 0,
  (row, column) => (Math.floor(row / 2) + Math.floor(column / 3)) % 2 === 0,
  (row, column) => ((row * column) % 2) + ((row * column) % 3) === 0,
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2 === 0,
  (row, column) => (((row + column) % 2) + ((row * column) % 3)) % 2 === 0,
];

/** A number with its BCH check bits behind it: as many as the generator has bits, less one (ISO/IEC 18004, annexes C and D). */
export function withCheck(value: number, generator: number): number {
  const width = bitLength(generator) - 1;
  let remainder = value << width;
  for (let length = bitLength(remainder); length > width; length = bitLength(remainder)) {
    remainder ^= generator << (length - width - 1);
  }
  return (value << width) | remainder;
}

function bitLength(value: number): number {
  return 32 - Math.clz32(value);
}
