/**
 * Reads QR codes of versions 1..10 at level M (ISO/IEC 18004) from SVG pictures of rectangles. It shares nothing with the code that draws them: it finds the modules as
 * a scanner would, takes the mask from the format bits, and checks each block's error correction by its syndromes.
 */

/** Codewords of a block for error correction, and blocks as [how many, data codewords], by version (table 9). */
const BLOCKS: Record<number, [number, ...[number, number][]]> = {
  1: [10, [1, 16]],
  2: [16, [1, 28]],
  3: [26, [1, 44]],
  4: [18, [2, 32]],
  5: [24, [2, 43]],
  6: [16, [4, 27]],
  7: [18, [4, 31]],
  8: [22, [2, 38], [2, 39]],
  9: [22, [3, 36], [2, 37]],
  10: [26, [4, 43], [1, 44]],
};
const CENTRES: Record<number, number[]> = {
  1: [],
  2: [18],
  3: [22],
  4: [26],
  5: [30],
  6: [34],
  7: [22, 38],
  8: [24, 42],
  9: [26, 46],
  10: [28, 50],
};
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
const QUIET_ZONE = 4;

/** What a scanner sees. */
export interface ReadCode {
  readonly text: string;
  readonly version: number;
  readonly mask: number;
}

type Grid = readonly (readonly boolean[])[];

/** The modules of a picture without its quiet zone, which must be light. */
export function readModules(svg: string): Grid {
  const width = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1]);
  const path = /fill="#000" d="([^"]*)"/.exec(svg)?.[1] ?? '';
  const all = Array.from({ length: width }, () => new Array<boolean>(width).fill(false));
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)) {
    all[Number(y)]?.fill(true, Number(x), Number(x) + Number(length));
  }
  const inside = (index: number): boolean => index >= QUIET_ZONE && index < width - QUIET_ZONE;
  all.forEach((row, y) => {
    if (row.some((dark, x) => dark && !(inside(x) && inside(y)))) throw new Error('the quiet zone is not light');
  });
  return all.slice(QUIET_ZONE, -QUIET_ZONE).map((row) => row.slice(QUIET_ZONE, -QUIET_ZONE));
}

/** Reads a picture. Throws for anything that a strict reader would not take. */
export function readQr(svg: string): ReadCode {
  return readSymbol(readModules(svg));
}

/** Reads a symbol's modules. */
export function readSymbol(grid: Grid): ReadCode {
  const version = (grid.length - 17) / 4;
  const division = BLOCKS[version];
  if (!division) throw new Error(`a symbol of ${grid.length} modules is of no version that is read here`);
  const mask = readMask(grid);
  const data = dataOf(codewordsOf(grid, version, mask), division);
  return { text: textOf(data, version), version, mask };
}

/** Both copies of the format bits must agree, and be those of level M. */
function readMask(grid: Grid): number {
  const size = grid.length;
  const beside: [number, number][] = [
    ...[0, 1, 2, 3, 4, 5, 7, 8].map((column): [number, number] => [8, column]),
    ...[7, 5, 4, 3, 2, 1, 0].map((row): [number, number] => [row, 8]),
  ];
  const apart: [number, number][] = [
    ...[1, 2, 3, 4, 5, 6, 7].map((index): [number, number] => [size - index, 8]),
    ...[8, 7, 6, 5, 4, 3, 2, 1].map((index): [number, number] => [8, size - index]),
  ];
  const [one, other] = [beside, apart].map((places) =>
    places.map(([row, column]) => (grid[row]?.[column] ? '1' : '0')).join(''),
  );
  if (one !== other) throw new Error(`the format bits differ: ${one} and ${other}`);
  // Level M with masks 0 to 7, as they stand in a symbol (table C.1).
  const known = ['5412', '5125', '5e7c', '5b4b', '45f9', '40ce', '4f97', '4aa0'];
  const mask = known.indexOf(Number.parseInt(one ?? '', 2).toString(16));
  if (mask < 0) throw new Error(`${one} are no format bits of level M`);
  return mask;
}

