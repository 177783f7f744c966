import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { errorCodes } from '../../nodes/headend/errors.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { bytes, foreignVectors, hex, projectVectors, type SuiteVectors } from '../headend/support/security-vectors.ts';
import { needFile, needTool } from '../support/tools.ts';
import { BACKENDS, type Backend, BUILD_MS_MAX, buildNative } from './native-build.ts';
import { consult, judge, type Question } from './oracle.ts';

/** Bounds of the core's own functions (crypto.hpp): longer inputs do not occur in the protocol and trap. */
const HMAC_KEY_BYTES_MAX = 64;
const HMAC_MESSAGE_BYTES_MAX = 320;
const HKDF_INFO_BYTES_MAX = 64;
const HKDF_OUTPUT_BYTES_MAX = 96;
const SESSION_PACKETS_MAX = 2 ** 24;

const ZEROS = '00'.repeat(32);
const lengthOf = (text: string): number => text.length / 2;

interface Wycheproof<Case> {
  readonly testGroups: readonly { readonly tests: readonly (Case & WycheproofCase)[]; readonly tagSize?: number }[];
}

interface WycheproofCase {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: string;
}

/** The questions that a Wycheproof file asks; undefined where the vectors of others are not at hand. */
function wycheproof<Case>(
  name: string,
  questionsOf: (vector: Case & WycheproofCase, tagSize: number) => Omit<Question, 'name'>[],
): Question[] | undefined {
  const file = foreignVectors<Wycheproof<Case>>(`wycheproof/${name}_test.json`);
  return file?.testGroups.flatMap(({ tests, tagSize = 256 }) =>
    tests.flatMap((vector) =>
      questionsOf(vector, tagSize).map((question) => ({
        ...question,
        name: `${name} ${vector.tcId}: ${vector.comment}`,
      })),
    ),
  );
}

interface XdhCase {
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}

/** The port's function, and the core's check of what it gives. */
function curveQuestions(secret: string, publicKey: string, shared: string): Omit<Question, 'name'>[] {
  return [
    { ask: ['x25519', secret, publicKey, 1], expected: [shared] },
    { ask: ['shared', secret, publicKey], expected: [shared === ZEROS ? 'none' : shared] },
  ];
}

