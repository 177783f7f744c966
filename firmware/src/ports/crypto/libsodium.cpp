#include <sodium.h>

#include <cstring>

#include "ports/crypto/crypto.hpp"

namespace ports {

namespace {

constexpr size_t tagBytes = crypto_aead_chacha20poly1305_IETF_ABYTES;

void sha256(void*, const uint8_t* data, size_t length, uint8_t out[32]) { crypto_hash_sha256(out, data, length); }

void x25519(void*, uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32]) {
  // Refuses points of small order before it has written anything.
  if (crypto_scalarmult_curve25519(out, scalar, point) != 0) memset(out, 0, 32);
}

void aeadSeal(void*, uint8_t* out, const uint8_t key[32], const uint8_t nonce[12], const uint8_t* aad, size_t aadLength,
              const uint8_t* plain, size_t length) {
  crypto_aead_chacha20poly1305_ietf_encrypt(out, nullptr, plain, length, aad, aadLength, nullptr, nonce, key);
}

bool aeadOpen(void*, uint8_t* out, const uint8_t key[32], const uint8_t nonce[12], const uint8_t* aad, size_t aadLength,
              const uint8_t* cipher, size_t length) {
  if (length < tagBytes) return false;
  return crypto_aead_chacha20poly1305_ietf_decrypt(out, nullptr, nullptr, cipher, length, aad, aadLength, nonce, key) == 0;
}

}  // namespace

bool useCrypto(wattmesh::Port& port, void (*)(uint8_t* out, size_t length)) {
  if (sodium_init() < 0) return false;
  port.sha256 = sha256;
  port.x25519 = x25519;
  port.aeadSeal = aeadSeal;
  port.aeadOpen = aeadOpen;
  port.rsaOaepEncrypt = nullptr;
  return true;
}

}  // namespace ports