function isMasked(mask: number, i: number, j: number): boolean {
  const both = i * j;
  return (
    [
      (i + j) % 2,
      i % 2,
      j % 3,
      (i + j) % 3,
      ((i >> 1) + Math.floor(j / 3)) % 2,
      (both % 2) + (both % 3),
      ((both % 2) + (both % 3)) % 2,
      (((i + j) % 2) + (both % 3)) % 2,
    ][mask] === 0
  );
}

/** True where a symbol shows something else than data. */
function isFunction(version: number, row: number, column: number): boolean {
  const size = 4 * version + 17;
  const corner = (r: number, c: number): boolean => r < 9 && c < 9;
  if (corner(row, column) || (row < 9 && column >= size - 8) || (column < 9 && row >= size - 8)) return true;
  if (row === 6 || column === 6) return true;
  if (version >= 7 && ((row < 6 && column >= size - 11) || (column < 6 && row >= size - 11))) return true;
  const centres = CENTRES[version] ?? [];
  const near = (value: number, centre: number): boolean => Math.abs(value - centre) <= 2;
  const last = centres.at(-1);
  // Those in the first row and column of centres stand on the timing patterns; there is none under a finder.
  const besideTiming = centres.filter((centre) => centre !== last);
  return (
    centres.some((r) => near(row, r) && centres.some((c) => near(column, c))) ||
    (near(row, 6) && besideTiming.some((c) => near(column, c))) ||
    (near(column, 6) && besideTiming.some((r) => near(row, r)))
  );
}

function codewordsOf(grid: Grid, version: number, mask: number): number[] {
  const size = grid.length;
  const bits: number[] = [];
  const pairs = Array.from({ length: (size - 1) / 2 }, (_, index) => size - 1 - 2 * index);
  pairs.forEach((column, pair) => {
    const right = column <= 6 ? column - 1 : column;
    for (let step = 0; step < size; step++) {
      const row = pair % 2 === 0 ? size - 1 - step : step;
      for (const place of [right, right - 1]) {
        if (isFunction(version, row, place)) continue;
        bits.push(Number(grid[row]?.[place] !== isMasked(mask, row, place)));
      }
    }
  });
  return Array.from({ length: bits.length >> 3 }, (_, index) =>
    Number.parseInt(bits.slice(8 * index, 8 * index + 8).join(''), 2),
  );
}

/** The data of all blocks, once each block is free of errors. */
function dataOf(codewords: number[], [correction, ...groups]: [number, ...[number, number][]]): number[] {
  const lengths = groups.flatMap(([count, length]) => new Array<number>(count).fill(length));
  const blocks: number[][] = lengths.map(() => []);
  let at = 0;
  const deal = (isOpen: (block: number) => boolean): void => {
    blocks.forEach((block, index) => {
      if (isOpen(index)) block.push(codewords[at++] ?? Number.NaN);
    });
  };
  for (let index = 0; index < Math.max(...lengths); index++) deal((block) => index < (lengths[block] ?? 0));
  for (let index = 0; index < correction; index++) deal(() => true);
  blocks.forEach((block, index) => {
    for (let power = 0; power < correction; power++) {
      if (syndrome(block, power) !== 0) throw new Error(`block ${index + 1} has errors`);
    }
  });
  return blocks.flatMap((block, index) => block.slice(0, lengths[index]));
}

/** Value of a block's polynomial at 2^power, bit by bit in GF(256). */
function syndrome(block: number[], power: number): number {
  let value = 0;
  for (const codeword of block) {
    for (let step = 0; step < power; step++) value = value & 0x80 ? (value << 1) ^ 0x11d : value << 1;
    value ^= codeword;
  }
  return value;
}

function textOf(data: number[], version: number): string {
  const bits = data.map((codeword) => codeword.toString(2).padStart(8, '0')).join('');
  let at = 0;
  const take = (count: number): number => {
    at += count;
    return Number.parseInt(bits.slice(at - count, at), 2);
  };
  if (take(4) !== 0b0010) throw new Error('the text is not in the alphanumeric mode');
  const length = take(version < 10 ? 9 : 11);
  let text = '';
  while (text.length + 1 < length) {
    const pair = take(11);
    text += `${ALPHABET[Math.floor(pair / 45)]}${ALPHABET[pair % 45]}`;
  }
  if (text.length < length) text += ALPHABET[take(6)];
  return text;
}
