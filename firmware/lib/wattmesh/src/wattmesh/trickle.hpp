// When to beacon: the Trickle algorithm (RFC 6206). Silence while all agree, seconds after something has changed. Pure: no port, no time of
// its own.
#pragma once
#include "wattmesh/clock.hpp"

namespace wattmesh {

class Trickle {
 public:
  static constexpr uint64_t minUs = usPerS;
  static constexpr uint64_t maxUs = minUs << 10;
  // Who heard as many neighbours say the same keeps quiet in this interval.
  static constexpr uint8_t redundancy = 3;

  // Something is inconsistent: the shortest interval begins, unless it runs already.
  void reset(uint64_t nowUs, uint32_t dice) {
    if (intervalUs_ == minUs) return;
    intervalUs_ = minUs;
    begin(nowUs, dice);
  }

  // A neighbour said what we would say.
  void consistent() {
    if (heard_ < redundancy) heard_++;
  }

  uint64_t nextUs() const { return fired_ ? endUs_ : fireUs_; }

  // True when a beacon is to go out now; call when nextUs() has come. No interval is longer than `longestUs`.
  bool tick(uint64_t nowUs, uint64_t longestUs, uint32_t dice) {
    const bool fires = !fired_ && nowUs >= fireUs_;
    if (fires) fired_ = true;
    const bool wanted = fires && heard_ < redundancy;
    if (fired_ && nowUs >= endUs_) {
      intervalUs_ = intervalUs_ * 2 < longestUs ? intervalUs_ * 2 : longestUs;
      begin(nowUs, dice);
    }
    return wanted;
  }

 private:
  // The moment lies in the second half of the interval (section 4.2, step 2).
  void begin(uint64_t nowUs, uint32_t dice) {
    const uint64_t halfUs = intervalUs_ / 2;
    heard_ = 0;
    fired_ = false;
    fireUs_ = nowUs + halfUs + (halfUs * dice >> 32);
    endUs_ = nowUs + intervalUs_;
  }

  uint64_t intervalUs_ = 0;  // 0: not begun
  uint64_t fireUs_ = 0;
  uint64_t endUs_ = 0;
  uint8_t heard_ = 0;
  bool fired_ = true;
};

}  // namespace wattmesh
