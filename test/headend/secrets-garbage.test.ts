import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { equalBytes, fromHex } from '../../nodes/headend/bytes.ts';
import { ManualClock } from '../../nodes/headend/clock.ts';
import { encodeM1Payload, M1_PAYLOAD_BYTES } from '../../nodes/headend/frame/handshake.ts';
import {
  decodePacket,
  encodePacketHeader,
  type Packet,
  SUITE_NONE,
  sealPlain,
} from '../../nodes/headend/frame/packet.ts';
import { exportIdentity, type HeadEndIdentity, importIdentity } from '../../nodes/headend/security/identity.ts';
import {
  decodeRing,
  encodeRing,
  type NetworkKey,
  type NetworkKeyRing,
} from '../../nodes/headend/security/network-keys.ts';
import { keyPairOf } from '../../nodes/headend/security/noise.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { readRecovery, writeRecovery } from '../../nodes/headend/security/recovery.ts';
import { StoreKey } from '../../nodes/headend/security/store-key.ts';
import type { SuiteEngine } from '../../nodes/headend/security/suite.ts';
import { eccEngine } from '../../nodes/headend/security/suite-ecc.ts';
import { plainEngine } from '../../nodes/headend/security/suite-none.ts';
import { rsaEngine } from '../../nodes/headend/security/suite-rsa.ts';
import * as any from './frame-arbitraries.ts';
import { attempt, attemptLater, CASES, garbageBytes, garbageText, shortenStacks } from './garbage.ts';
import { projectVectors, type SuiteVectors } from './support/security-vectors.ts';

const GARBAGE_MS_MAX = 120_000;
/** Cases of what costs public-key cryptography. */
const COSTLY_CASES = Math.ceil(CASES / 50);
/** RSA ciphertext, device key, payload and tag. */
const RSA_MESSAGE_BYTES = 256 + 32 + M1_PAYLOAD_BYTES + 16;
const PASSPHRASE = 'nobody will ever guess';

const ecc = projectVectors<SuiteVectors>('suite-ecc');
const rsa = projectVectors<SuiteVectors>('suite-rsa');
const staticKey = keyPairOf(nodeProvider, new Uint8Array(32).fill(7));
const privateKeyPem = rsa.keys.privateKeyPem as string;
const rsaIdentity = (): HeadEndIdentity => ({
  staticKey,
  rsa: { privateKeyPem, publicKeyPem: nodeProvider.rsa?.rsaPublicKey(privateKeyPem) as string },
});

const rsaHeadEnd = rsaEngine({
  provider: nodeProvider,
  privateKeyPem,
  networkNumber: rsa.keys.networkNumber,
  clock: new ManualClock(),
  pskOf: () => fromHex(rsa.keys.psk as string),
});

/** The packets in the vectors of a suite. */
function packetsOf({ cases }: SuiteVectors): Uint8Array[] {
  return cases.flatMap(({ hex, fragments }) => [...(hex ? [hex] : []), ...(fragments ?? [])]).map(fromHex);
}

/** What an engine makes of a packet that may be an M1, or a part of one. */
function open(engine: SuiteEngine, packet: Packet): boolean {
  const opened = attempt(() => {
    const whole = engine.assemble(packet);
    return whole && engine.openM1(whole);
  });
  if (opened) assert.equal(opened.deviceKey.length, 32);
  return opened !== undefined;
}

/** What a recovery file says to its reader, or undefined for text that is none. */
function said(text: string): string | undefined {
  try {
    const { format, version, network, created, kdf, cipher, nonce, data, checksum } = JSON.parse(text);
    const { name, n, r, p, salt } = kdf;
    return JSON.stringify([format, version, network, created, name, n, r, p, salt, cipher, nonce, data, checksum]);
  } catch {
    return undefined;
  }
}

