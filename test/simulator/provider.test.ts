import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { aeadOpen, aeadSeal, rsaOaepEncrypt, sha256, x25519 } from '../../firmware/simulator/provider.ts';
import { fromHex, toHex } from '../../nodes/headend/bytes.ts';
import { rsaNode } from '../../nodes/headend/security/rsa-node.ts';

describe("simulated device's cryptography", () => {
  it('hashes as FIPS 180-4 says', () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    assert.equal(toHex(sha256(new TextEncoder().encode('abc'))), abc);
  });

  it('multiplies as RFC 7748, section 5.2, says', () => {
    const vectors = [
      [
        'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
        'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
        'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
      ],
      [
        '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
        'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
        '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
      ],
    ];
    for (const [scalar = '', point = '', result] of vectors) {
      assert.equal(toHex(x25519(fromHex(scalar), fromHex(point))), result);
    }
  });

  it('gives zeros for a point of small order', () => {
    assert.deepEqual([...x25519(new Uint8Array(32).fill(7), new Uint8Array(32))], new Array(32).fill(0));
  });

  it('opens what it has sealed, and nothing else', () => {
    const [key, nonce, aad] = [new Uint8Array(32).fill(1), new Uint8Array(12), Uint8Array.of(5)];
    const sealed = aeadSeal(key, nonce, aad, Uint8Array.of(1, 2, 3));
    assert.deepEqual(aeadOpen(key, nonce, aad, sealed), Uint8Array.of(1, 2, 3));
    sealed[0] = (sealed[0] as number) ^ 1;
    assert.equal(aeadOpen(key, nonce, aad, sealed), undefined);
  });

  it('encrypts to an RSA key as OpenSSL decrypts, and the same again for the same seed', () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { n = '' } = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({ format: 'jwk' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const modulus = new Uint8Array(Buffer.from(n, 'base64url'));
    const label = new TextEncoder().encode('wattmesh 1');
    for (const length of [0, 32, 190]) {
      const message = new Uint8Array(length).fill(9);
      const seed = new Uint8Array(32).fill(length);
      const cipher = rsaOaepEncrypt(modulus, label, message, seed);
      assert.deepEqual(rsaNode.oaepDecrypt(pem, cipher, label), message);
      assert.equal(rsaNode.oaepDecrypt(pem, cipher, Uint8Array.of(1)), undefined);
      assert.deepEqual(rsaOaepEncrypt(modulus, label, message, seed), cipher);
    }
  });
});
