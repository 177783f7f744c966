import { WattmeshError } from '../headend/errors.ts';
import { correctionCodewords } from './qr-reed-solomon.ts';

/** The 45 characters of the alphanumeric mode, by their values (ISO/IEC 18004, table 5). */
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
const MODE_ALPHANUMERIC = 0b0010;
const MODE_BITS = 4;
const TERMINATOR_BITS = 4;
const PAIR_BITS = 11;
const SINGLE_BITS = 6;
/** Codewords that fill what the text leaves free, in turn. */
const PADDING = [0xec, 0x11] as const;

/** How a version at level M is divided (ISO/IEC 18004, table 9): error correction codewords of a block, and the blocks' data codewords. */
interface Division {
  readonly correction: number;
  readonly blocks: readonly number[];
}

const DIVISIONS: readonly Division[] = [
  { correction: 10, blocks: [16] },
  { correction: 16, blocks: [28] },
  { correction: 26, blocks: [44] },
  { correction: 18, blocks: [32, 32] },
  { correction: 24, blocks: [43, 43] },
  { correction: 16, blocks: [27, 27, 27, 27] },
  { correction: 18, blocks: [31, 31, 31, 31] },
  { correction: 22, blocks: [38, 38, 39, 39] },
  { correction: 22, blocks: [36, 36, 36, 37, 37] },
  { correction: 26, blocks: [43, 43, 43, 43, 44] },
];

/** The largest symbol that is made: 57 modules wide, 311 characters. */
export const QR_VERSION_MAX = DIVISIONS.length;

/** What a symbol holds. */
export interface QrContent {
  /** 1..10. */
  readonly version: number;
  /** Data and error correction codewords in the order in which they are placed. */
  readonly codewords: Uint8Array;
}

/** Codewords of a text in the alphanumeric mode at level M, in the smallest version that holds it. `badField` for a text that does not fit. */
export function qrContent(text: string): QrContent {
  const values = [...text].map((character) => ALPHABET.indexOf(character));
  if (values.length === 0 || values.includes(-1)) {
    throw new WattmeshError('badField', 'a QR code of this kind takes digits, capital letters and $%*+-./: only');
  }
  for (const [index, division] of DIVISIONS.entries()) {
    const version = index + 1;
    const data = dataCodewords(values, countBits(version), sum(division.blocks));
    if (data) return { version, codewords: interleaved(data, division) };
  }
  throw new WattmeshError('badField', `the text is too long for a QR code of version ${QR_VERSION_MAX}`);
}

/** Bits of the character count (ISO/IEC 18004, table 3). */
function countBits(version: number): number {
  return version < 10 ? 9 : 11;
}

/** Undefined when the values do not fit into so many codewords. */
function dataCodewords(values: readonly number[], bitsOfCount: number, capacity: number): Uint8Array | undefined {
  const bits: number[] = [];
  const put = (value: number, width: number): void => {
    for (let bit = width - 1; bit >= 0; bit--) bits.push((value >> bit) & 1);
  };
  put(MODE_ALPHANUMERIC, MODE_BITS);
  put(values.length, bitsOfCount);
  for (let index = 0; index < values.length; index += 2) {
    const first = values[index] as number;
    const second = values[index + 1];
    if (second === undefined) put(first, SINGLE_BITS);
    else put(first * ALPHABET.length + second, PAIR_BITS);
  }
  if (bits.length > 8 * capacity) return undefined;
  put(0, Math.min(TERMINATOR_BITS, 8 * capacity - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  const data = new Uint8Array(capacity);
  const used = bits.length / 8;
  for (let index = 0; index < capacity; index++) {
    data[index] =
      index < used
        ? Number.parseInt(bits.slice(8 * index, 8 * index + 8).join(''), 2)
        : (PADDING[(index - used) % 2] as number);
  }
  return data;
}

/** The first codeword of every block, then the second ones, and so on; after the data the error correction likewise (section 7.6). */
function interleaved(data: Uint8Array, { correction, blocks }: Division): Uint8Array {
  let start = 0;
  const parts = blocks.map((length) => {
    const part = data.subarray(start, start + length);
    start += length;
    return { data: part, correction: correctionCodewords(part, correction) };
  });
  const result: number[] = [];
  for (const kind of ['data', 'correction'] as const) {
    const longest = Math.max(...parts.map((part) => part[kind].length));
    for (let index = 0; index < longest; index++) {
      for (const part of parts) if (index < part[kind].length) result.push(part[kind][index] as number);
    }
  }
  return Uint8Array.from(result);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
