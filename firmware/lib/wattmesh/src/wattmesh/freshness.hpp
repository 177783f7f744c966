// What one neighbour has proved (PROTOCOL.md, section 2.5): only after it answered a challenge are its frames taken, so that recorded ones
// are worthless, also right after our reboot. Pure: no port, no time of its own.
#pragma once
#include <cstdint>

#include "wattmesh/clock.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/stamp.hpp"

namespace wattmesh {

class Freshness {
 public:
  // At most one challenge of a neighbour in this time; while it counts as fresh and its frames look like repeats, in the longer one.
  static constexpr uint64_t askGapUs = usPerS;
  static constexpr uint64_t doubtGapUs = 10 * usPerS;
  // A challenge that the radio could not bring over is repeated as often.
  static constexpr uint8_t repeatsMax = 2;
  // An answer that comes later answers nothing.
  static constexpr uint64_t nonceLifeUs = 5 * usPerS;

  Freshness() : repeats_(0), fresh_(false), asking_(false) {}

  bool fresh() const { return fresh_; }
  uint32_t counter() const { return counter_; }

  // It was fresh before deep sleep, and no frame of it was taken since.
  void resume(uint32_t counter) {
    fresh_ = true;
    counter_ = counter;
  }

  // True when a frame with this link counter may be taken; its counter is used up then.
  bool accept(uint32_t counter) {
    if (!fresh_ || counter <= counter_) return false;
    counter_ = counter;
    return true;
  }

  // A frame was refused: the neighbour is to be challenged, `delayUs` from now or when the gap has passed.
  void doubt(uint64_t nowUs, uint64_t delayUs);
  // The neighbour answers, in a frame with this link counter. True when the answer fits: from now on it is fresh, and that counter is its last.
  bool answered(const Challenge& answer, uint32_t counter, uint64_t nowUs);

  // When a challenge is to go out; never: none.
  uint64_t askUs() const { return askUs_; }
  // The challenge that goes out now. `number` makes the nonce unique also where the source of randomness is stuck: our own link counter.
  Challenge ask(const uint8_t random[nonceBytes], uint32_t number, uint64_t nowUs);
  // The radio could not reach the neighbour: another challenge goes out `delayUs` from now, a few times.
  void unreached(uint64_t nowUs, uint64_t delayUs);
  // Too many go out at present.
  void postpone(uint64_t untilUs) { askUs_ = untilUs; }

 private:
  uint32_t counter_ = 0;  // highest link counter taken
  uint8_t asked_[nonceBytes] = {};
  Stamp askedUs_;
  Stamp askUs_ = never;
  uint8_t repeats_ : 2;  // of what the radio could not bring over
  bool fresh_ : 1;
  bool asking_ : 1;  // a challenge of ours waits for its answer
};

}  // namespace wattmesh
