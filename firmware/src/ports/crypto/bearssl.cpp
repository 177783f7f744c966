// The implementations for processors with 16 x 16 bit multiplication, as the ESP8266 is: br_ec_c25519_m15, poly1305_ctmul32, RSA i15.
#include "ports/crypto/crypto.hpp"

// The Arduino core keeps the library's headers in a folder of their own.
#if __has_include(<bearssl/bearssl.h>)
#include <bearssl/bearssl.h>
#else
#include <bearssl.h>
#endif

#include <cstring>

using wattmesh::rsaBytes;

namespace ports {

namespace {

void (*freshRandom)(uint8_t* out, size_t length) = nullptr;

constexpr size_t tagBytes = 16;

void sha256(void*, const uint8_t* data, size_t length, uint8_t out[32]) {
  br_sha256_context context;
  br_sha256_init(&context);
  br_sha256_update(&context, data, length);
  br_sha256_out(&context, out);
}

void x25519(void*, uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32]) {
  // Scalar and point stand as in RFC 7748. It works in place and reports success for points of small order too.
  uint8_t result[32];
  memcpy(result, point, 32);
  br_ec_c25519_m15.mul(result, sizeof result, scalar, 32, BR_EC_curve25519);
  memcpy(out, result, 32);
}

void aeadSeal(void*, uint8_t* out, const uint8_t key[32], const uint8_t nonce[12], const uint8_t* aad, size_t aadLength,
              const uint8_t* plain, size_t length) {
  if (length > 0) memmove(out, plain, length);
  br_poly1305_ctmul32_run(key, nonce, out, length, aad, aadLength, out + length, br_chacha20_ct_run, 1);
}

bool aeadOpen(void*, uint8_t* out, const uint8_t key[32], const uint8_t nonce[12], const uint8_t* aad, size_t aadLength,
              const uint8_t* cipher, size_t length) {
  if (length < tagBytes) return false;
  const size_t plainLength = length - tagBytes;
  uint8_t expected[tagBytes];
  memcpy(expected, cipher + plainLength, tagBytes);
  if (plainLength > 0) memmove(out, cipher, plainLength);
  uint8_t tag[tagBytes];
  br_poly1305_ctmul32_run(key, nonce, out, plainLength, aad, aadLength, tag, br_chacha20_ct_run, 0);
  uint8_t difference = 0;
  for (size_t i = 0; i < tagBytes; i++) difference = static_cast<uint8_t>(difference | (tag[i] ^ expected[i]));
  // It decrypts before anybody has compared tags.
  if (difference != 0 && plainLength > 0) memset(out, 0, plainLength);
  return difference == 0;
}

bool rsaOaepEncrypt(void*, uint8_t out[rsaBytes], const uint8_t modulus[rsaBytes], const uint8_t* label, size_t labelLength,
                    const uint8_t* plain, size_t length) {
  uint8_t seed[32];
  freshRandom(seed, sizeof seed);
  br_hmac_drbg_context drbg;
  br_hmac_drbg_init(&drbg, &br_sha256_vtable, seed, sizeof seed);
  uint8_t n[rsaBytes];
  uint8_t e[] = {1, 0, 1};
  memcpy(n, modulus, rsaBytes);
  const br_rsa_public_key key = {n, sizeof n, e, sizeof e};
  return br_rsa_i15_oaep_encrypt(&drbg.vtable, &br_sha256_vtable, label, labelLength, &key, out, rsaBytes, plain, length) == rsaBytes;
}

}  // namespace

bool useCrypto(wattmesh::Port& port, void (*random)(uint8_t* out, size_t length)) {
  freshRandom = random;
  port.sha256 = sha256;
  port.x25519 = x25519;
  port.aeadSeal = aeadSeal;
  port.aeadOpen = aeadOpen;
  port.rsaOaepEncrypt = rsaOaepEncrypt;
  return true;
}

}  // namespace ports
