import type { FirmwareImportName, FirmwareImports } from './firmware.ts';
import { aeadOpen, aeadSeal, rsaOaepEncrypt, sha256, x25519 } from './provider.ts';
import type { Random } from './random.ts';

type CryptoImport = Extract<FirmwareImportName, 'sha256' | 'x25519' | 'aead_seal' | 'aead_open' | 'rsa_oaep_encrypt'>;

/** Bytes of the memory of the instance that is running. */
export type View = (address?: number, length?: number) => Uint8Array;

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const RSA_BYTES = 256;

/** The cryptography that a device lends its firmware. `sealed` is told of every seal before it happens. */
export function cryptoImports(
  view: View,
  around: { readonly random: Random; sealed(key: Uint8Array, nonce: Uint8Array): void },
): Pick<FirmwareImports, CryptoImport> {
  return {
    sha256: (data, length, out) => view(out, KEY_BYTES).set(sha256(view(data, length))),
    x25519: (out, scalar, point) => view(out, KEY_BYTES).set(x25519(view(scalar, KEY_BYTES), view(point, KEY_BYTES))),
    aead_seal: (out, key, nonce, aad, aadLength, plain, length = 0) => {
      const [keyBytes, nonceBytes] = [view(key, KEY_BYTES), view(nonce, NONCE_BYTES)];
      around.sealed(keyBytes, nonceBytes);
      const sealed = aeadSeal(keyBytes, nonceBytes, view(aad, aadLength), view(plain, length));
      view(out, length + TAG_BYTES).set(sealed);
    },
    aead_open: (out, key, nonce, aad, aadLength, cipher, length) => {
      const opened = aeadOpen(
        view(key, KEY_BYTES),
        view(nonce, NONCE_BYTES),
        view(aad, aadLength),
        view(cipher, length),
      );
      if (opened) view(out, opened.length).set(opened);
      return opened ? 1 : 0;
    },
    rsa_oaep_encrypt: (out, modulus, label, labelLength, plain, length) => {
      const seed = around.random.bytes(KEY_BYTES);
      const cipher = rsaOaepEncrypt(view(modulus, RSA_BYTES), view(label, labelLength), view(plain, length), seed);
      view(out, RSA_BYTES).set(cipher);
      return 1;
    },
  };
}
