import assert from 'node:assert/strict';
import type { ErrorName } from '../../nodes/headend/errors.ts';
import { decodeM1Payload, decodeM2Payload } from '../../nodes/headend/frame/handshake.ts';
import { decodePacket, encodePacketHeader, type Packet, type PacketHeader } from '../../nodes/headend/frame/packet.ts';
import { networkNumber, nodeIdOf } from '../../nodes/headend/security/keys.ts';
import { type KeyPair, keyPairOf } from '../../nodes/headend/security/noise.ts';
import { packetNonce } from '../../nodes/headend/security/nonce.ts';
import type { CryptoProvider } from '../../nodes/headend/security/provider.ts';
import type { InitiatedHandshake, SessionKeys, SuiteEngine } from '../../nodes/headend/security/suite.ts';
import { eccEngine, initiateEcc } from '../../nodes/headend/security/suite-ecc.ts';
import { openSealed, sealPacket } from '../../nodes/headend/security/transport.ts';
import {
  bytes,
  flipped,
  hex,
  projectVectors,
  providers,
  type SuiteCase,
  type SuiteVectors,
  withRandom,
} from './support/security-vectors.ts';

const { keys, cases } = projectVectors<SuiteVectors>('suite-ecc');
const { networkNumber: network } = keys;

function key(name: string): Uint8Array {
  return bytes(keys[name] as string);
}

function caseOf(packet: SuiteCase['packet']): Required<Pick<SuiteCase, 'hex' | 'fields'>> {
  const found = cases.find((each) => each.packet === packet && each.valid);
  assert.ok(found?.hex && found.fields);
  return { hex: found.hex, fields: found.fields };
}

const m1 = bytes(caseOf('m1').hex);
const m2 = bytes(caseOf('m2').hex);
const m1Payload = decodeM1Payload(bytes(String(caseOf('m1').fields.payload)));
const m2Payload = decodeM2Payload(bytes(String(caseOf('m2').fields.payload)));
const epoch = Number(caseOf('m2').fields.epoch);
const sessionKeys: SessionKeys = {
  up: bytes(String(caseOf('m2').fields.keyUp)),
  down: bytes(String(caseOf('m2').fields.keyDown)),
};
/** The public keys for which X25519 gives zeros. */
const smallOrder = projectVectors<{ cases: readonly { publicKey: string; result: string }[] }>('x25519')
  .cases.filter(({ result }) => /^0+$/.test(result))
  .map(({ publicKey }) => bytes(publicKey));

function initiate(provider: CryptoProvider): InitiatedHandshake {
  return initiateEcc({
    provider,
    staticKey: keyPairOf(provider, key('deviceSecret')),
    headEndKey: key('headEndKey'),
    networkNumber: network,
    payload: m1Payload,
    ephemeral: key('initiatorEphemeral'),
  });
}

function engineOf(provider: CryptoProvider): SuiteEngine {
  return eccEngine({ provider, staticKey: keyPairOf(provider, key('headEndSecret')), networkNumber: network });
}

/** Opens a packet as its receiver would, whatever it is. */
function open(provider: CryptoProvider, kind: SuiteCase['packet'], data: Uint8Array): unknown {
  const packet = decodePacket(data);
  if (kind === 'm1') return engineOf(provider).openM1(packet);
  if (kind === 'm2') return initiate(provider).readM2(packet);
  return openSealed(provider, kind === 'up' ? sessionKeys.up : sessionKeys.down, packet);
}

for (const provider of providers) {
  describe(`suite 0x01, ${provider.name}`, () => {
    it('opens M1 and answers with M2, both as in the vectors', () => {
      const handshake = engineOf(withRandom(provider, key('responderEphemeral'))).openM1(decodePacket(m1));
      assert.deepEqual(handshake.deviceKey, key('deviceKey'));
      assert.equal(handshake.nodeId, nodeIdOf(key('deviceKey')));
      assert.deepEqual(handshake.payload, m1Payload);
      const answer = handshake.respond(m2Payload, epoch);
      assert.equal(hex(answer.m2), hex(m2));
      assert.deepEqual(answer.keys, sessionKeys);
    });

    it('writes M1 and reads M2, both as in the vectors', () => {
      const node = initiate(provider);
      assert.deepEqual(node.m1.map(hex), [hex(m1)]);
      assert.deepEqual(node.readM2(decodePacket(m2)), { payload: m2Payload, keys: sessionKeys });
    });

    it('opens and seals transport packets as in the vectors', () => {
      const engine = engineOf(provider);
      const [up, down] = [caseOf('up'), caseOf('down')];
      assert.equal(hex(engine.open(decodePacket(bytes(up.hex)), { keys: sessionKeys })), up.fields.plaintext);
      const { header: _header, body: _body, ...header } = decodePacket(bytes(down.hex));
      const plaintext = bytes(String(down.fields.plaintext));
      assert.equal(hex(engine.seal(header, { keys: sessionKeys }, plaintext)), down.hex);
      assert.deepEqual(openSealed(provider, sessionKeys.down, decodePacket(bytes(down.hex))), plaintext);
    });

    for (const { name, packet, hex: data = '', error } of cases.filter(({ valid }) => !valid)) {
      it(`refuses: ${name}`, () => assert.throws(() => open(provider, packet, bytes(data)), { reason: error }));
    }
  });
}

