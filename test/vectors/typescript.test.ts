import assert from 'node:assert/strict';
import { createHmac, hkdfSync } from 'node:crypto';
import { fromHex, toHex } from '../../nodes/headend/bytes.ts';
import { errorCodes, reasonOf, WattmeshError } from '../../nodes/headend/errors.ts';
import { type LinkContext, sealFrame, verifyFrame } from '../../nodes/headend/frame/radio.ts';
import { CODECS, type Judged } from './codecs.ts';
import { KINDS, type Kind, loadVectors, toJson } from './load.ts';

/** The name of the error with which bytes are refused, or `valid`. Anything that is no WattmeshError is thrown on. */
function verdict(judge: (bytes: Uint8Array) => Judged, bytes: Uint8Array): string {
  try {
    judge(bytes);
    return 'valid';
  } catch (error) {
    if (error instanceof WattmeshError) return error.reason;
    throw error;
  }
}

describe('vectors in TypeScript', () => {
  for (const kind of Object.keys(KINDS) as Kind[]) {
    describe(kind, () => {
      const { cases } = loadVectors(kind);
      for (const vector of cases) {
        it(vector.name, () => {
          const bytes = fromHex(vector.hex);
          if (!vector.valid) {
            assert.ok(vector.error in errorCodes, `${vector.error} is not in the closed set`);
            assert.equal(verdict(CODECS[kind], bytes), vector.error, vector.why);
            return;
          }
          const { fields, encoded } = CODECS[kind](bytes);
          assert.deepEqual(toJson(fields), vector.fields);
          assert.equal(toHex(encoded), vector.canonical ?? vector.hex);
        });
      }

      it('has both valid and invalid cases', () => {
        assert.ok(cases.some((vector) => vector.valid));
        assert.ok(cases.some((vector) => !vector.valid));
      });
    });
  }
});

describe('link MAC vectors', () => {
  for (const vector of loadVectors('link-mac').cases) {
    it(vector.name, () => {
      const text = (name: string) => String(vector.fields?.[name]);
      const keyId = Number(vector.fields?.keyId);
      const networkNumber = Number(vector.fields?.networkNumber);
      const linkKey = fromHex(text('linkKey'));
      const context: LinkContext = {
        transmitter: fromHex(text('transmitter')),
        receiver: fromHex(text('receiver')),
        networkNumber,
      };
      const hmac = (message: Uint8Array) => createHmac('sha256', linkKey).update(message).digest();
      const bytes = fromHex(vector.hex);
      assert.equal(verifyFrame(bytes, context, hmac), vector.valid);
      if (!vector.valid) return;
      assert.equal(toHex(sealFrame(bytes.subarray(0, -8), context, hmac)), vector.hex);
      const info = Buffer.alloc(5, keyId);
      info.writeUInt32LE(networkNumber);
      const label = keyId === 0 ? 'wattmesh join' : 'wattmesh link';
      const derived = hkdfSync('sha256', fromHex(text('secret')), '', Buffer.concat([Buffer.from(label), info]), 16);
      assert.equal(Buffer.from(derived).toString('hex'), text('linkKey'));
    });
  }

  it('refuses frames that cannot hold a MAC or are too long', () => {
    const context = { transmitter: new Uint8Array(6), receiver: new Uint8Array(6), networkNumber: 0 };
    const zeros = () => new Uint8Array(32);
    assert.equal(verifyFrame(new Uint8Array(13), context, zeros), false);
    assert.equal(verifyFrame(new Uint8Array(14), context, zeros), true);
    assert.equal(verifyFrame(new Uint8Array(251), context, zeros), false);
    assert.throws(
      () => sealFrame(new Uint8Array(243), context, zeros),
      (error) => reasonOf(error) === 'oversize',
    );
  });
});
