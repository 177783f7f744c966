import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { equalBytes, fromHex } from '../../nodes/headend/bytes.ts';
import { reasonOf, WattmeshError } from '../../nodes/headend/errors.ts';
import { encodeGatewayEnvelope, encodeHostEnvelope } from '../../nodes/headend/frame/envelope.ts';
import { encodeM1Payload, encodeM2Payload } from '../../nodes/headend/frame/handshake.ts';
import { decodePacket, encodePacketHeader, openPlain, sealPlain } from '../../nodes/headend/frame/packet.ts';
import { encodeFrameBody, encodeFrameUnsealed, LINK_MAC_BYTES } from '../../nodes/headend/frame/radio.ts';
import { encodeDownSections, encodeUpSections } from '../../nodes/headend/frame/sections.ts';
import { ENVELOPE_BYTES_MAX, encodeSlip } from '../../nodes/headend/frame/slip.ts';
import { CODECS, type Judged, readSlip } from '../vectors/codecs.ts';
import { KINDS, type Kind, loadVectors } from '../vectors/load.ts';
import * as any from './frame-arbitraries.ts';
import { attempt, CASES, garbageBytes, shortenStacks } from './garbage.ts';

const ALL = Object.keys(KINDS) as Kind[];
/** Kinds whose end is fixed by what stands before it: nothing may be missing. */
const SELF_DELIMITING: readonly Kind[] = ['m1-payload', 'm2-payload'];
const SAMPLES_PER_KIND = 300;
const GARBAGE_BYTES_MAX = 600;
const GARBAGE_MS_MAX = 120_000;

const sections = { maxLength: 3 };
/** Encoders of everything that a kind can say; what is too long for its carrier throws `oversize`. */
const ENCODINGS: Readonly<Record<Kind, fc.Arbitrary<() => Uint8Array>>> = {
  radio: fc.tuple(any.frameHeader, any.frameBody).map(([header, body]) => () => {
    const unsealed = encodeFrameUnsealed({ ...header, type: body.type, body: encodeFrameBody(body) });
    return Buffer.concat([unsealed, new Uint8Array(LINK_MAC_BYTES)]);
  }),
  'envelope-gateway': any.gatewayEnvelope.map((envelope) => () => encodeGatewayEnvelope(envelope)),
  'envelope-host': any.hostEnvelope.map((envelope) => () => encodeHostEnvelope(envelope)),
  packet: fc.tuple(any.packetHeader, fc.uint8Array({ maxLength: 190 })).map(
    ([header, body]) =>
      () =>
        sealPlain(encodePacketHeader(header), body),
  ),
  'sections-up': fc.array(any.upSection, sections).map((all) => () => encodeUpSections(all)),
  'sections-down': fc.array(any.downSection, sections).map((all) => () => encodeDownSections(all)),
  'm1-payload': any.m1Payload.map((payload) => () => encodeM1Payload(payload)),
  'm2-payload': any.m2Payload.map((payload) => () => encodeM2Payload(payload)),
  slip: fc.uint8Array({ minLength: 1, maxLength: ENVELOPE_BYTES_MAX }).map((envelope) => () => encodeSlip(envelope)),
};

/** The vectors of a kind, and encodings beside them. */
function samplesOf(kind: Kind): Uint8Array[] {
  const encodings = fc.sample(ENCODINGS[kind], { numRuns: SAMPLES_PER_KIND, seed: KINDS[kind] });
  const vectors = loadVectors(kind).cases.map(({ hex }) => fromHex(hex));
  return [...vectors, ...encodings.flatMap((encode) => attempt(encode) ?? [])];
}

/** The fields without a packet's header as it came, which keeps reserved bits. */
function meaningOf({ fields }: Judged): unknown {
  const { header: _, ...meaning } = fields as Record<string, unknown>;
  return meaning;
}

describe('frame: bytes that nobody sent', () => {
  shortenStacks();

  for (const kind of ALL.filter((name) => name !== 'slip')) {
    it(`as ${kind} are refused with a WattmeshError, or say what their canonical form says`, function () {
      this.timeout(GARBAGE_MS_MAX);
      const decode = CODECS[kind];
      let taken = 0;
      fc.assert(
        fc.property(garbageBytes(samplesOf(kind), GARBAGE_BYTES_MAX), (bytes) => {
          const judged = attempt(() => decode(bytes));
          if (!judged) return;
          taken++;
          assert.ok(judged.encoded.length <= bytes.length);
          if (equalBytes(judged.encoded, bytes)) return;
          const again = decode(judged.encoded);
          assert.ok(equalBytes(again.encoded, judged.encoded));
          assert.deepEqual(meaningOf(again), meaningOf(judged));
        }),
        { numRuns: CASES, seed: KINDS[kind] },
      );
      assert.ok(taken > CASES / 100, `${taken} of ${CASES} were taken at all`);
    });
  }

  it('as slip are faults, or envelopes that come back from a line of their own', function () {
    this.timeout(GARBAGE_MS_MAX);
    let taken = 0;
    fc.assert(
      fc.property(garbageBytes(samplesOf('slip'), GARBAGE_BYTES_MAX), (line) => {
        for (const envelope of attempt(() => readSlip(line))?.frames ?? []) {
          taken++;
          assert.ok(envelope.length >= 1 && envelope.length <= ENVELOPE_BYTES_MAX);
          assert.ok(equalBytes(CODECS.slip(encodeSlip(envelope)).encoded, encodeSlip(envelope)));
        }
      }),
      { numRuns: CASES, seed: KINDS.slip },
    );
    assert.ok(taken > CASES / 100, `${taken} of ${CASES} were taken at all`);
  });

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
          const judged = attempt(() => CODECS[kind](cut));
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
