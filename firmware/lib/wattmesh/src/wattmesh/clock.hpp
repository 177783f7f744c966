// Network time: UTC as the host gave it to the gateway, passed on by beacons. Local time is microseconds since boot.
#pragma once
#include <cstdint>

namespace wattmesh {

constexpr uint64_t usPerMs = 1000;
constexpr uint64_t usPerS = 1000000;
constexpr uint64_t never = UINT64_MAX;

// A moment of the local clock in half the bytes, rounded down to a quarter of a second: for what is compared with seconds and more. It holds
// 35 years; no clock of a device runs so long between two boots.
class RoughTime {
 public:
  static constexpr uint64_t stepUs = 1 << 18;
  RoughTime() = default;
  RoughTime(uint64_t us) : ticks_(static_cast<uint32_t>(us / stepUs)) {}
  operator uint64_t() const { return ticks_ * stepUs; }

 private:
  uint32_t ticks_ = 0;
};

class NetworkClock {
 public:
  bool valid() const { return valid_; }
  uint64_t utcUs(uint64_t nowUs) const { return nowUs + offset_; }
  uint32_t utcS(uint64_t nowUs) const { return static_cast<uint32_t>(utcUs(nowUs) / usPerS); }

  // True after more than a day without a new reference: rows then say so.
  bool freeRunning(uint64_t nowUs) const { return nowUs - setUs_ > 24 * 3600 * usPerS; }

  // Time since the host gave its time, as beacons carry it: in steps of 10 minutes, 255 is the longest.
  uint8_t age(uint64_t nowUs) const {
    const uint64_t steps = (nowUs - setUs_) / ageStepUs;
    return steps < UINT8_MAX ? static_cast<uint8_t>(steps) : uint8_t{UINT8_MAX};
  }

  // A reference: it was `utcUs` at local `nowUs`, by a clock that the host had set so long ago as `age` says. Small differences are
  // smoothed, since a beacon's delay in the transmitter varies. A time that rows, which count seconds in 32 bits, could not carry for years
  // to come is no reference. True when the time is another one now: the first, or one that stepped.
  bool set(uint64_t utcUs, uint64_t nowUs, uint8_t age = 0) {
    if (utcUs > utcMaxUs) return false;
    const int64_t difference = static_cast<int64_t>(utcUs - (nowUs + offset_));
    const bool step = !valid_ || difference > stepUs || difference < -stepUs;
    offset_ += static_cast<uint64_t>(step ? difference : difference / 4);
    valid_ = true;
    // Before the boot too: differences of times go round in 64 bits.
    setUs_ = nowUs - age * ageStepUs;
    return step;
  }

 private:
  static constexpr int64_t stepUs = 50000;
  static constexpr uint64_t ageStepUs = 600 * usPerS;
  static constexpr uint64_t utcMaxUs = 4000000000 * usPerS;  // in 2096
  bool valid_ = false;
  uint64_t offset_ = 0;
  uint64_t setUs_ = 0;
};

}  // namespace wattmesh
