import assert from 'node:assert/strict';
import type { CryptoProvider } from '../../nodes/headend/security/provider.ts';
import { StoreKey } from '../../nodes/headend/security/store-key.ts';
import { flipped, hex, providers } from './support/security-vectors.ts';

const [provider, other] = providers as [CryptoProvider, CryptoProvider];

describe('secrets in the store', () => {
  const plaintext = new Uint8Array(64).fill(0x77);

  for (const each of providers) {
    const key = new StoreKey(each, new Uint8Array(32).fill(1));

    it(`come back for their own row only, ${each.name}`, () => {
      const sealed = key.seal('session/ab/1', plaintext);
      assert.deepEqual(key.open('session/ab/1', sealed), plaintext);
      assert.throws(() => key.open('session/ab/2', sealed), { reason: 'badTag' });
      assert.throws(() => new StoreKey(each, new Uint8Array(32)).open('session/ab/1', sealed), {
        reason: 'badTag',
        message: /other credentials/,
      });
    });

    it(`never look the same twice, ${each.name}`, () => {
      assert.notEqual(hex(key.seal('row', plaintext)), hex(key.seal('row', plaintext)));
    });

    it(`do not open with any bit or length changed, ${each.name}`, () => {
      const sealed = key.seal('row', plaintext);
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        assert.throws(() => key.open('row', flipped(sealed, bit)), { reason: bit < 8 ? 'badVersion' : 'badTag' });
      }
      for (let length = 0; length < sealed.length; length++) {
        const reason = length < 29 ? 'truncated' : 'badTag';
        assert.throws(() => key.open('row', sealed.subarray(0, length)), { reason });
      }
    });
  }

  it('open on the other provider', () => {
    const secret = provider.randomBytes(32);
    const sealed = new StoreKey(provider, secret).seal('row', plaintext);
    assert.deepEqual(new StoreKey(other, secret).open('row', sealed), plaintext);
  });

  it('have a key of 32 bytes', () => assert.throws(() => new StoreKey(provider, new Uint8Array(16)), RangeError));
});
