// Transport packets of one session: keys, the counter of what goes up, the window of what comes down (PROTOCOL.md, section 3). The keys
// live here and nowhere else, in RAM.
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/noise.hpp"
#include "wattmesh/packet.hpp"
#include "wattmesh/replay.hpp"

namespace wattmesh {

// Bytes that a suite adds behind a plaintext.
constexpr size_t suiteTagBytes(uint8_t suite) { return suite == suiteNone ? crcBytes : tagBytes; }

class Transport {
 public:
  static constexpr uint32_t packetsMax = uint32_t{1} << 24;
  static constexpr uint64_t lifeUs = uint64_t{30} * 24 * 3600 * usPerS;

  // A new session; under suite "none" the keys mean nothing. `counter` is that of the first packet.
  void begin(const Port& port, uint8_t suite, const uint8_t nodeId[nodeIdBytes], uint8_t session, const SessionKeys& keys, uint64_t nowUs,
             uint32_t counter = 0);
  // Through deep sleep, then what does not change.
  void pass(SleepState& state);
  void resume(const Port& port, const uint8_t nodeId[nodeIdBytes]);
  // Wipes the keys. What is sealed or opened afterwards fails.
  void end();

  bool live() const { return live_; }
  uint8_t session() const { return session_; }
  // The session has carried or lived as much as it may: time for a new handshake.
  bool spent(uint64_t nowUs) const { return live_ && (counter_ >= packetsMax || nowUs - bornUs_ >= lifeUs); }

  // Writes a whole packet. Returns its length and the counter that it used; 0: no session, no counter left, or it does not fit.
  size_t seal(const uint8_t* plain, size_t length, uint8_t out[packetBytesMax], uint32_t& counter);
  // Verifies a downlink; the plaintext lands in `plain`. Nothing is taken into the window yet.
  [[nodiscard]] Error open(const PacketHeader& header, const uint8_t* packet, size_t length, uint8_t plain[packetBytesMax],
                           size_t& plainLength) const;
  // Takes a downlink that has verified into the window.
  [[nodiscard]] Error accept(const PacketHeader& header) { return window_.accept(header.epoch, header.counter); }
  const DownWindow& window() const { return window_; }

 private:
  const Port* port_ = nullptr;
  uint8_t nodeId_[nodeIdBytes] = {};
  // What pass() keeps, as far as window_.
  SessionKeys keys_ = {};
  uint32_t counter_ = 0;  // of the next packet
  bool live_ = false;
  uint8_t suite_ = suiteNone;
  uint8_t session_ = 0;
  uint64_t bornUs_ = 0;
  DownWindow window_;
};

}  // namespace wattmesh
