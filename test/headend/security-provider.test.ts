import assert from 'node:assert/strict';
import { chooseProvider, type ProviderCandidate } from '../../nodes/headend/security/choose-provider.ts';
import { type CryptoProvider, isAllZero } from '../../nodes/headend/security/provider.ts';
import { nobleProvider } from '../../nodes/headend/security/provider-noble.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { selfTest } from '../../nodes/headend/security/self-test.ts';
import { bytes, flipped, hex, projectVectors, providers } from './support/security-vectors.ts';

interface File<Case> {
  readonly cases: readonly (Case & { readonly name: string })[];
}
type X25519Case = { secret: string; publicKey: string; result: string; iterations?: number };
type AeadCase = { key: string; nonce: string; aad: string; plaintext: string; sealed: string };
type HkdfCase = { ikm: string; salt: string; info: string; okm: string };

const NOTHING = new Uint8Array(0);

for (const provider of providers) {
  describe(`crypto provider ${provider.name}`, () => {
    for (const vector of projectVectors<File<X25519Case>>('x25519').cases) {
      it(`X25519: ${vector.name}`, () => {
        let [secret, publicKey] = [bytes(vector.secret), bytes(vector.publicKey)];
        for (let round = vector.iterations ?? 1; round > 0; round--) {
          [secret, publicKey] = [provider.x25519(secret, publicKey), secret];
        }
        assert.equal(hex(secret), vector.result);
      });
    }

    for (const vector of projectVectors<File<AeadCase>>('chacha20-poly1305').cases) {
      const [key, nonce, aad, plaintext, sealed] = [
        ...[vector.key, vector.nonce, vector.aad, vector.plaintext, vector.sealed].map(bytes),
      ] as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];

      it(`ChaCha20-Poly1305: ${vector.name}`, () => {
        assert.equal(hex(provider.aeadSeal(key, nonce, aad, plaintext)), vector.sealed);
        assert.deepEqual(provider.aeadOpen(key, nonce, aad, sealed), plaintext);
      });

      it(`ChaCha20-Poly1305: ${vector.name}, every bit and every length of it`, () => {
        for (let bit = 0; bit < sealed.length * 8; bit++) {
          assert.equal(provider.aeadOpen(key, nonce, aad, flipped(sealed, bit)), undefined, `bit ${bit}`);
        }
        for (let bit = 0; bit < aad.length * 8; bit++) {
          assert.equal(provider.aeadOpen(key, nonce, flipped(aad, bit), sealed), undefined, `bit ${bit} of the AAD`);
        }
        for (let length = 0; length < sealed.length; length++) {
          assert.equal(provider.aeadOpen(key, nonce, aad, sealed.subarray(0, length)), undefined, `${length} bytes`);
        }
      });
    }

    for (const vector of projectVectors<File<HkdfCase>>('hkdf-sha256').cases) {
      it(`HKDF: ${vector.name}`, () => {
        const [salt, ikm, info, okm] = [vector.salt, vector.ikm, vector.info, vector.okm].map(bytes) as [
          ...[Uint8Array, Uint8Array, Uint8Array, Uint8Array],
        ];
        assert.deepEqual(provider.hkdf(salt, ikm, info, okm.length), okm);
      });
    }

    it('passes its self-test', () => assert.deepEqual(selfTest(provider), []));

    it('gives byte arrays of their own, of the plain class', () => {
      const key = new Uint8Array(32).fill(7);
      const sealed = provider.aeadSeal(key, key.subarray(0, 12), NOTHING, key);
      const results = [
        provider.sha256(key),
        provider.hmacSha256(key, key),
        provider.hkdf(key, key, key, 32),
        provider.x25519PublicKey(key),
        provider.x25519(key, provider.x25519PublicKey(key)),
        provider.x25519(key, new Uint8Array(32)),
        sealed,
        provider.aeadOpen(key, key.subarray(0, 12), NOTHING, sealed) as Uint8Array,
        provider.randomBytes(32),
      ];
      for (const result of results) assert.equal(result.constructor, Uint8Array);
    });

    it('does not mistake a key that was overwritten for the one before', () => {
      const secret = new Uint8Array(32).fill(1);
      const first = provider.x25519PublicKey(secret);
      secret.fill(2);
      assert.notDeepEqual(provider.x25519PublicKey(secret), first);
      assert.deepEqual(provider.x25519PublicKey(secret), provider.x25519PublicKey(new Uint8Array(32).fill(2)));
    });

    it('takes keys, nonces and lengths of the right size only', () => {
      const [short, key] = [new Uint8Array(31), new Uint8Array(32)];
      const [nonce, shortNonce] = [new Uint8Array(12), new Uint8Array(8)];
      assert.throws(() => provider.x25519(short, key), RangeError);
      assert.throws(() => provider.x25519(key, short), RangeError);
      assert.throws(() => provider.x25519PublicKey(short), RangeError);
      assert.throws(() => provider.aeadSeal(short, nonce, NOTHING, NOTHING), RangeError);
      assert.throws(() => provider.aeadSeal(key, shortNonce, NOTHING, NOTHING), RangeError);
      assert.throws(() => provider.aeadOpen(short, nonce, NOTHING, key), RangeError);
      assert.throws(() => provider.aeadOpen(key, shortNonce, NOTHING, key), RangeError);
      assert.throws(() => provider.hkdf(key, key, key, 0), RangeError);
      assert.throws(() => provider.hkdf(key, key, key, 255 * 32 + 1), RangeError);
    });
  });
}

