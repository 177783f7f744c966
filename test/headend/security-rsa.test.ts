import assert from 'node:assert/strict';
import { ManualClock } from '../../nodes/headend/clock.ts';
import { decodeM1Payload, decodeM2Payload } from '../../nodes/headend/frame/handshake.ts';
import { decodePacket } from '../../nodes/headend/frame/packet.ts';
import { HALF_MESSAGE_LIFE_MS, HALF_MESSAGES_MAX } from '../../nodes/headend/security/half-messages.ts';
import type { CryptoProvider } from '../../nodes/headend/security/provider.ts';
import type { Handshake, InitiatedHandshake, SessionKeys, SuiteEngine } from '../../nodes/headend/security/suite.ts';
import { initiateRsa, rsaEngine } from '../../nodes/headend/security/suite-rsa.ts';
import { openSealed } from '../../nodes/headend/security/transport.ts';
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

const { keys, cases } = projectVectors<SuiteVectors>('suite-rsa');
const { networkNumber } = keys;
const privateKeyPem = keys.privateKeyPem as string;
const psk = bytes(keys.psk as string);
const deviceKey = bytes(keys.deviceKey as string);

function caseOf(packet: SuiteCase['packet']): SuiteCase & { fields: Record<string, string | number> } {
  const found = cases.find((each) => each.packet === packet && each.valid);
  assert.ok(found?.fields);
  return { ...found, fields: found.fields };
}

const fragments = (caseOf('m1').fragments ?? []).map(bytes) as [Uint8Array, Uint8Array];
const { fields: answerFields, hex: answerHex = '' } = caseOf('m2');
const m1Payload = decodeM1Payload(bytes(String(caseOf('m1').fields.payload)));
const m2Payload = decodeM2Payload(bytes(String(answerFields.payload)));
const epoch = Number(answerFields.epoch);
const sessionKeys: SessionKeys = {
  up: bytes(String(answerFields.keyUp)),
  down: bytes(String(answerFields.keyDown)),
};

/** A head-end that knows the PSK of the vectors' device. */
function engineOf(provider: CryptoProvider, clock = new ManualClock(), known = psk): SuiteEngine {
  const pskOf = (device: string) => (device === hex(deviceKey) ? known : undefined);
  return rsaEngine({ provider, privateKeyPem, networkNumber, clock, pskOf });
}

/** What comes of packets one after the other: the handshake, or nothing yet. */
function feed(engine: SuiteEngine, ...packets: readonly Uint8Array[]): Handshake | undefined {
  let opened: Handshake | undefined;
  for (const packet of packets) {
    const whole = engine.assemble(decodePacket(packet));
    if (whole) opened = engine.openM1(whole);
  }
  return opened;
}

function initiate(provider: CryptoProvider, handshake = 7, device = deviceKey): InitiatedHandshake {
  const publicKeyPem = provider.rsa?.rsaPublicKey(privateKeyPem) as string;
  const payload = { ...m1Payload, handshake };
  return initiateRsa({ provider, deviceKey: device, psk, publicKeyPem, networkNumber, payload });
}

for (const provider of providers) {
  describe(`suite 0x10, ${provider.name}`, () => {
    it('opens M1 and answers with M2, both as in the vectors', () => {
      const handshake = feed(engineOf(withRandom(provider, bytes(String(answerFields.random)))), ...fragments);
      assert.ok(handshake);
      assert.deepEqual(handshake.deviceKey, deviceKey);
      assert.deepEqual(handshake.payload, m1Payload);
      const answer = handshake.respond(m2Payload, epoch);
      assert.equal(hex(answer.m2), answerHex);
      assert.deepEqual(answer.keys, sessionKeys);
    });

    it('opens and seals transport packets as in the vectors', () => {
      const engine = engineOf(provider);
      const [up, down] = [caseOf('up'), caseOf('down')];
      assert.equal(hex(engine.open(decodePacket(bytes(up.hex ?? '')), { keys: sessionKeys })), up.fields.plaintext);
      const { header: _header, body: _body, ...header } = decodePacket(bytes(down.hex ?? ''));
      const sealed = engine.seal(header, { keys: sessionKeys }, bytes(String(down.fields.plaintext)));
      assert.equal(hex(sealed), down.hex);
    });

    for (const { name, fragments: parts = [] } of cases.filter(({ valid }) => !valid)) {
      it(`refuses: ${name}`, () => {
        assert.throws(() => feed(engineOf(provider), ...parts.map(bytes)), { reason: 'badTag' });
      });
    }

    it('agrees with a node on the keys of a session, and on others in the next answer', () => {
      const node = initiate(provider);
      const handshake = feed(engineOf(provider), ...node.m1);
      assert.ok(handshake);
      const [first, second] = [handshake.respond(m2Payload, epoch), handshake.respond(m2Payload, epoch)];
      for (const { m2, keys: agreed } of [first, second]) {
        assert.deepEqual(node.readM2(decodePacket(m2)), { payload: m2Payload, keys: agreed });
      }
      assert.notDeepEqual(first.keys, second.keys);
      assert.notDeepEqual(first.keys?.up, first.keys?.down);
    });
  });
}

