import assert from 'node:assert/strict';
import { IkInitiator, IkResponder, type IkResult, keyPairOf } from '../../nodes/headend/security/noise.ts';
import { packetNonce } from '../../nodes/headend/security/nonce.ts';
import type { CryptoProvider } from '../../nodes/headend/security/provider.ts';
import { bytes, foreignVectors, hex, providers } from './support/security-vectors.ts';

interface NoiseVector {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly init_static: string;
  readonly init_ephemeral: string;
  readonly init_remote_static: string;
  readonly resp_prologue: string;
  readonly resp_static: string;
  readonly resp_ephemeral: string;
  readonly handshake_hash?: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

const PROTOCOL = 'Noise_IK_25519_ChaChaPoly_SHA256';
const FILES = ['cacophony', 'snow'];

/** Both sides of one provider, with the vector's keys. */
function sides(provider: CryptoProvider, vector: NoiseVector): [IkInitiator, IkResponder] {
  const initiator = new IkInitiator(provider, {
    prologue: bytes(vector.init_prologue),
    staticKey: keyPairOf(provider, bytes(vector.init_static)),
    remoteStatic: bytes(vector.init_remote_static),
    ephemeral: bytes(vector.init_ephemeral),
  });
  const staticKey = keyPairOf(provider, bytes(vector.resp_static));
  return [initiator, new IkResponder(provider, bytes(vector.resp_prologue), staticKey)];
}

/** The transport messages, the initiator's first, each direction with a key and a counter of its own. */
function judgeTransport(provider: CryptoProvider, keys: IkResult, messages: NoiseVector['messages']): void {
  const empty = new Uint8Array(0);
  messages.forEach(({ payload, ciphertext }, index) => {
    const key = index % 2 === 0 ? keys.initiatorKey : keys.responderKey;
    const nonce = packetNonce(Math.floor(index / 2));
    assert.equal(hex(provider.aeadSeal(key, nonce, empty, bytes(payload))), ciphertext);
    assert.deepEqual(provider.aeadOpen(key, nonce, empty, bytes(ciphertext)), bytes(payload));
  });
}

describe('Noise IK', () => {
  for (const file of FILES) {
    for (const provider of providers) {
      it(`vectors of ${file}, both sides, ${provider.name}`, function () {
        const path = `noise/${file}-25519-chachapoly-sha256.json`;
        const vectors = foreignVectors<{ vectors: readonly NoiseVector[] }>(path)?.vectors;
        if (!vectors) return this.skip();
        const ours = vectors.filter(({ protocol_name }) => protocol_name === PROTOCOL);
        assert.ok(ours.length > 0, `${path} has no case of ${PROTOCOL}`);
        for (const vector of ours) {
          const [initiator, responder] = sides(provider, vector);
          const [first, second, ...transport] = vector.messages;
          assert.ok(first && second);
          assert.equal(hex(initiator.writeFirst(bytes(first.payload))), first.ciphertext);
          const opened = responder.readFirst(bytes(first.ciphertext));
          assert.equal(hex(opened.payload), first.payload);
          assert.deepEqual(opened.remoteStatic, keyPairOf(provider, bytes(vector.init_static)).publicKey);
          const answer = responder.writeSecond(bytes(second.payload), { ephemeral: bytes(vector.resp_ephemeral) });
          assert.equal(hex(answer.message), second.ciphertext);
          const finished = initiator.readSecond(bytes(second.ciphertext));
          assert.equal(hex(finished.payload), second.payload);
          for (const result of [answer, finished]) {
            if (vector.handshake_hash) assert.equal(hex(result.handshakeHash), vector.handshake_hash);
            judgeTransport(provider, result, transport);
          }
        }
      });
    }
  }

  for (const provider of providers) {
    const responderKey = keyPairOf(provider);
    const options = {
      prologue: bytes('0102'),
      staticKey: keyPairOf(provider),
      remoteStatic: responderKey.publicKey,
    };

    it(`answers one first message more than once, each time with keys of their own, ${provider.name}`, () => {
      const initiator = new IkInitiator(provider, options);
      const responder = new IkResponder(provider, options.prologue, responderKey);
      responder.readFirst(initiator.writeFirst(bytes('aa')));
      const answers = [responder.writeSecond(bytes('bb')), responder.writeSecond(bytes('cc'))];
      assert.notDeepEqual(answers[0]?.responderKey, answers[1]?.responderKey);
      const payloads = answers.map(({ message, initiatorKey }) => {
        const read = initiator.readSecond(message);
        assert.deepEqual(read.initiatorKey, initiatorKey);
        return hex(read.payload);
      });
      assert.deepEqual(payloads, ['bb', 'cc']);
    });

    it(`reads the true second message after a forged one, ${provider.name}`, () => {
      const initiator = new IkInitiator(provider, options);
      const responder = new IkResponder(provider, options.prologue, responderKey);
      responder.readFirst(initiator.writeFirst(bytes('aa')));
      const { message } = responder.writeSecond(bytes('bb'));
      for (let at = 0; at < message.length; at++) {
        const forged = message.slice();
        forged[at] = (forged[at] as number) ^ 0x80;
        assert.throws(() => initiator.readSecond(forged), { reason: 'badTag' });
      }
      assert.equal(hex(initiator.readSecond(message).payload), 'bb');
    });

    it(`has nothing to say before the first message or after it was wiped, ${provider.name}`, () => {
      const initiator = new IkInitiator(provider, options);
      const responder = new IkResponder(provider, options.prologue, responderKey);
      assert.throws(() => responder.writeSecond(bytes('bb')), /no first message/);
      responder.readFirst(initiator.writeFirst(bytes('aa')));
      const { message } = responder.writeSecond(bytes('bb'));
      responder.wipe();
      assert.throws(() => responder.writeSecond(bytes('bb')), /no first message/);
      initiator.wipe();
      assert.throws(() => initiator.readSecond(message), { reason: 'badTag' });
    });
  }
});