/** Steps of an M1 that an attacker without any secret can make when X25519 gives zeros, or with honest results of it. */
function forgeM1(provider: CryptoProvider, e: Uint8Array, s: Uint8Array, es: Uint8Array, ss: Uint8Array): Packet {
  const header = decodePacket(m1).header;
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, network, true);
  const ascii = new TextEncoder();
  let hash = provider.sha256(
    ascii.encode('Noise_IK_25519_ChaChaPoly_SHA256'),
    ascii.encode('wattmesh'),
    header.subarray(0, 2),
    number,
    header,
  );
  let chain = ascii.encode('Noise_IK_25519_ChaChaPoly_SHA256') as Uint8Array;
  hash = provider.sha256(hash, key('headEndKey'));
  hash = provider.sha256(hash, e);
  const parts = [[es, s] as const, [ss, bytes(String(caseOf('m1').fields.payload))] as const].map(([shared, text]) => {
    const output = provider.hkdf(chain, shared, new Uint8Array(0), 64);
    chain = output.subarray(0, 32);
    const sealed = provider.aeadSeal(output.subarray(32), packetNonce(0), hash, text);
    hash = provider.sha256(hash, sealed);
    return sealed;
  });
  return decodePacket(new Uint8Array(Buffer.concat([header, e, ...parts])));
}

describe('suite 0x01 under attack: keys of small order and zeros', () => {
  for (const provider of providers) {
    const engine = engineOf(provider);
    const headEndKey = key('headEndKey');
    const [device, ephemeral] = [key('deviceSecret'), key('initiatorEphemeral')].map((secret) => ({
      ...keyPairOf(provider, secret),
      shared: provider.x25519(secret, headEndKey),
    })) as [...[KeyPair & { shared: Uint8Array }, KeyPair & { shared: Uint8Array }]];
    const zeros = new Uint8Array(32);

    it(`are forged as an attacker would (with true keys the forgery is M1), ${provider.name}`, () => {
      const packet = forgeM1(provider, ephemeral.publicKey, device.publicKey, ephemeral.shared, device.shared);
      assert.deepEqual(packet, decodePacket(m1));
    });

    it(`are refused as ephemeral and as static key, ${provider.name}`, () => {
      assert.ok(smallOrder.length >= 9);
      for (const low of smallOrder) {
        const asEphemeral = forgeM1(provider, low, device.publicKey, zeros, device.shared);
        assert.throws(() => engine.openM1(asEphemeral), { reason: 'badTag' }, `ephemeral ${hex(low)}`);
        const asStatic = forgeM1(provider, ephemeral.publicKey, low, ephemeral.shared, zeros);
        assert.throws(() => engine.openM1(asStatic), { reason: 'badTag' }, `static ${hex(low)}`);
        const asBoth = forgeM1(provider, low, low, zeros, zeros);
        assert.throws(() => engine.openM1(asBoth), { reason: 'badTag' }, `both ${hex(low)}`);
      }
    });

    it(`are refused as the head-end's key by a node, ${provider.name}`, () => {
      for (const headEndKey of smallOrder) {
        const staticKey = keyPairOf(provider, key('deviceSecret'));
        const begin = () =>
          initiateEcc({ provider, staticKey, headEndKey, networkNumber: network, payload: m1Payload });
        assert.throws(begin, { reason: 'badTag' });
      }
    });
  }
});