describe('suite 0x10 under attack', () => {
  const [provider] = providers as [CryptoProvider];
  const [first, second] = fragments;

  it('opens fragments in either order, and doubled ones', () => {
    assert.ok(feed(engineOf(provider), first, second));
    assert.ok(feed(engineOf(provider), second, first));
    assert.ok(feed(engineOf(provider), first, first, second));
    assert.ok(feed(engineOf(provider), second, second, first));
  });

  it('says nothing while a fragment is missing', () => {
    assert.equal(feed(engineOf(provider), first), undefined);
    assert.equal(feed(engineOf(provider), second, second), undefined);
  });

  it('opens the same message again when it is repeated as a whole', () => {
    const engine = engineOf(provider);
    assert.ok(feed(engine, first, second));
    assert.equal(feed(engine, second), undefined);
    assert.ok(feed(engine, first));
  });

  it('forgets half a message after its time, and when the clock is set back', () => {
    for (const [waitMs, complete] of [
      [HALF_MESSAGE_LIFE_MS - 1, true],
      [HALF_MESSAGE_LIFE_MS, false],
    ] as const) {
      const clock = new ManualClock(1_000_000);
      const engine = engineOf(provider, clock);
      feed(engine, first);
      clock.advance(waitMs);
      assert.equal(feed(engine, second) !== undefined, complete, `after ${waitMs} ms`);
    }
    let nowMs = 1_000_000;
    const engine = engineOf(provider, Object.assign(new ManualClock(), { nowMs: () => nowMs }));
    feed(engine, first);
    nowMs -= 1;
    assert.equal(feed(engine, second), undefined);
  });

  it('drops a part that comes twice with other bytes, and what it had of that message', () => {
    const engine = engineOf(provider);
    feed(engine, first);
    assert.throws(() => feed(engine, flipped(first, 20 * 8)), { reason: 'badTag' });
    assert.equal(feed(engine, second), undefined);
    assert.ok(feed(engine, first), 'a repetition heals it');
  });

  it('never opens parts of different messages as one', () => {
    // The same node, the same number: the headers are equal, the messages are not.
    const [other] = initiate(provider).m1 as [Uint8Array];
    assert.throws(() => feed(engineOf(provider), other, second), { reason: 'badTag' });
    // Another number: two half messages beside each other, each waiting for its own other half.
    const node = initiate(provider, 8);
    const engine = engineOf(provider);
    assert.equal(feed(engine, first, node.m1[1] as Uint8Array), undefined);
    assert.equal(feed(engine, second)?.payload.handshake, 7);
    assert.equal(feed(engine, node.m1[0] as Uint8Array)?.payload.handshake, 8);
  });

  it('keeps eight half messages and no more, the latest ones', () => {
    const engine = engineOf(provider);
    const nodes = Array.from({ length: HALF_MESSAGES_MAX + 1 }, (_, index) => initiate(provider, 100 + index));
    for (const { m1 } of nodes) feed(engine, m1[0] as Uint8Array);
    const opened = nodes.toReversed().map(({ m1 }) => feed(engine, m1[1] as Uint8Array)?.payload.handshake);
    assert.deepEqual(opened, [...Array.from({ length: HALF_MESSAGES_MAX }, (_, index) => 108 - index), undefined]);
  });

  it('fails in one way only, whatever is wrong', () => {
    const wrongs: [string, () => unknown][] = [
      ['OAEP', () => feed(engineOf(provider), flipped(first, 14 * 8), second)],
      ['tag', () => feed(engineOf(provider), first, flipped(second, second.length * 8 - 1))],
      ['unknown device', () => feed(engineOf(provider), ...initiate(provider, 7, new Uint8Array(32).fill(9)).m1)],
      ['another PSK', () => feed(engineOf(provider, new ManualClock(), new Uint8Array(32)), first, second)],
      ['a PSK that is too short', () => feed(engineOf(provider, new ManualClock(), psk.subarray(1)), first, second)],
      ['a part that is too short', () => feed(engineOf(provider), first.subarray(0, -1))],
      ['a message that is no fragment', () => engineOf(provider).openM1({ ...decodePacket(first), fragment: false })],
    ];
    const errors = wrongs.map(([what, attempt]) => {
      try {
        attempt();
      } catch (error) {
        return { code: (error as { code: number }).code, message: (error as Error).message };
      }
      throw new Error(`${what} was accepted`);
    });
    for (const error of errors) assert.deepEqual(error, errors[0]);
    assert.equal(errors[0]?.code, 202);
  });

  it('refuses every truncation of either fragment', () => {
    for (const part of fragments) {
      for (let length = 0; length < part.length; length++) {
        const attempt = () => feed(engineOf(provider), part.subarray(0, length));
        assert.throws(
          attempt,
          ({ reason }: { reason: string }) => reason === 'badTag' || (length < 13 && reason === 'truncated'),
        );
      }
    }
  });

  it('refuses every bit of the header, and bits of ciphertext, device key, payload and tag', () => {
    const engine = engineOf(provider);
    for (const bit of [
      0,
      7 * 8,
      13 * 8,
      100 * 8,
      255 * 8 + 7,
      256 * 8,
      287 * 8,
      288 * 8,
      315 * 8,
      316 * 8,
      331 * 8 + 7,
    ]) {
      const joined = joinedM1();
      assert.throws(
        () => engine.openM1({ ...joined, body: flipped(joined.body, bit) }),
        { reason: 'badTag' },
        `bit ${bit}`,
      );
    }
    for (let bit = 0; bit < 13 * 8; bit++) {
      const joined = joinedM1();
      const attempt = () => engine.openM1({ ...joined, header: flipped(joined.header, bit) });
      assert.throws(attempt, { reason: 'badTag' }, `bit ${bit} of the header`);
    }
  });

  it('refuses every bit and every truncation of M2 and of transport packets', () => {
    const node = initiate(provider);
    const handshake = feed(engineOf(provider), ...node.m1);
    assert.ok(handshake);
    const { m2, keys: agreed } = handshake.respond(m2Payload, epoch);
    const packet = decodePacket(m2);
    for (let bit = 0; bit < packet.body.length * 8; bit++) {
      assert.throws(() => node.readM2({ ...packet, body: flipped(packet.body, bit) }), { reason: 'badTag' });
    }
    for (let bit = 0; bit < packet.header.length * 8; bit++) {
      assert.throws(() => node.readM2({ ...packet, header: flipped(packet.header, bit) }), { reason: 'badTag' });
    }
    for (let length = 0; length < packet.body.length; length++) {
      assert.throws(() => node.readM2({ ...packet, body: packet.body.subarray(0, length) }), { reason: 'truncated' });
    }
    assert.throws(() => openSealed(provider, agreed?.up as Uint8Array, packet), { reason: 'badTag' });
  });

  it('is refused where there is no RSA', () => {
    const { rsa: _rsa, ...without } = provider;
    assert.throws(() => engineOf(without), { reason: 'suiteRefused' });
  });

  function joinedM1() {
    const engine = engineOf(provider);
    engine.assemble(decodePacket(first));
    const whole = engine.assemble(decodePacket(second));
    assert.ok(whole);
    return whole;
  }
});
