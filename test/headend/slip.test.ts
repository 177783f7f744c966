import assert from 'node:assert/strict';
import fc from 'fast-check';
import { reasonOf } from '../../nodes/headend/errors.ts';
import { ENVELOPE_BYTES_MAX, encodeSlip, SlipDecoder } from '../../nodes/headend/frame/slip.ts';

const END = 0xc0;
const ESC = 0xdb;

interface Decoded {
  readonly frames: Uint8Array[];
  readonly faults: [string, number][];
}

/** Decodes a stream cut at `cuts`, and ends it. */
function decode(stream: Uint8Array, cuts: readonly number[] = [], end = false): Decoded {
  const decoded: Decoded = { frames: [], faults: [] };
  const decoder = new SlipDecoder({
    frame: (envelope) => decoded.frames.push(envelope),
    bad: (reason, length) => decoded.faults.push([reason, length]),
  });
  let from = 0;
  for (const cut of [...cuts.map((at) => at % (stream.length + 1)), stream.length].sort((a, b) => a - b)) {
    decoder.push(stream.subarray(from, cut));
    from = cut;
  }
  if (end) decoder.end();
  return decoded;
}

/** Deterministic bytes without pattern (xorshift32). */
function noise(length: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

const anyEnvelope = fc.uint8Array({ minLength: 1, maxLength: ENVELOPE_BYTES_MAX });
/** Envelopes full of the two bytes that need escapes. */
const specialEnvelope = fc
  .array(fc.constantFrom(END, ESC, 0xdc, 0xdd, 0), { minLength: 1, maxLength: 64 })
  .map((b) => Uint8Array.from(b));

describe('SLIP encoder', () => {
  it('writes END, escaped envelope and little-endian CRC, END', () => {
    const line = encodeSlip(Buffer.from('123456789'));
    assert.equal(Buffer.from(line).toString('hex'), 'c03132333435363738392639f4cbc0');
    assert.equal(
      Buffer.from(encodeSlip(Uint8Array.of(END, ESC)))
        .toString('hex')
        .slice(0, 10),
      'c0dbdcdbdd',
    );
  });

  it('refuses an empty and an oversize envelope', () => {
    assert.throws(
      () => encodeSlip(new Uint8Array()),
      (error) => reasonOf(error) === 'truncated',
    );
    assert.throws(
      () => encodeSlip(new Uint8Array(ENVELOPE_BYTES_MAX + 1)),
      (error) => reasonOf(error) === 'oversize',
    );
    assert.equal(decode(encodeSlip(new Uint8Array(ENVELOPE_BYTES_MAX))).frames[0]?.length, ENVELOPE_BYTES_MAX);
  });
});

describe('SLIP decoder', () => {
  it('gives back every envelope for any chunking', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(anyEnvelope, specialEnvelope), { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (envelopes, cuts) => {
          const { frames, faults } = decode(Buffer.concat(envelopes.map(encodeSlip)), cuts, true);
          assert.deepEqual(faults, []);
          assert.deepEqual(frames.map(Buffer.from), envelopes.map(Buffer.from));
        },
      ),
    );
  });

  it('finds the same in a stream with garbage, however it is cut', () => {
    const part = fc.oneof(anyEnvelope.map(encodeSlip), fc.uint8Array({ maxLength: 700 }), specialEnvelope);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 20 }), (parts, cuts) => {
        const stream = Buffer.concat(parts);
        assert.deepEqual(decode(stream, cuts, true), decode(stream, [], true));
      }),
    );
  });

  it('notices every flipped bit of an envelope', () => {
    const envelope = noise(60, 7);
    const line = encodeSlip(envelope);
    for (let bit = 8; bit < 8 * (line.length - 1); bit++) {
      const hurt = line.slice();
      hurt[bit >> 3] = (hurt[bit >> 3] as number) ^ (1 << (bit & 7));
      const { frames, faults } = decode(hurt);
      assert.deepEqual(frames, [], `bit ${bit}`);
      assert.ok(faults.length > 0, `bit ${bit}`);
    }
  });

  it('keeps silent about END END', () => {
    assert.deepEqual(decode(new Uint8Array(1000).fill(END), [], true), { frames: [], faults: [] });
  });

  it('names each fault and goes on with the next frame', () => {
    const good = encodeSlip(Uint8Array.of(1, 2, 3));
    const cases: [number[], string, number][] = [
      [[END, 1, 2, 3, 4, END], 'truncated', 4],
      [[END, 1, 2, 3, 4, 5, END], 'badCrc', 5],
      [[END, 1, 2, ESC, 1, 9, 9, ESC, 1, END], 'badField', 2],
      [[END, 1, 2, ESC, END], 'badField', 2],
      [[END, ESC, END], 'badField', 0],
      [[1, 2, 3], 'truncated', 3],
    ];
    for (const [bytes, reason, length] of cases) {
      const { frames, faults } = decode(Buffer.concat([Uint8Array.from(bytes), good]));
      assert.deepEqual(faults, [[reason, length]]);
      assert.deepEqual(frames, [Uint8Array.of(1, 2, 3)]);
    }
  });

  it('counts an endless frame once, without waiting for its end', () => {
    const endless = new Uint8Array(100_000).fill(7);
    const { frames, faults } = decode(Buffer.concat([endless, encodeSlip(Uint8Array.of(9))]), [517, 4_000]);
    assert.deepEqual(faults, [['oversize', ENVELOPE_BYTES_MAX + 5]]);
    assert.deepEqual(frames, [Uint8Array.of(9)]);
    assert.equal(decode(endless).faults.length, 1);
  });

  it('counts a frame that the end of the stream cut off', () => {
    const line = encodeSlip(Uint8Array.of(1, 2, 3));
    assert.deepEqual(decode(line.subarray(0, 5), [], true).faults, [['truncated', 4]]);
    assert.deepEqual(decode(line, [], true).faults, []);
    assert.deepEqual(
      decode(new Uint8Array(600), [], true).faults.map(([reason]) => reason),
      ['oversize'],
    );
  });

  it('gets through 10 MB of garbage in under a second and finds the frame behind it', () => {
    const good = noise(ENVELOPE_BYTES_MAX, 3);
    const stream = Buffer.concat([noise(10_000_000, 1), encodeSlip(good)]);
    const startedAt = process.hrtime.bigint();
    const { frames, faults } = decode(stream, [65_536, 131_072, 5_000_001]);
    const tookMs = Number(process.hrtime.bigint() - startedAt) / 1e6;
    assert.deepEqual(frames, [good]);
    assert.ok(faults.length > 10_000);
    assert.ok(tookMs < 1_000, `${tookMs} ms`);
  });
});
