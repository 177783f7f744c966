#include "wattmesh/noise.hpp"

#include <cstring>

namespace wattmesh {

namespace {
// Exactly hashBytes long, so that it is the first hash as it stands (section 5.2, InitializeSymmetric).
constexpr char protocolName[] = "Noise_IK_25519_ChaChaPoly_SHA256";
static_assert(sizeof protocolName - 1 == hashBytes, "a longer name would have to be hashed");
}  // namespace

void NoiseSymmetric::begin(const Port& port, const uint8_t* prologue, size_t prologueLength, const uint8_t responderKey[keyBytes]) {
  port_ = &port;
  memcpy(hash_, protocolName, hashBytes);
  memcpy(chainingKey_, protocolName, hashBytes);
  mixHash(prologue, prologueLength);
  mixHash(responderKey, keyBytes);
}

void NoiseSymmetric::mixHash(const uint8_t* data, size_t length) {
  if (length > noisePartBytesMax) __builtin_trap();
  uint8_t message[hashBytes + noisePartBytesMax];
  memcpy(message, hash_, hashBytes);
  if (length > 0) memcpy(message + hashBytes, data, length);
  port_->sha256(port_->context, message, hashBytes + length, hash_);
}

bool NoiseSymmetric::mixKey(const uint8_t secret[keyBytes], const uint8_t publicKey[keyBytes]) {
  uint8_t shared[keyBytes];
  const bool usable = sharedSecret(*port_, secret, publicKey, shared);
  // The framework's HKDF (section 4.3) is that of RFC 5869 without info.
  uint8_t derived[2 * hashBytes];
  hkdfSha256(*port_, chainingKey_, hashBytes, shared, sizeof shared, nullptr, 0, derived, sizeof derived);
  memcpy(chainingKey_, derived, hashBytes);
  memcpy(key_, derived + hashBytes, keyBytes);
  wattmesh::wipe(shared, sizeof shared);
  wattmesh::wipe(derived, sizeof derived);
  return usable;
}

void NoiseSymmetric::seal(const uint8_t* plain, size_t length, uint8_t* out) {
  static constexpr uint8_t nonce[aeadNonceBytes] = {};
  port_->aeadSeal(port_->context, out, key_, nonce, hash_, hashBytes, plain, length);
  mixHash(out, length + tagBytes);
}

bool NoiseSymmetric::open(const uint8_t* cipher, size_t length, uint8_t* out) {
  static constexpr uint8_t nonce[aeadNonceBytes] = {};
  if (length < tagBytes || !port_->aeadOpen(port_->context, out, key_, nonce, hash_, hashBytes, cipher, length)) return false;
  mixHash(cipher, length);
  return true;
}

void NoiseSymmetric::split(SessionKeys& keys) const {
  uint8_t derived[2 * keyBytes];
  hkdfSha256(*port_, chainingKey_, hashBytes, nullptr, 0, nullptr, 0, derived, sizeof derived);
  memcpy(keys.up, derived, keyBytes);
  memcpy(keys.down, derived + keyBytes, keyBytes);
  wattmesh::wipe(derived, sizeof derived);
}

void NoiseSymmetric::wipe() {
  wattmesh::wipe(hash_, sizeof hash_);
  wattmesh::wipe(chainingKey_, sizeof chainingKey_);
  wattmesh::wipe(key_, sizeof key_);
}

bool NoiseInitiator::start(const Port& port, const uint8_t* prologue, size_t prologueLength, const uint8_t responderKey[keyBytes],
                           const uint8_t secret[keyBytes], const uint8_t publicKey[keyBytes], const uint8_t ephemeral[keyBytes],
                           const uint8_t* payload, size_t length, uint8_t* out) {
  port_ = &port;
  symmetric_.begin(port, prologue, prologueLength, responderKey);
  memcpy(ephemeral_, ephemeral, keyBytes);
  uint8_t* e = out;
  uint8_t* s = e + keyBytes;
  publicKeyOf(port, ephemeral_, e);
  symmetric_.mixHash(e, keyBytes);
  if (!symmetric_.mixKey(ephemeral_, responderKey)) return false;
  symmetric_.seal(publicKey, keyBytes, s);
  if (!symmetric_.mixKey(secret, responderKey)) return false;
  symmetric_.seal(payload, length, s + keyBytes + tagBytes);
  return true;
}

bool NoiseInitiator::finish(const uint8_t* header, size_t headerLength, const uint8_t secret[keyBytes], const uint8_t* message,
                            size_t length, uint8_t* payload, SessionKeys& keys) const {
  if (length < noiseM2Bytes) return false;
  // On a copy: a forged message must not spoil the handshake for the right one.
  NoiseSymmetric symmetric = symmetric_;
  if (headerLength > 0) symmetric.mixHash(header, headerLength);
  symmetric.mixHash(message, keyBytes);
  const bool agreed = symmetric.mixKey(ephemeral_, message) && symmetric.mixKey(secret, message) &&
                      symmetric.open(message + keyBytes, length - keyBytes, payload);
  if (agreed) symmetric.split(keys);
  symmetric.wipe();
  return agreed;
}

}  // namespace wattmesh