describe('secrets that nobody wrote', function () {
  this.timeout(GARBAGE_MS_MAX);
  shortenStacks();

  it('as network keys are refused with a WattmeshError, or are a ring', () => {
    const key = (id: number): NetworkKey => ({ keyId: id, key: new Uint8Array(16).fill(id) });
    const rings: NetworkKeyRing[] = [
      { current: key(1), next: undefined, given: '' },
      { current: key(15), next: { ...key(2), useAtMs: 1.8e12 }, given: 'c0'.repeat(32) },
    ];
    const samples = rings.map((ring) => new TextDecoder().decode(encodeRing(ring)));
    let taken = 0;
    fc.assert(
      fc.property(garbageText([...samples, 'null', '[]', '{}'], '{}":,0123456789abcdefcurntkyIdgivx', 200), (text) => {
        const ring = attempt(() => decodeRing(new TextEncoder().encode(text)));
        if (!ring) return;
        taken++;
        assert.deepEqual(decodeRing(encodeRing(ring)), ring);
        for (const { keyId, key: secret } of [ring.current, ...(ring.next ? [ring.next] : [])]) {
          assert.ok(keyId >= 1 && keyId <= 15 && secret.length === 16);
        }
      }),
      { numRuns: CASES, seed: 1 },
    );
    assert.ok(taken > CASES / 100, `${taken} were taken at all`);
  });

  it('as an identity are refused with a WattmeshError, or are two halves that belong together', () => {
    const sample = exportIdentity({ staticKey });
    const texts = garbageText([sample, 'null', '[]'], '{}":,0123456789abcdefsctpublKy', 200);
    fc.assert(
      fc.property(texts, (text) => {
        const identity = attempt(() => importIdentity(nodeProvider, text));
        if (identity) assert.ok(equalBytes(identity.staticKey.publicKey, staticKey.publicKey));
      }),
      { numRuns: CASES, seed: 1 },
    );
  });

  it('as an identity with an RSA key are refused with a WattmeshError, or decrypt', () => {
    const texts = garbageText([exportIdentity(rsaIdentity())], 'ABCDwxyz0189+/=\\n', 200);
    fc.assert(
      fc.property(texts, (text) => {
        attempt(() => importIdentity(nodeProvider, text));
      }),
      { numRuns: COSTLY_CASES, seed: 1 },
    );
  });

  it('as a recovery file are refused with a WattmeshError, before they cost time', async () => {
    const recovery = { network: 'demo', secrets: { identity: exportIdentity({ staticKey }) } };
    const sample = await writeRecovery(nodeProvider, recovery, PASSPHRASE, Date.UTC(2026, 0, 1));
    // Opening the right one costs half a second each time.
    const texts = garbageText([sample], '{}":,0123456789abcdef', 400).filter((text) => said(text) !== said(sample));
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        assert.equal(await attemptLater(() => readRecovery(nodeProvider, text, PASSPHRASE)), undefined);
      }),
      { numRuns: CASES, seed: 1 },
    );
  });

  it('as an entry of the store are refused with a WattmeshError', () => {
    const storeKey = new StoreKey(nodeProvider, new Uint8Array(32).fill(1));
    const entries = [0, 1, 16, 64].map((length) => storeKey.seal('row', new Uint8Array(length)));
    fc.assert(
      fc.property(garbageBytes(entries, 100), (entry) => {
        const opened = attempt(() => storeKey.open('row', entry));
        if (opened) assert.ok(entries.some((each) => equalBytes(each, entry)));
      }),
      { numRuns: CASES, seed: 1 },
    );
  });

  it('as an M1 of suite 0x00 with a right CRC are refused with a WattmeshError, or have a device key', () => {
    const header = encodePacketHeader({
      type: 'm1',
      suite: SUITE_NONE,
      fragment: false,
      nodeId: '0a1b2c3d4e5f',
      session: 0,
      counter: 1,
    });
    const payloads = fc.sample(any.m1Payload, { numRuns: 50, seed: 1 });
    const samples = payloads.map((payload) => Buffer.concat([staticKey.publicKey, encodeM1Payload(payload)]));
    let taken = 0;
    fc.assert(
      fc.property(garbageBytes(samples, 150), (content) => {
        const packet = attempt(() => decodePacket(sealPlain(header, content)));
        if (packet && open(plainEngine, packet)) taken++;
      }),
      { numRuns: CASES, seed: 1 },
    );
    assert.ok(taken > CASES / 100, `${taken} were taken at all`);
  });

  it('as an M1 of suite 0x01 are refused with a WattmeshError, or are the one that was sent', () => {
    const headEndKey = keyPairOf(nodeProvider, fromHex(ecc.keys.headEndSecret as string));
    const { networkNumber } = ecc.keys;
    const engine = eccEngine({ provider: nodeProvider, staticKey: headEndKey, networkNumber });
    let taken = 0;
    fc.assert(
      fc.property(garbageBytes(packetsOf(ecc), 250), (bytes) => {
        const packet = attempt(() => decodePacket(bytes));
        if (packet && open(engine, packet)) taken++;
      }),
      { numRuns: COSTLY_CASES, seed: 1 },
    );
    assert.ok(taken > 0);
  });

  it('as fragments of suite 0x10 are refused with a WattmeshError, or make a whole one', () => {
    let taken = 0;
    fc.assert(
      fc.property(garbageBytes(packetsOf(rsa), 250), (bytes) => {
        const whole = attempt(() => rsaHeadEnd.assemble(decodePacket(bytes)));
        if (!whole) return;
        taken++;
        assert.equal(whole.body.length, RSA_MESSAGE_BYTES);
      }),
      { numRuns: CASES, seed: 1 },
    );
    assert.ok(taken > 0);
  });

  it('as a whole M1 of suite 0x10 are refused with a WattmeshError, or are the one that was sent', () => {
    const [first, second] = (rsa.cases[0]?.fragments ?? []).map((fragment) => decodePacket(fromHex(fragment)));
    assert.ok(first && second);
    const message = Buffer.concat([first.body.subarray(1), second.body.subarray(1)]);
    assert.equal(message.length, RSA_MESSAGE_BYTES);
    let taken = 0;
    fc.assert(
      fc.property(garbageBytes([message], RSA_MESSAGE_BYTES), (body) => {
        if (attempt(() => rsaHeadEnd.openM1({ ...first, body }))) taken++;
      }),
      { numRuns: COSTLY_CASES, seed: 1 },
    );
    assert.ok(taken > 0);
  });
});