interface AeadCase {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

function aeadQuestions({ key, iv, aad, msg, ct, tag, result, flags }: AeadCase & WycheproofCase) {
  // The port's nonces have one length.
  if (flags.includes('InvalidNonceSize')) return [];
  const valid = result === 'valid';
  const open = { ask: ['open', key, iv, aad, ct + tag] as const, expected: [valid ? msg : 'none'] };
  const seal = { ask: ['seal', key, iv, aad, msg] as const, expected: [ct + tag] };
  return valid ? [open, seal] : [open];
}

interface NoiseVector extends Readonly<Record<`${'init' | 'resp'}_${'prologue' | 'static' | 'ephemeral'}`, string>> {
  readonly protocol_name: string;
  readonly init_remote_static: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

function noiseAsks(vector: NoiseVector): [Question['ask'], Question['ask']] {
  const [first, second] = vector.messages;
  assert.ok(first && second);
  const own = [vector.init_prologue, vector.init_remote_static, vector.init_static, vector.init_ephemeral];
  return [
    ['noise-initiator', ...own, first.payload, second.ciphertext],
    [
      'noise-responder',
      ...[vector.resp_prologue, vector.resp_static, vector.resp_ephemeral, first.ciphertext, second.payload],
    ],
  ];
}

/** What follows the handshake: the initiator's message first, each direction with a key and a counter of its own. */
function transportQuestions(vector: NoiseVector, keys: readonly string[]): Question[] {
  return vector.messages.slice(2).map(({ payload, ciphertext }, index) => {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32LE(Math.floor(index / 2), 4);
    const ask: Question['ask'] = ['seal', keys[index % 2] as string, nonce.toString('hex'), '', payload];
    return { name: `message ${index + 2}`, ask, expected: [ciphertext] };
  });
}

async function judgeNoise(program: string, vector: NoiseVector): Promise<void> {
  const [first, second] = vector.messages;
  assert.ok(first && second);
  const [initiator = [], responder = []] = await consult(program, noiseAsks(vector));
  const keys = initiator.slice(2);
  assert.deepEqual(initiator.slice(0, 2), [first.ciphertext, second.payload]);
  const initiatorKey = hex(nodeProvider.x25519PublicKey(bytes(vector.init_static)));
  assert.deepEqual(responder, [initiatorKey, first.payload, second.ciphertext, ...keys]);
  await judge(program, transportQuestions(vector, keys));
}

type Fields = Readonly<Record<string, string>>;

/** The cases of `suite-*.json` that concern a node: its M1, every M2, its packets, every downlink. */
function suiteQuestions(suite: number, { keys, cases }: SuiteVectors, random: string, cipher: string): Question[] {
  const fieldsOf = (packet: string): Fields =>
    cases.find((vector) => vector.valid && vector.packet === packet)?.fields as Fields;
  const m1 = cases.find((vector) => vector.valid && vector.packet === 'm1');
  const m1Packets = m1?.fragments?.join(',') ?? m1?.hex ?? '';
  const { keyUp = '', keyDown = '' } = fieldsOf('m2');
  const own = [keys.headEndKey ?? ZEROS, keys.psk ?? ZEROS, keys.deviceSecret ?? ZEROS, random, cipher];
  const up = cases.find((vector) => vector.valid && vector.packet === 'up');
  const { session, counter, plaintext } = up?.fields ?? {};
  const upPacket = Number(counter) < SESSION_PACKETS_MAX ? (up?.hex ?? '') : 'none';
  const nodeId = upPacket === 'none' ? '00'.repeat(6) : upPacket.slice(4, 16);
  const sending = [suite, Number(session), nodeId, keyUp, keyDown, Number(counter), String(plaintext)] as const;
  const refusal = (error: keyof typeof errorCodes | undefined) => String(errorCodes[error ?? 'badTag']);
  return cases.flatMap(({ name, packet, hex: whole = '', valid, error, fields }): Question[] => {
    if (packet === 'm2') {
      const answer = valid ? [(fields as Fields).payload as string, keyUp, keyDown] : [refusal(error)];
      const ask: Question['ask'] = [
        'handshake',
        suite,
        keys.networkNumber,
        ...own,
        fieldsOf('m1').payload ?? '',
        whole,
      ];
      return [{ name, ask, expected: [m1Packets, ...answer] }];
    }
    if (packet !== 'down') return [];
    const answer = valid ? String(fields?.plaintext) : refusal(error);
    return [{ name, ask: ['transport', ...sending, whole], expected: [upPacket, answer] }];
  });
}

for (const backend of Object.keys(BACKENDS) as Backend[]) {
  describe(`cryptography of the firmware core over ${backend}`, () => {
    let program: string;

    before(async function () {
      if (!needTool(this, 'g++') || !needFile(this, BACKENDS[backend].header)) return;
      this.timeout(BUILD_MS_MAX);
      program = await buildNative(`oracle-${backend}`);
    });

    it('has the figures of RFC 7748', async () => {
      type Case = { name: string; secret: string; publicKey: string; result: string; iterations?: number };
      const { cases } = projectVectors<{ cases: Case[] }>('x25519');
      const questions = cases.flatMap(({ name, secret, publicKey, result, iterations = 1 }): Question[] => {
        if (iterations === 1)
          return curveQuestions(secret, publicKey, result).map((question) => ({ ...question, name }));
        return [{ name, ask: ['x25519', secret, publicKey, iterations], expected: [result] }];
      });
      await judge(program, questions, 2 * cases.length - 1);
    });

    it('has the figures of RFC 8439', async () => {
      type Case = { name: string; key: string; nonce: string; aad: string; plaintext: string; sealed: string };
      const { cases } = projectVectors<{ cases: Case[] }>('chacha20-poly1305');
      const questions = cases.flatMap(({ name, key, nonce, aad, plaintext, sealed }): Question[] => [
        { name, ask: ['seal', key, nonce, aad, plaintext], expected: [sealed] },
        { name, ask: ['open', key, nonce, aad, sealed], expected: [plaintext] },
      ]);
      await judge(program, questions, 4);
    });

    it('has the figures of RFC 5869 that fit its bounds', async () => {
      type Case = { name: string; ikm: string; salt: string; info: string; okm: string };
      const { cases } = projectVectors<{ cases: Case[] }>('hkdf-sha256');
      const questions = cases
        .filter(({ salt }) => lengthOf(salt) <= HMAC_KEY_BYTES_MAX)
        .map(({ name, ikm, salt, info, okm }): Question => {
          return { name, ask: ['hkdf', salt, ikm, info, lengthOf(okm)], expected: [okm] };
        });
      await judge(program, questions, 2);
    });

    it('passes Wycheproof: X25519', async function () {
      const questions = wycheproof<XdhCase>('x25519', (vector) =>
        curveQuestions(vector.private, vector.public, vector.shared),
      );
      if (!questions) return this.skip();
      await judge(program, questions, 1036);
    });

    it('passes Wycheproof: ChaCha20-Poly1305', async function () {
      const questions = wycheproof<AeadCase>('chacha20_poly1305', aeadQuestions);
      if (!questions) return this.skip();
      await judge(program, questions, 500);
    });

    it('passes Wycheproof: HMAC-SHA256, within its bounds', async function () {
      type Case = { key: string; msg: string; tag: string };
      const questions = wycheproof<Case>('hmac_sha256', ({ key, msg, tag, result }, tagSize) => {
        const fits = lengthOf(key) <= HMAC_KEY_BYTES_MAX && lengthOf(msg) <= HMAC_MESSAGE_BYTES_MAX;
        return fits && result === 'valid' && tagSize === 256 ? [{ ask: ['hmac', key, msg], expected: [tag] }] : [];
      });
      if (!questions) return this.skip();
      await judge(program, questions, 25);
    });

    it('passes Wycheproof: HKDF-SHA256, within its bounds', async function () {
      type Case = { ikm: string; salt: string; info: string; size: number; okm: string };
      const questions = wycheproof<Case>('hkdf_sha256', ({ ikm, salt, info, size, okm }) => {
        const fits = lengthOf(salt) <= HMAC_KEY_BYTES_MAX && lengthOf(info) <= HKDF_INFO_BYTES_MAX;
        return fits && size <= HKDF_OUTPUT_BYTES_MAX ? [{ ask: ['hkdf', salt, ikm, info, size], expected: [okm] }] : [];
      });
      if (!questions) return this.skip();
      await judge(program, questions, 40);
    });

    for (const file of ['cacophony', 'snow']) {
      it(`speaks Noise IK, both sides: the vectors of ${file}`, async function () {
        const path = `noise/${file}-25519-chachapoly-sha256.json`;
        const vectors = foreignVectors<{ vectors: readonly NoiseVector[] }>(path)?.vectors;
        if (!vectors) return this.skip();
        const ours = vectors.filter(({ protocol_name }) => protocol_name === 'Noise_IK_25519_ChaChaPoly_SHA256');
        assert.ok(ours.length > 0, path);
        for (const vector of ours) await judgeNoise(program, vector);
      });
    }

    it('makes and reads the packets of suite 0x01', async () => {
      const vectors = projectVectors<SuiteVectors>('suite-ecc');
      const questions = suiteQuestions(0x01, vectors, vectors.keys.initiatorEphemeral ?? '', '00'.repeat(256));
      await judge(program, questions, 9);
    });

    it('makes and reads the packets of suite 0x10', async () => {
      const vectors = projectVectors<SuiteVectors>('suite-rsa');
      // The same device as in the vectors of suite 0x01, which have its secret.
      const { deviceSecret = '' } = projectVectors<SuiteVectors>('suite-ecc').keys;
      const own = { ...vectors, keys: Object.assign({}, vectors.keys, { deviceSecret }) };
      const [first] = vectors.cases[0]?.fragments ?? [];
      const second = vectors.cases[0]?.fragments?.[1] ?? '';
      const cipher = `${first?.slice(28)}${second.slice(28)}`.slice(0, 512);
      const { rsaSecret } = vectors.cases.find(({ packet }) => packet === 'm2')?.fields ?? {};
      await judge(program, suiteQuestions(0x10, own, String(rsaSecret), cipher), 2);
    });

    it('encrypts to an RSA key, where it can', async () => {
      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const { n } = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({
        format: 'jwk',
      }) as JsonWebKey;
      const modulus = Buffer.from(n ?? '', 'base64url').toString('hex');
      const label = Buffer.from('wattmesh 1');
      const secret = Buffer.alloc(32, 7);
      const [[cipher = ''] = []] = await consult(program, [
        ['oaep', modulus, label.toString('hex'), secret.toString('hex')],
      ]);
      if (backend === 'libsodium') {
        assert.equal(cipher, 'none');
        return;
      }
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
      assert.deepEqual(nodeProvider.rsa?.oaepDecrypt(pem, bytes(cipher), label), new Uint8Array(secret));
    });
  });
}
