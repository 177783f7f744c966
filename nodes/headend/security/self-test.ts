import { equalBytes, fromHex, toHex } from '../bytes.ts';
import { type CryptoProvider, isAllZero, X25519_BYTES } from './provider.ts';

const RANDOM_BYTES = 32;

/** RFC 7748, section 6.1. */
const ALICE_SECRET = fromHex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
const ALICE_PUBLIC = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a';
const BOB_PUBLIC = fromHex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
const ALICE_AND_BOB = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';

/** RFC 8439, section 2.8.2. */
const AEAD_KEY = fromHex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f');
const AEAD_NONCE = fromHex('070000004041424344454647');
const AEAD_AAD = fromHex('50515253c0c1c2c3c4c5c6c7');
const AEAD_TEXT = ascii(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
);
const AEAD_SEALED = fromHex(
  'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692dd' +
    'bd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
);

/** Each check by the name under which it is reported. */
const checks: Readonly<Record<string, (provider: CryptoProvider) => boolean>> = {
  // FIPS 180-4, the example "abc".
  'SHA-256': ({ sha256 }) =>
    toHex(sha256(ascii('a'), ascii('bc'))) === 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  // RFC 4231, section 4.2.
  'HMAC-SHA256': ({ hmacSha256 }) =>
    toHex(hmacSha256(repeated(0x0b, 20), ascii('Hi There'))) ===
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  // RFC 5869, appendix A.1.
  'HKDF-SHA256': ({ hkdf }) =>
    toHex(hkdf(fromHex('000102030405060708090a0b0c'), repeated(0x0b, 22), fromHex('f0f1f2f3f4f5f6f7f8f9'), 42)) ===
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  X25519: ({ x25519, x25519PublicKey }) =>
    toHex(x25519PublicKey(ALICE_SECRET)) === ALICE_PUBLIC && toHex(x25519(ALICE_SECRET, BOB_PUBLIC)) === ALICE_AND_BOB,
  'X25519 with a key of small order': ({ x25519 }) => isAllZero(x25519(ALICE_SECRET, new Uint8Array(X25519_BYTES))),
  'ChaCha20-Poly1305': ({ aeadSeal, aeadOpen }) => {
    const opened = aeadOpen(AEAD_KEY, AEAD_NONCE, AEAD_AAD, AEAD_SEALED);
    return (
      equalBytes(aeadSeal(AEAD_KEY, AEAD_NONCE, AEAD_AAD, AEAD_TEXT), AEAD_SEALED) &&
      opened !== undefined &&
      equalBytes(opened, AEAD_TEXT)
    );
  },
  'ChaCha20-Poly1305 with a false tag': ({ aeadOpen }) => {
    const forged = AEAD_SEALED.slice();
    forged[forged.length - 1] = (forged.at(-1) as number) ^ 1;
    return aeadOpen(AEAD_KEY, AEAD_NONCE, AEAD_AAD, forged) === undefined;
  },
  // A generator that is stuck gives the same twice, or one byte over and over.
  'random bytes': ({ randomBytes }) => {
    const [first, second] = [randomBytes(RANDOM_BYTES), randomBytes(RANDOM_BYTES)];
    return first.length === RANDOM_BYTES && !equalBytes(first, second) && new Set(first).size > 1;
  },
};

/** What of a provider does not work, by name; empty when all of it does. Takes a few milliseconds. */
export function selfTest(provider: CryptoProvider): string[] {
  return Object.entries(checks)
    .filter(([, passes]) => !succeeds(() => passes(provider)))
    .map(([name]) => name);
}

/** A primitive that throws has failed its check. */
function succeeds(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function repeated(byte: number, length: number): Uint8Array {
  return new Uint8Array(length).fill(byte);
}
