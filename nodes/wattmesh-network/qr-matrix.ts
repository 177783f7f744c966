import type { QrContent } from './qr-codewords.ts';
import { LEVEL_M, MASKS, withCheck } from './qr-format.ts';

const FINDER = 7;
/** Row and column of the timing patterns. */
const TIMING = 6;
/** Versions from this one on tell their number in the symbol. */
const VERSION_SHOWN_MIN = 7;
const FORMAT_BITS = 15;
/** So that a format of zeros is no blank (ISO/IEC 18004, section 7.9.1). */
const FORMAT_MASK = 0b101010000010010;
const FORMAT_GENERATOR = 0b10100110111;
const VERSION_GENERATOR = 0b1111100100101;

/** Rows and columns of the alignment patterns' centres, by version (ISO/IEC 18004, annex E). */
const ALIGNMENTS: readonly (readonly number[])[] = [
  [],
  [6, 18],
  [6, 22],
  [6, 26],
  [6, 30],
  [6, 34],
  [6, 22, 38],
  [6, 24, 42],
  [6, 26, 46],
  [6, 28, 50],
];

/** A symbol's modules, row by row; true is dark. */
export type QrModules = readonly (readonly boolean[])[];

/** A symbol in the making: modules that carry no data are reserved. */
interface Sheet {
  readonly size: number;
  readonly dark: boolean[][];
  readonly reserved: boolean[][];
}

/** The symbol of a content under one of the eight masks (0..7). */
export function qrMatrix({ version, codewords }: QrContent, mask: number): QrModules {
  const sheet = newSheet(version);
  drawFinders(sheet);
  drawTiming(sheet);
  drawAlignments(sheet, ALIGNMENTS[version - 1] ?? []);
  if (version >= VERSION_SHOWN_MIN) drawVersion(sheet, version);
  drawFormat(sheet, mask);
  placeData(sheet, codewords, mask);
  return sheet.dark;
}

function newSheet(version: number): Sheet {
  const size = 4 * version + 17;
  const rows = (): boolean[][] => Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
  return { size, dark: rows(), reserved: rows() };
}

/** Sets a module that carries no data; outside the symbol nothing happens. */
function set({ size, dark, reserved }: Sheet, row: number, column: number, value: boolean): void {
  if (row < 0 || column < 0 || row >= size || column >= size) return;
  (dark[row] as boolean[])[column] = value;
  (reserved[row] as boolean[])[column] = true;
}

/** The three corners, each with its light border. */
function drawFinders(sheet: Sheet): void {
  const far = sheet.size - FINDER;
  for (const [top, left] of [
    [0, 0],
    [0, far],
    [far, 0],
  ] as const) {
    for (let row = -1; row <= FINDER; row++) {
      for (let column = -1; column <= FINDER; column++) {
        const ring = Math.max(Math.abs(row - 3), Math.abs(column - 3));
        set(sheet, top + row, left + column, ring !== 2 && ring !== 4);
      }
    }
  }
}

function drawTiming(sheet: Sheet): void {
  for (let index = FINDER + 1; index < sheet.size - FINDER - 1; index++) {
    set(sheet, TIMING, index, index % 2 === 0);
    set(sheet, index, TIMING, index % 2 === 0);
  }
}

function drawAlignments(sheet: Sheet, centres: readonly number[]): void {
  const last = centres.at(-1);
  for (const row of centres) {
    for (const column of centres) {
      const underFinder =
        (row === TIMING && column === TIMING) ||
        (row === TIMING && column === last) ||
        (row === last && column === TIMING);
      if (underFinder) continue;
      for (let down = -2; down <= 2; down++) {
        for (let right = -2; right <= 2; right++) {
          set(sheet, row + down, column + right, Math.max(Math.abs(down), Math.abs(right)) !== 1);
        }
      }
    }
  }
}

/** Twice, beside the finders on the upper right and the lower left, one the mirror of the other (ISO/IEC 18004, section 7.10). */
function drawVersion(sheet: Sheet, version: number): void {
  const bits = withCheck(version, VERSION_GENERATOR);
  for (let bit = 0; bit < 18; bit++) {
    const value = ((bits >> bit) & 1) === 1;
    const short = sheet.size - 11 + (bit % 3);
    const long = Math.floor(bit / 3);
    set(sheet, long, short, value);
    set(sheet, short, long, value);
  }
}

/** The level and the mask, twice around the finders, and the module that is always dark (section 7.9). */
function drawFormat(sheet: Sheet, mask: number): void {
  const bits = formatBits(mask);
  for (let bit = 0; bit < FORMAT_BITS; bit++) {
    const value = ((bits >> bit) & 1) === 1;
    // Beside the timing patterns the places are one further on.
    const near = bit < 6 ? bit : bit + 1;
    if (bit < 8) {
      set(sheet, near, 8, value);
      set(sheet, 8, sheet.size - 1 - bit, value);
    } else {
      set(sheet, 8, bit === 8 ? 7 : 14 - bit, value);
      set(sheet, sheet.size - 15 + bit, 8, value);
    }
  }
  set(sheet, sheet.size - 8, 8, true);
}

/** The 15 bits that tell level M and the mask. */
export function formatBits(mask: number): number {
  return withCheck((LEVEL_M << 3) | mask, FORMAT_GENERATOR) ^ FORMAT_MASK;
}

/** Up and down in columns two wide from the right (section 7.7.3). Bits left over are light before the mask. */
function placeData({ size, dark, reserved }: Sheet, codewords: Uint8Array, mask: number): void {
  const isMasked = MASKS[mask] as (row: number, column: number) => boolean;
  let bit = 0;
  let up = true;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === TIMING) right--;
    for (let step = 0; step < size; step++) {
      const row = up ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        if (reserved[row]?.[column]) continue;
        const value = (((codewords[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
        (dark[row] as boolean[])[column] = value !== isMasked(row, column);
        bit++;
      }
    }
    up = !up;
  }
}
