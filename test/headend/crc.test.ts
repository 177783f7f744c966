import assert from 'node:assert/strict';
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { crc32 } from '../../nodes/headend/frame/crc.ts';

describe('CRC-32', () => {
  it('has the check value of IEEE 802.3', () => {
    assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
  });

  it('knows empty input, zeros and ones', () => {
    assert.equal(crc32(new Uint8Array()), 0);
    assert.equal(crc32(new Uint8Array(32)), 0x190a55ad);
    assert.equal(crc32(new Uint8Array(32).fill(0xff)), 0xff6cab0b);
  });

  it('can be taken in parts', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (first, second) => {
        assert.equal(crc32(second, crc32(first)), crc32(Buffer.concat([first, second])));
      }),
    );
  });

  it('agrees with zlib', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => assert.equal(crc32(bytes), zlibCrc32(bytes))));
  });
});
