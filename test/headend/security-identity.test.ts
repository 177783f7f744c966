import assert from 'node:assert/strict';
import type { ErrorName } from '../../nodes/headend/errors.ts';
import {
  createIdentity,
  exportIdentity,
  importIdentity,
  withNewRsaKey,
} from '../../nodes/headend/security/identity.ts';
import { isDigitGroup, labelDigits, labelText, parseLabelText } from '../../nodes/headend/security/label.ts';
import type { CryptoProvider } from '../../nodes/headend/security/provider.ts';
import { bytes, projectVectors, providers } from './support/security-vectors.ts';

const [provider] = providers as [CryptoProvider];

for (const each of providers) {
  describe(`the head-end's identity, ${each.name}`, () => {
    it('is another one each time', () => {
      assert.notDeepEqual(createIdentity(each).staticKey, createIdentity(each).staticKey);
    });

    it('comes back from its text', async () => {
      const identity = createIdentity(each);
      assert.deepEqual(importIdentity(each, exportIdentity(identity)), identity);
      const withRsa = await withNewRsaKey(identity, each);
      assert.deepEqual(importIdentity(each, exportIdentity(withRsa)), withRsa);
      assert.deepEqual(withRsa.staticKey, identity.staticKey);
    });
  });
}

describe("the head-end's identity", () => {
  const text = exportIdentity(createIdentity(provider));
  const fields = JSON.parse(text) as Record<string, string>;
  const foreign = JSON.parse(exportIdentity(createIdentity(provider))) as Record<string, string>;

  const damaged: Record<string, unknown> = {
    'no JSON': `${text.slice(0, -1)}`,
    'no object': 'null',
    'something else': { ...fields, format: 'other' },
    'a later version': { ...fields, version: 2 },
    'a short key': { ...fields, secret: fields.secret?.slice(2) },
    'a missing key': { ...fields, publicKey: undefined },
    'halves of two keys': { ...fields, publicKey: foreign.publicKey },
    'an RSA key that is none': { ...fields, rsa: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n' },
    'an RSA key that is no text': { ...fields, rsa: 5 },
  };
  for (const [what, value] of Object.entries(damaged)) {
    it(`is refused with ${what}, and no secret is quoted`, () => {
      const given = typeof value === 'string' ? value : JSON.stringify(value);
      assert.throws(
        () => importIdentity(provider, given),
        (error: Error & { reason: string }) => {
          assert.equal(error.reason, 'badConfig');
          assert.match(error.message, /recovery file/);
          assert.ok(!error.message.includes(fields.secret?.slice(2, 12) as string));
          assert.equal(error.cause, undefined);
          return true;
        },
      );
    });
  }

  it('needs RSA for an RSA key only', async () => {
    const { rsa: _rsa, ...without } = provider;
    assert.ok(importIdentity(without, text));
    await assert.rejects(withNewRsaKey(createIdentity(provider), without), { reason: 'suiteRefused' });
  });
});

interface LabelCase {
  readonly name: string;
  readonly key?: string;
  readonly text: string;
  readonly digits?: readonly string[];
  readonly valid: boolean;
  readonly error?: ErrorName;
}

describe('labels of devices', () => {
  const { cases } = projectVectors<{ cases: readonly LabelCase[] }>('label');

  for (const { name, key = '', text, digits, valid, error } of cases) {
    if (valid) {
      it(`${name}: text and digits as in the vectors`, () => {
        assert.equal(labelText(bytes(key)), text);
        assert.deepEqual(parseLabelText(text), bytes(key));
        assert.deepEqual(parseLabelText(` ${text.toLowerCase()}\n`), bytes(key));
        assert.deepEqual(labelDigits(bytes(key)), digits);
        assert.ok(labelDigits(bytes(key)).every((group, index) => isDigitGroup(index, group)));
      });
    } else it(`refuses: ${name}`, () => assert.throws(() => parseLabelText(text), { reason: error }));
  }

  const [{ text, key = '' }] = cases as [LabelCase];

  it('refuses every truncation of a text', () => {
    for (let length = 0; length < text.length; length++) assert.throws(() => parseLabelText(text.slice(0, length)));
  });

  it('refuses every other letter at every place of a text', () => {
    for (let at = 0; at < text.length; at++) {
      for (const letter of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:') {
        if (text[at] !== letter) assert.throws(() => parseLabelText(text.slice(0, at) + letter + text.slice(at + 1)));
      }
    }
  });

  it('find every single mistyped digit, and nearly all groups in a wrong place', () => {
    const groups = labelDigits(bytes(key));
    let unnoticed = 0;
    groups.forEach((group, index) => {
      for (let at = 0; at < group.length; at++) {
        for (let digit = 0; digit < 10; digit++) {
          const typed = group.slice(0, at) + digit + group.slice(at + 1);
          assert.equal(isDigitGroup(index, typed), typed === group, `${typed} for ${group}`);
        }
      }
      groups.forEach((_, other) => {
        if (other !== index && isDigitGroup(other, group)) unnoticed++;
      });
    });
    assert.ok(unnoticed <= 8, `${unnoticed} of 56`);
    for (const typed of ['', '1234', '123456', '1234x', '１２３４５']) assert.equal(isDigitGroup(0, typed), false);
  });

  it('belong to keys of 32 bytes', () => {
    assert.throws(() => labelText(new Uint8Array(31)), { reason: 'badField' });
    assert.throws(() => labelDigits(new Uint8Array(33)), { reason: 'badField' });
  });
});
