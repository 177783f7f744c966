import assert from 'node:assert/strict';
import type { CryptoProvider } from '../../nodes/headend/security/provider.ts';
import { bytes, foreignVectors, hex, providers } from './support/security-vectors.ts';

interface WycheproofCase {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: 'valid' | 'acceptable' | 'invalid';
}

interface WycheproofFile<Case> {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly tests: readonly Case[];
    readonly privateKeyPem?: string;
    readonly tagSize?: number;
  }[];
}

type Judge<Case> = (provider: CryptoProvider, vector: Case, group: WycheproofFile<Case>['testGroups'][number]) => void;

/** Judges every case of a file on each provider. */
function judgeFile<Case>(name: string, judge: Judge<Case & WycheproofCase>): void {
  for (const provider of providers) {
    it(`${name}, ${provider.name}`, function () {
      const file = foreignVectors<WycheproofFile<Case & WycheproofCase>>(`wycheproof/${name}_test.json`);
      if (!file) return this.skip();
      let judged = 0;
      for (const group of file.testGroups) {
        for (const vector of group.tests) {
          try {
            judge(provider, vector, group);
          } catch (error) {
            throw new Error(`case ${vector.tcId} (${vector.comment}): ${(error as Error).message}`, { cause: error });
          }
          judged++;
        }
      }
      assert.equal(judged, file.numberOfTests);
    });
  }
}

describe('Wycheproof', () => {
  // Acceptable are public keys that others may refuse: here they have the result of RFC 7748, zeros among them.
  judgeFile<{ public: string; private: string; shared: string }>('x25519', (provider, vector) => {
    assert.equal(hex(provider.x25519(bytes(vector.private), bytes(vector.public))), vector.shared);
  });

  type AeadCase = { key: string; iv: string; aad: string; msg: string; ct: string; tag: string };
  judgeFile<AeadCase>('chacha20_poly1305', (provider, vector) => {
    const [key, nonce, aad, plaintext] = [vector.key, vector.iv, vector.aad, vector.msg].map(bytes) as [
      ...[Uint8Array, Uint8Array, Uint8Array, Uint8Array],
    ];
    const sealed = bytes(vector.ct + vector.tag);
    if (vector.flags.includes('InvalidNonceSize')) {
      assert.throws(() => provider.aeadSeal(key, nonce, aad, plaintext), RangeError);
      assert.throws(() => provider.aeadOpen(key, nonce, aad, sealed), RangeError);
      return;
    }
    const opened = provider.aeadOpen(key, nonce, aad, sealed);
    assert.deepEqual(opened, vector.result === 'valid' ? plaintext : undefined);
    if (vector.result === 'valid') assert.deepEqual(provider.aeadSeal(key, nonce, aad, plaintext), sealed);
  });

  type HkdfCase = { ikm: string; salt: string; info: string; size: number; okm: string };
  judgeFile<HkdfCase>('hkdf_sha256', (provider, vector) => {
    const derive = () => provider.hkdf(bytes(vector.salt), bytes(vector.ikm), bytes(vector.info), vector.size);
    if (vector.result === 'valid') assert.equal(hex(derive()), vector.okm);
    else assert.throws(derive, RangeError);
  });

  judgeFile<{ key: string; msg: string; tag: string }>('hmac_sha256', (provider, vector, { tagSize = 256 }) => {
    const tag = hex(provider.hmacSha256(bytes(vector.key), bytes(vector.msg)).subarray(0, tagSize / 8));
    assert.equal(tag === vector.tag, vector.result === 'valid');
  });

  type OaepCase = { msg: string; ct: string; label: string };
  judgeFile<OaepCase>('rsa_oaep_2048_sha256_mgf1sha256', (provider, vector, { privateKeyPem = '' }) => {
    const plaintext = provider.rsa?.oaepDecrypt(privateKeyPem, bytes(vector.ct), bytes(vector.label));
    assert.deepEqual(plaintext, vector.result === 'valid' ? bytes(vector.msg) : undefined);
  });
});
