// How long a hub waits for an answer: the retransmission timer of RFC 6298, in milliseconds. Poll numbers are unique, so every answer is a
// sample. Pure: no port, no time of its own.
#pragma once
#include "wattmesh/clock.hpp"

namespace wattmesh {

class PollTimer {
 public:
  // At least what the hops take: those below are waited for on the way back, and a group of polls may be a deeper one than before.
  uint64_t waitUs(uint8_t hops) const {
    const uint32_t waitMs = smoothedMs_ + 4u * variationMs_;
    const uint32_t minMs = firstMs + perHopMs * hops;
    return (waitMs < minMs ? minMs : waitMs > maxMs ? maxMs : waitMs) * usPerMs;
  }

  void answered(uint64_t afterUs) {
    const uint64_t ms = afterUs / usPerMs + 1;
    const uint16_t sample = static_cast<uint16_t>(ms < maxMs ? ms : maxMs);
    if (smoothedMs_ == 0) {
      smoothedMs_ = sample;
      variationMs_ = static_cast<uint16_t>(sample / 2);
      return;
    }
    const uint16_t error = static_cast<uint16_t>(sample > smoothedMs_ ? sample - smoothedMs_ : smoothedMs_ - sample);
    variationMs_ = static_cast<uint16_t>((3u * variationMs_ + error) / 4u);
    smoothedMs_ = static_cast<uint16_t>((7u * smoothedMs_ + sample) / 8u);
  }

 private:
  static constexpr uint32_t firstMs = 1000;
  static constexpr uint32_t perHopMs = 200;
  static constexpr uint32_t maxMs = 5000;
  uint16_t smoothedMs_ = 0;  // 0: no answer yet
  uint16_t variationMs_ = 0;
};

}  // namespace wattmesh
