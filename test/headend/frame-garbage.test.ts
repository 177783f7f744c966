import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { equalBytes, fromHex } from '../../nodes/headend/bytes.ts';
import { reasonOf, WattmeshError } from '../../nodes/headend/errors.ts';
import { decodePacket, encodePacketHeader, openPlain, sealPlain } from '../../nodes/headend/frame/packet.ts';
import { encodeSlip } from '../../nodes/headend/frame/slip.ts';
import { CODECS, type Judged, readSlip } from '../vectors/codecs.ts';
import { KINDS, type Kind, loadVectors } from '../vectors/load.ts';
import * as any from './frame-arbitraries.ts';

const ALL = Object.keys(KINDS) as Kind[];
/** Kinds whose end is fixed by what stands before it: nothing may be missing. */
const SELF_DELIMITING: readonly Kind[] = ['m1-payload', 'm2-payload'];

/** The codec's result, or undefined for bytes that were refused properly; any other error is thrown on. */
function attempt(judge: (bytes: Uint8Array) => Judged, bytes: Uint8Array): Judged | undefined {
  try {
    return judge(bytes);
  } catch (error) {
    if (error instanceof WattmeshError) return undefined;
    throw error;
  }
}

describe('frame: bytes that nobody sent', () => {
  for (const kind of ALL.filter((name) => name !== 'slip')) {
    it(`random bytes as ${kind} are refused with a WattmeshError or are canonical`, () => {
      // The first byte decides over version and type: half of the cases get past it.
      const start = fc.oneof(
        fc.uint8Array({ maxLength: 2 }),
        fc.integer({ min: 0x11, max: 0x18 }).map((byte) => Uint8Array.of(byte)),
      );
      fc.assert(
        fc.property(start, fc.uint8Array({ maxLength: 600 }), (head, tail) => {
          const judged = attempt(CODECS[kind], Buffer.concat([head, tail]));
          if (judged) assert.ok(equalBytes(CODECS[kind](judged.encoded).encoded, judged.encoded));
        }),
        { numRuns: 1000, seed: KINDS[kind] },
      );
    });
  }

  for (const kind of ALL) {
    it(`every truncation of a valid ${kind} is refused, or complete in itself`, () => {
      for (const vector of loadVectors(kind).cases) {
        if (!vector.valid || vector.canonical !== undefined) continue;
        const bytes = fromHex(vector.hex);
        for (let length = 0; length < bytes.length; length++) {
          const cut = bytes.subarray(0, length);
          if (kind === 'slip') {
            assert.throws(() => CODECS.slip(cut), vector.name);
            continue;
          }
          const judged = attempt(CODECS[kind], cut);
          assert.ok(!judged || !SELF_DELIMITING.includes(kind), `${vector.name} cut to ${length}`);
          if (judged) assert.ok(equalBytes(judged.encoded, cut), `${vector.name} cut to ${length}`);
        }
      }
    });
  }

  it('every truncation of an envelope with a counted end is truncated', () => {
    for (const kind of ['envelope-gateway', 'envelope-host'] as const) {
      for (const vector of loadVectors(kind).cases) {
        // The text of a LOG and the packet of a DOWN are the rest of the envelope: fewer bytes are a shorter text or packet.
        if (!vector.valid || ['log', 'down'].includes(String(vector.fields.type))) continue;
        const bytes = fromHex(vector.hex);
        for (let length = 0; length < bytes.length; length++) {
          assert.throws(
            () => CODECS[kind](bytes.subarray(0, length)),
            (error) => reasonOf(error) === 'truncated',
            `${vector.name} cut to ${length}`,
          );
        }
      }
    }
  });
});

describe('frame: flipped bits', () => {
  it('a packet of suite 0x00 with any bit flipped is refused, or says the same', () => {
    const plain = any.packetHeader.filter(({ suite }) => suite === 0);
    fc.assert(
      fc.property(plain, fc.uint8Array({ maxLength: 40 }), (header, plaintext) => {
        const sealed = sealPlain(encodePacketHeader(header), plaintext);
        for (let bit = 0; bit < sealed.length * 8; bit++) {
          const flipped = sealed.slice();
          flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
          assert.throws(
            () => {
              const packet = decodePacket(flipped);
              // Another suite has no CRC but a tag, which such a packet cannot have.
              if (packet.suite === 0) openPlain(packet);
              else throw new WattmeshError('badTag', 'not of suite 0x00');
            },
            (error) => error instanceof WattmeshError,
            `bit ${bit}`,
          );
        }
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  it('an envelope on the serial line with any bit flipped is refused, or is the same envelope', () => {
    for (const vector of loadVectors('envelope-gateway').cases) {
      if (!vector.valid) continue;
      const sent = fromHex(vector.hex);
      const line = encodeSlip(sent);
      for (let bit = 0; bit < line.length * 8; bit++) {
        const flipped = line.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        for (const frame of readSlip(flipped).frames) assert.ok(equalBytes(frame, sent), `${vector.name}, bit ${bit}`);
      }
    }
  });
});
