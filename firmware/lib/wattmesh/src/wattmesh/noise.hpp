// Noise_IK_25519_ChaChaPoly_SHA256 (Noise Protocol Framework, revision 34). The sections named below are those of its specification.
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/crypto.hpp"
#include "wattmesh/port.hpp"

namespace wattmesh {

constexpr size_t noisePartBytesMax = 96;  // what is hashed at a time: prologue, header, key or ciphertext
constexpr size_t noiseM1Bytes = keyBytes + keyBytes + tagBytes + tagBytes;  // around the payload of the first message
constexpr size_t noiseM2Bytes = keyBytes + tagBytes;                        // and of the second

struct SessionKeys {
  uint8_t up[keyBytes];    // the initiator's sending key
  uint8_t down[keyBytes];
};

// The symmetric state (section 5.2). In pattern IK every key encrypts once, so the nonce within the handshake is always 0.
class NoiseSymmetric {
 public:
  // `prologue` and `responderKey` are hashed: all that both sides know beforehand. `port` must outlive the state.
  void begin(const Port& port, const uint8_t* prologue, size_t prologueLength, const uint8_t responderKey[keyBytes]);
  // `length` is at most noisePartBytesMax.
  void mixHash(const uint8_t* data, size_t length);
  // MixKey of the Diffie-Hellman result. False: it is all zeros.
  [[nodiscard]] bool mixKey(const uint8_t secret[keyBytes], const uint8_t publicKey[keyBytes]);
  // EncryptAndHash: writes `length` + tagBytes, at most noisePartBytesMax.
  void seal(const uint8_t* plain, size_t length, uint8_t* out);
  // DecryptAndHash: `length` counts the tag. False: it does not verify.
  [[nodiscard]] bool open(const uint8_t* cipher, size_t length, uint8_t* out);
  [[gnu::noinline]] void split(SessionKeys& keys) const;
  void wipe();

 private:
  const Port* port_;
  uint8_t hash_[hashBytes];
  uint8_t chainingKey_[hashBytes];
  uint8_t key_[keyBytes];
};

// The initiator's side of one handshake: IK is `<- s … -> e, es, s, ss` and `<- e, ee, se`.
class NoiseInitiator {
 public:
  // Writes the first message, length + noiseM1Bytes. False: the responder's key is of small order. `secret` and `publicKey` are this
  // side's static keys; `ephemeral` is a secret for this handshake alone.
  [[nodiscard]] bool start(const Port& port, const uint8_t* prologue, size_t prologueLength, const uint8_t responderKey[keyBytes],
                           const uint8_t secret[keyBytes], const uint8_t publicKey[keyBytes], const uint8_t ephemeral[keyBytes],
                           const uint8_t* payload, size_t length, uint8_t* out);
  // Reads the second message; `header`, possibly empty, is hashed before it. `payload` gets length - noiseM2Bytes. False: it does not
  // verify, or its key is of small order; then another message may still be the right one.
  [[nodiscard]] bool finish(const uint8_t* header, size_t headerLength, const uint8_t secret[keyBytes], const uint8_t* message,
                            size_t length, uint8_t* payload, SessionKeys& keys) const;
 private:
  const Port* port_;
  NoiseSymmetric symmetric_;
  uint8_t ephemeral_[keyBytes];
};

}  // namespace wattmesh