describe('self-test of a provider', () => {
  /** What each broken primitive must be reported as. */
  const broken: Record<string, [Partial<CryptoProvider>, string[]]> = {
    'a wrong hash': [{ sha256: () => new Uint8Array(32) }, ['SHA-256']],
    'a wrong MAC': [{ hmacSha256: () => new Uint8Array(32) }, ['HMAC-SHA256']],
    'a wrong derivation': [{ hkdf: (_salt, _ikm, _info, length) => new Uint8Array(length) }, ['HKDF-SHA256']],
    'a primitive that throws': [
      {
        x25519: () => {
          throw new Error('disabled for FIPS');
        },
      },
      ['X25519', 'X25519 with a key of small order'],
    ],
    'a cipher that opens everything': [
      { aeadOpen: (_key, _nonce, _aad, sealed) => sealed.slice(0, -16) },
      ['ChaCha20-Poly1305', 'ChaCha20-Poly1305 with a false tag'],
    ],
    'a generator that is stuck': [{ randomBytes: (length) => new Uint8Array(length).fill(0x5a) }, ['random bytes']],
    'a generator that repeats itself': [
      { randomBytes: (length) => Uint8Array.from({ length }, (_, i) => i) },
      ['random bytes'],
    ],
    'a generator that is short of bytes': [{ randomBytes: () => nodeProvider.randomBytes(8) }, ['random bytes']],
  };

  for (const [what, [change, names]] of Object.entries(broken)) {
    it(`finds ${what}`, () => assert.deepEqual(selfTest({ ...nodeProvider, ...change }), names));
  }
});

describe('choice of a provider', () => {
  const good: ProviderCandidate = { name: 'noble', load: async () => nobleProvider };
  const missing: ProviderCandidate = { name: 'node', load: () => Promise.reject(new Error('Cannot find module')) };
  const wrong: ProviderCandidate = {
    name: 'node',
    load: async () => ({ ...nodeProvider, sha256: () => new Uint8Array(32) }),
  };

  it('is node:crypto where that works', async () => {
    assert.deepEqual(await chooseProvider(), { provider: nodeProvider, warning: undefined });
  });

  it('falls back, and says why', async () => {
    const { provider, warning } = await chooseProvider([wrong, good]);
    assert.equal(provider, nobleProvider);
    assert.equal(warning, 'node fails its self-test in SHA-256: using noble');
    assert.match((await chooseProvider([missing, good])).warning ?? '', /node does not load: Cannot find module/);
  });

  it('is an error that names every fault when none works', async () => {
    await assert.rejects(
      chooseProvider([missing, { ...wrong, name: 'noble' }]),
      (error: Error & { reason?: string }) => {
        assert.equal(error.reason, 'noDriver');
        assert.match(error.message, /node does not load.*noble fails its self-test in SHA-256.*install/);
        return true;
      },
    );
  });
});

describe('isAllZero', () => {
  it('is true for zeros, and false for a single bit anywhere', () => {
    assert.equal(isAllZero(new Uint8Array(32)), true);
    for (let bit = 0; bit < 256; bit++) assert.equal(isAllZero(flipped(new Uint8Array(32), bit)), false);
  });
});
