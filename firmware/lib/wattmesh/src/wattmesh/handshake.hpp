// One handshake under way: the bytes of M1 and M2 under each suite (PROTOCOL.md, section 3.1). When and how often they are sent is
// session.hpp's business.
#pragma once
#include "wattmesh/config.hpp"
#include "wattmesh/identity.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/noise.hpp"
#include "wattmesh/packet.hpp"

namespace wattmesh {

class Handshake {
 public:
  // `port`, `config` and `identity` must outlive the handshake.
  void begin(const Port& port, const Config& config, const Identity& identity);

  // Makes M1; its bytes stay the same until the next start. `fresh`: a secret for this handshake alone, the ephemeral key or what RSA
  // carries. noKey: the head-end's key is of no use. suiteRefused: this chip has not what the suite needs.
  [[nodiscard]] Error start(const M1Payload& payload, const uint8_t fresh[keyBytes]);
  // The packets of M1, one after the other: one, under suite RSA two. 0: there is no such part.
  size_t part(size_t index, uint8_t out[packetBytesMax]) const;
  // An M1 waits for its M2.
  bool pending() const { return length_ > 0; }

  // Reads an M2; on success the handshake is over and forgotten. badTag and badCrc: it does not verify; another one still may.
  [[nodiscard]] Error finish(const PacketHeader& header, const uint8_t* packet, size_t length, M2Payload& out, SessionKeys& keys);
  void forget();

 private:
  static constexpr size_t rsaMessageBytes = rsaBytes + keyBytes + m1PayloadBytes + tagBytes;
  static constexpr size_t rsaNonceBytes = 16;
  // Behind the message stands what is secret about the handshake; under suite ECC, whose message is short, before RSA's would end.
  static constexpr size_t noiseAt = (upHeaderBytes + noiseM1Bytes + m1PayloadBytes + alignof(NoiseInitiator) - 1) / alignof(NoiseInitiator) * alignof(NoiseInitiator);
  static constexpr size_t rsaSecretAt = upHeaderBytes + rsaMessageBytes;
  static_assert(noiseAt + sizeof(NoiseInitiator) <= rsaSecretAt + keyBytes, "one memory for both suites");

  [[nodiscard]] Error startEcc(const uint8_t* payload, const uint8_t fresh[keyBytes]);
  [[nodiscard]] Error startRsa(const uint8_t* payload, const uint8_t fresh[keyBytes]);
  [[nodiscard]] Error finishEcc(const PacketHeader& header, const uint8_t* packet, size_t length, uint8_t* payload, SessionKeys& keys) const;
  [[nodiscard]] Error finishRsa(const PacketHeader& header, const uint8_t* packet, size_t length, uint8_t* payload, SessionKeys& keys) const;
  NoiseInitiator& noise() { return *reinterpret_cast<NoiseInitiator*>(message_ + noiseAt); }
  const NoiseInitiator& noise() const { return *reinterpret_cast<const NoiseInitiator*>(message_ + noiseAt); }
  uint8_t* rsaSecret() { return message_ + rsaSecretAt; }
  const uint8_t* rsaSecret() const { return message_ + rsaSecretAt; }
  bool isRsa() const { return config_->suite == suiteRsa; }

  const Port* port_ = nullptr;
  const Config* config_ = nullptr;
  const Identity* identity_ = nullptr;
  // M1 from its header on, whole. Under suite RSA the header is that of the fragments, without their fragment byte.
  size_t length_ = 0;
  uint32_t number_ = 0;
  alignas(NoiseInitiator) uint8_t message_[rsaSecretAt + keyBytes] = {};
};

}  // namespace wattmesh