describe('suite 0x01 under attack: altered packets', () => {
  const [provider] = providers as [CryptoProvider];
  const originals = (['m1', 'm2', 'up', 'down'] as const).map((kind) => [kind, bytes(caseOf(kind).hex)] as const);
  /** What a header that says something impossible may be refused with instead. */
  const formErrors: readonly ErrorName[] = ['badVersion', 'unknownType', 'badField', 'truncated', 'trailingBytes'];

  for (const [kind, original] of originals) {
    it(`${kind}: every bit of header, key, ciphertext and tag`, () => {
      for (let bit = 0; bit < original.length * 8; bit++) {
        const reason = reasonOf(() => open(provider, kind, flipped(original, bit)));
        const allowed = bit < 16 || reason === 'badField' ? formErrors : [];
        assert.ok(reason === 'badTag' || (reason && allowed.includes(reason)), `bit ${bit}: ${reason}`);
      }
    });

    it(`${kind}: every truncation`, () => {
      for (let length = 0; length < original.length; length++) {
        const reason = reasonOf(() => open(provider, kind, original.subarray(0, length)));
        assert.ok(reason === 'truncated' || reason === 'badTag', `${length} bytes: ${reason}`);
      }
    });
  }

  it('M1 under every other version, type, suite and flag in its header', () => {
    const packet = decodePacket(m1);
    for (let byte = 0; byte < 2; byte++) {
      for (let value = 0; value < 256; value++) {
        if (value === packet.header[byte]) continue;
        const header = packet.header.slice();
        header[byte] = value;
        assert.throws(() => engineOf(provider).openM1({ ...packet, header }), { reason: 'badTag' });
      }
    }
  });

  it('M1 for another network or another head-end', () => {
    const staticKey = keyPairOf(provider, key('headEndSecret'));
    const elsewhere = eccEngine({ provider, staticKey, networkNumber: networkNumber('another') });
    assert.throws(() => elsewhere.openM1(decodePacket(m1)), { reason: 'badTag' });
    const other = eccEngine({ provider, staticKey: keyPairOf(provider), networkNumber: network });
    assert.throws(() => other.openM1(decodePacket(m1)), { reason: 'badTag' });
  });

  it('M2 that answers another M1 of the same node', () => {
    const node = initiate(provider);
    const later = initiateEcc({
      provider,
      staticKey: keyPairOf(provider, key('deviceSecret')),
      headEndKey: key('headEndKey'),
      networkNumber: network,
      payload: { ...m1Payload, handshake: m1Payload.handshake + 1 },
    });
    const answer = engineOf(provider)
      .openM1(decodePacket(later.m1[0] as Uint8Array))
      .respond(m2Payload, epoch);
    assert.throws(() => node.readM2(decodePacket(answer.m2)), { reason: 'badTag' });
    assert.deepEqual(later.readM2(decodePacket(answer.m2)).payload, m2Payload);
  });
});

describe('transport packets', () => {
  const [provider] = providers as [CryptoProvider];
  const header: PacketHeader = {
    type: 'down',
    suite: 0x01,
    fragment: false,
    nodeId: nodeIdOf(key('deviceKey')),
    session: 1,
    epoch,
    counter: 0xffff_ffff,
  };

  it('have a nonce of owner epoch and counter, little-endian', () => {
    assert.equal(hex(packetNonce(0x01020304)), '000000000403020100000000');
    assert.equal(hex(packetNonce(0x01020304, 0xa1a2a3a4)), '0000000004030201a4a3a2a1');
    const plaintext = new Uint8Array(8);
    const later = sealPacket(provider, sessionKeys.down, { ...header, epoch: epoch + 1 }, plaintext);
    const body = decodePacket(sealPacket(provider, sessionKeys.down, header, plaintext)).body;
    assert.notDeepEqual(decodePacket(later).body.subarray(0, 8), body.subarray(0, 8));
  });

  it('are never longer than a frame has room for', () => {
    const room = 212 - encodePacketHeader(header).length - 16;
    assert.equal(sealPacket(provider, sessionKeys.down, header, new Uint8Array(room)).length, 212);
    assert.throws(() => sealPacket(provider, sessionKeys.down, header, new Uint8Array(room + 1)), {
      reason: 'oversize',
    });
  });

  it('of a session without keys are noKey', () => {
    const engine = engineOf(provider);
    assert.throws(() => engine.open(decodePacket(bytes(caseOf('up').hex)), {}), { reason: 'noKey' });
    assert.throws(() => engine.seal(header, {}, new Uint8Array(0)), { reason: 'noKey' });
  });
});

function reasonOf(attempt: () => unknown): ErrorName | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return (error as { reason?: ErrorName }).reason;
  }
}
