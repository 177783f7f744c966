/** Arithmetic in GF(256) with the primitive polynomial of ISO/IEC 18004, section 7.5.2. */
const PRIMITIVE = 0x11d;
const ORDER = 255;

const POWERS = new Uint8Array(2 * ORDER);
const LOGARITHMS = new Uint8Array(ORDER + 1);
for (let exponent = 0, value = 1; exponent < ORDER; exponent++) {
  POWERS[exponent] = value;
  POWERS[exponent + ORDER] = value;
  LOGARITHMS[value] = exponent;
  value = value < 0x80 ? value << 1 : (value << 1) ^ PRIMITIVE;
}

function product(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return POWERS[(LOGARITHMS[a] as number) + (LOGARITHMS[b] as number)] as number;
}

/** Coefficients of (x - 2^0)(x - 2^1)...(x - 2^(count-1)) below the highest one, which is 1. */
function generator(count: number): Uint8Array {
  let coefficients = Uint8Array.of(1);
  for (let exponent = 0; exponent < count; exponent++) {
    const next = new Uint8Array(coefficients.length + 1);
    coefficients.forEach((coefficient, index) => {
      next[index] = (next[index] as number) ^ coefficient;
      next[index + 1] = (next[index + 1] as number) ^ product(coefficient, POWERS[exponent] as number);
    });
    coefficients = next;
  }
  return coefficients.subarray(1);
}

/** The `count` error correction codewords of a block of data codewords (ISO/IEC 18004, section 7.5.2): the remainder of a long division. */
export function correctionCodewords(data: Uint8Array, count: number): Uint8Array {
  const divisor = generator(count);
  const remainder = new Uint8Array(count);
  for (const codeword of data) {
    const factor = codeword ^ (remainder[0] as number);
    remainder.copyWithin(0, 1);
    remainder[count - 1] = 0;
    divisor.forEach((coefficient, index) => {
      remainder[index] = (remainder[index] as number) ^ product(coefficient, factor);
    });
  }
  return remainder;
}
