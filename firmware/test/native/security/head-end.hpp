// The other end of a handshake, for tests: just enough of a head-end to answer an M1 and to speak in the session that follows.
#pragma once
#include <vector>

#include "wattmesh/config.hpp"
#include "wattmesh/noise.hpp"
#include "wattmesh/packet.hpp"

using Bytes = std::vector<uint8_t>;

// The responder's side of pattern IK.
class NoiseResponder {
 public:
  NoiseResponder(const wattmesh::Port& port, const Bytes& secret);
  // Reads the first message. False: it does not verify.
  bool read(const Bytes& prologue, const Bytes& message, Bytes& initiatorKey, Bytes& payload);
  // Writes the second message with the given ephemeral secret; `header` is hashed before it.
  Bytes write(const Bytes& header, const Bytes& ephemeral, const Bytes& payload, wattmesh::SessionKeys& keys) const;
  const uint8_t* publicKey() const { return publicKey_; }

 private:
  const wattmesh::Port& port_;
  Bytes secret_;
  uint8_t publicKey_[wattmesh::keyBytes];
  uint8_t remoteEphemeral_[wattmesh::keyBytes];
  uint8_t remoteStatic_[wattmesh::keyBytes];
  wattmesh::NoiseSymmetric symmetric_;
};

class HeadEnd {
 public:
  // `port` and `config` must outlive it. `config` is the node's; the head-end's keys are put into it.
  HeadEnd(const wattmesh::Port& port, wattmesh::Config& config);

  // Reads the packets of an M1, as the suite says. False: they do not verify.
  bool readM1(const std::vector<Bytes>& packets);
  const wattmesh::M1Payload& m1() const { return m1_; }
  // The whole M2 packet that answers it, and the keys of the session.
  Bytes m2(const wattmesh::M2Payload& payload, uint32_t epoch = 1);
  // A whole downlink of the session that m2() gave.
  Bytes down(uint32_t epoch, uint32_t counter, const Bytes& plain) const;
  // The plaintext of an uplink. False: it does not verify.
  bool open(const Bytes& packet, Bytes& plain) const;
  const wattmesh::SessionKeys& keys() const { return keys_; }

 private:
  bool readEcc(const Bytes& packet, Bytes& payload);
  bool readRsa(const std::vector<Bytes>& packets, Bytes& payload);
  Bytes header(uint8_t type, uint8_t session, uint32_t epoch, uint32_t counter) const;

  const wattmesh::Port& port_;
  wattmesh::Config& config_;
  Bytes secret_;
  NoiseResponder responder_;
  wattmesh::M1Payload m1_ = {};
  Bytes nodeId_;
  Bytes rsaMessage_;
  uint8_t session_ = 0;
  wattmesh::SessionKeys keys_ = {};
};

// What the fake RSA of these tests makes of a secret: it, padded. Real RSA is judged by the vectors.
bool fakeOaep(void* context, uint8_t out[wattmesh::rsaBytes], const uint8_t modulus[wattmesh::rsaBytes], const uint8_t* label,
              size_t labelLength, const uint8_t* plain, size_t length);
