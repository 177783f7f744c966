import assert from 'node:assert/strict';
import { reasonOf } from '../../nodes/headend/errors.ts';
import { labelText } from '../../nodes/headend/security/label.ts';
import { qrModules, qrSvg } from '../../nodes/wattmesh-network/qr-code.ts';
import { QR_VERSION_MAX, qrContent } from '../../nodes/wattmesh-network/qr-codewords.ts';
import { withCheck } from '../../nodes/wattmesh-network/qr-format.ts';
import { formatBits, type QrModules, qrMatrix } from '../../nodes/wattmesh-network/qr-matrix.ts';
import { penalty } from '../../nodes/wattmesh-network/qr-penalty.ts';
import { correctionCodewords } from '../../nodes/wattmesh-network/qr-reed-solomon.ts';
import { readModules, readQr, readSymbol } from '../support/qr-reader.ts';

const LABEL = labelText(Uint8Array.from({ length: 32 }, (_, index) => 7 * index));
/** Characters that versions 1 to 10 hold at level M in the alphanumeric mode (ISO/IEC 18004, table 7). */
const CAPACITIES = [20, 38, 61, 90, 122, 154, 178, 221, 262, 311];

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function sketch(...rows: string[]): QrModules {
  return rows.map((row) => [...row].map((character) => character === '#'));
}

function textOf(length: number): string {
  return Array.from({ length }, (_, index) => 'WM1:ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[(index * 7) % 36]).join('');
}

describe('QR codes', () => {
  it('have the error correction of the worked example (annex I)', () => {
    const data = bytes('10200c566180ec11ec11ec11ec11ec11');
    assert.deepEqual(correctionCodewords(data, 10), bytes('a524d4c1ed36c7872c55'));
  });

  it('have the format and version bits of the worked examples (annexes C and D)', () => {
    assert.equal(formatBits(0b101), 0b100000011001110);
    assert.equal(withCheck(7, 0b1111100100101), 0b000111110010010100);
  });

  it('have the bits of the alphanumeric example, and its padding', () => {
    const { version, codewords } = qrContent('AC-42');
    assert.equal(version, 1);
    const bits = [...codewords.subarray(0, 7)].map((codeword) => codeword.toString(2).padStart(8, '0')).join('');
    assert.equal(bits, `${'0010'}${'000000101'}${'0011100111011100111001000010'}${'0000'}${'000'}${'11101100'}`);
  });

  it('take the smallest version', () => {
    assert.equal(CAPACITIES.length, QR_VERSION_MAX);
    CAPACITIES.forEach((capacity, index) => {
      assert.equal(qrContent(textOf(capacity)).version, index + 1);
      if (index + 1 < QR_VERSION_MAX) assert.equal(qrContent(textOf(capacity + 1)).version, index + 2);
    });
    assert.equal(qrContent(LABEL).version, 4, 'labels fit into version 4');
  });

  it('are read back, in every version, at its least and its most', () => {
    for (const capacity of [1, ...CAPACITIES.flatMap((most) => [most, Math.min(most + 1, 311)])]) {
      const text = textOf(capacity);
      assert.equal(readQr(qrSvg(text)).text, text);
    }
    assert.equal(readQr(qrSvg(LABEL)).text, LABEL);
  });

  it('are read back under every mask', () => {
    for (const text of [LABEL, textOf(40), textOf(200), textOf(311)]) {
      for (let mask = 0; mask < 8; mask++) {
        const read = readSymbol(qrMatrix(qrContent(text), mask));
        assert.deepEqual([read.text, read.mask], [text, mask]);
      }
    }
  });

  it('take the mask with the least penalty', () => {
    const content = qrContent(LABEL);
    const penalties = Array.from({ length: 8 }, (_, mask) => penalty(qrMatrix(content, mask)));
    assert.equal(penalty(qrModules(LABEL)), Math.min(...penalties));
    assert.equal(readQr(qrSvg(LABEL)).mask, penalties.indexOf(Math.min(...penalties)));
  });

  it('count penalties by the four rules', () => {
    const none = sketch('#.#.', '.#.#', '#.#.', '.#.#');
    assert.equal(penalty(none), 0);
    // Half dark: six columns that are runs of 6, and blocks of 2 x 2 within each half.
    const halves = sketch('###...', '###...', '###...', '###...', '###...', '###...');
    assert.equal(penalty(halves), 6 * 4 + 20 * 3);
    // All dark: ten runs of 5, 16 blocks, 50 % away from the half.
    assert.equal(penalty(sketch(...new Array<string>(5).fill('#####'))), 10 * 3 + 16 * 3 + 10 * 10);
  });

  it('show finders, timing and the dark module', () => {
    const modules = qrModules(LABEL);
    assert.equal(modules.length, 33);
    const row = (index: number): string => (modules[index] ?? []).map((dark) => (dark ? '#' : '.')).join('');
    assert.match(row(0), /^#######\..*\.#######$/);
    assert.match(row(1), /^#\.{5}#\..*\.#\.{5}#$/);
    assert.match(row(3), /^#\.###\.#\..*\.#\.###\.#$/);
    assert.equal(row(6), '#######.#.#.#.#.#.#.#.#.#.#######');
    assert.equal(modules[25]?.[8], true);
    assert.equal(row(26).slice(24, 29), '#.#.#', 'the middle of the alignment pattern');
  });

  it('are pictures with a quiet zone and a title', () => {
    const svg = qrSvg(LABEL);
    assert.match(
      svg,
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 41 41" shape-rendering="crispEdges"/,
    );
    assert.ok(svg.includes(`<title>${LABEL}</title>`));
    assert.deepEqual(readModules(svg), qrModules(LABEL));
  });

  it('are refused for texts that do not fit', () => {
    for (const text of ['', 'wm1:abc', 'WM1:"<', textOf(312)]) {
      assert.throws(
        () => qrSvg(text),
        (error) => reasonOf(error) === 'badField',
      );
    }
  });

  it('with a fault are not read', () => {
    const svg = qrSvg(LABEL);
    const faulty = svg.replace(/M(1[4-9]|2\d) 20h/, 'M$1 21h');
    assert.notEqual(faulty, svg);
    assert.throws(() => readQr(faulty));
  });
});
