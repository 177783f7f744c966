// Network time: UTC as the host gave it to the gateway, passed on from parent to child. Local time is microseconds since boot.
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/limits.hpp"

namespace wattmesh {

class SleepState;

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

// What a node or a host tells of its time at one moment.
struct TimeReference {
  uint64_t utcUs;  // network time
  uint64_t rawUs;  // the clock behind it as it runs by itself: only differences count
  int32_t skew;    // how much faster network time goes there than that clock, in 2^-30
};

// Offset and skew of the local clock. The skew is that of the source against the network, and ours against the raw clock of the source: so
// corrections there are not taken for skew here, and hop after hop adds noise but does not amplify. Corrections go in slowly, so that no
// second comes twice or not at all; only what is wrong by more than 50 ms steps.
class NetworkClock {
 public:
  // `sleeps`: local time comes from an RC oscillator (5 %), not from a crystal.
  void begin(bool sleeps) { sleeps_ = sleeps; }

  bool valid() const { return valid_; }
  uint64_t utcUs(uint64_t localUs) const;
  // The same without what is left of corrections: what is told to others, so that a correction needs no time at each hop.
  uint64_t fittedUs(uint64_t localUs) const;
  uint32_t utcS(uint64_t localUs) const { return static_cast<uint32_t>(utcUs(localUs) / usPerS); }
  // The local moment at which it will be `utcUs`, or was.
  uint64_t localUs(uint64_t utcUs, uint64_t nowUs) const;
  // How much faster network time goes than local time, in 2^-30.
  int32_t skew() const { return skew_; }

  // True after more than a day without a new reference: rows then say so.
  bool freeRunning(uint64_t nowUs) const { return nowUs - setUs_ > 24 * 3600 * usPerS; }

  // Time since the host gave its time, as beacons carry it: in steps of 10 minutes, 255 is the longest.
  uint8_t age(uint64_t nowUs) const;

  // A reference that may have been under way for some time: it was `utcUs` or later at local `nowUs`, by a clock that the host had set so long
  // ago as `age` says. A time that rows, which count seconds in 32 bits, could not carry for years to come is no reference. True when the time
  // is another one now: the first, or one that stepped.
  bool set(uint64_t utcUs, uint64_t nowUs, uint8_t age = 0);

  // A measurement that may be wrong by a few ms either way: so it was at local `atUs`, not long before `nowUs`. What is a second or more from
  // what is known is ignored, what is 15 ms and more from it is believed when it comes twice. True when the time stepped.
  bool sample(const TimeReference& reference, uint64_t atUs, uint64_t nowUs);
  // The same without a raw clock: of the offset alone.
  bool sampleOffset(uint64_t utcUs, uint64_t atUs, uint64_t nowUs);
  // The raw clock of the source at local `atUs`, as far as it is known.
  uint64_t rawUs(uint64_t atUs) const;
  // From now on samples come from another source.
  void changeSource();
  // The fit as it is; what it was made of stays behind.
  void pass(SleepState& state);

 private:
  struct Sample {
    uint32_t at;     // local time, 1,024 us
    int32_t offset;  // raw clock of the source less local time less rawOffset_, us
  };
  struct Offset {
    uint64_t atUs;
    uint64_t utcUs;
  };

  void keepSkew();
  void restart(uint64_t utcUs, uint64_t nowUs);
  void moveTo(const TimeReference& reference, uint64_t atUs);
  void addRaw(const TimeReference& reference, uint64_t atUs);
  void push(const Sample& sample);
  void fitSkew(int32_t sourceSkew);
  void addOffset(uint64_t utcUs, uint64_t atUs);
  void fitOffset();
  bool turnFrom(uint64_t shownUs, uint64_t nowUs);
  int64_t driftUs(int64_t gapUs) const;
  int64_t slew(uint64_t localUs) const;

  // What pass() keeps, as far as valid_.
  uint64_t baseUs_ = 0;      // local
  uint64_t offset_ = 0;      // at baseUs_; differences of times go round in 64 bits
  uint64_t setUs_ = 0;
  int32_t skew_ = 0;
  bool valid_ = false;

  bool sleeps_ = false;
  bool isSkewKnown_ = false;  // from a source before this one
  bool isMoved_ = false;      // samples are of that one
  uint8_t samplesCount_ = 0;
  uint8_t offsetsCount_ = 0;
  int32_t sourceSkew_ = 0;
  int32_t priorSkew_ = 0;    // before the first of the samples
  int32_t slewUs_ = 0;       // by which the time shown was ahead of the fit at slewFromUs_
  int64_t suspectUs_ = 0;    // of a sample that was not believed; 0: none
  uint64_t slewFromUs_ = 0;
  uint64_t rawOffset_ = 0;
  Sample samples_[timeSamplesMax] = {};  // the oldest first
  Offset offsets_[timeOffsetsMax] = {};  // likewise
};

}  // namespace wattmesh
