// What one neighbour has proved (PROTOCOL.md, section 2.5): only after it answered a challenge are its frames taken, so that recorded ones
// are worthless, also right after our reboot. Pure: no port, no time of its own.
#pragma once
#include <cstdint>

#include "wattmesh/clock.hpp"
#include "wattmesh/control.hpp"

namespace wattmesh {

class Freshness {
 public:
  // At most one challenge of a neighbour in this time; while it counts as fresh and its frames look like repeats, in the longer one.
  static constexpr uint64_t askGapUs = usPerS;
  static constexpr uint64_t doubtGapUs = 10 * usPerS;
  // Challenges of a neighbour that come faster than this are not answered.
  static constexpr uint64_t answerGapUs = 100 * usPerMs;
  // A challenge or answer that the radio could not bring over is repeated as often.
  static constexpr uint8_t repeatsMax = 3;
  // An answer that comes later answers nothing.
  static constexpr uint64_t nonceLifeUs = 5 * usPerS;

  bool fresh() const { return fresh_; }
  uint32_t counter() const { return counter_; }

  // True when a frame with this link counter may be taken; its counter is used up then.
  bool accept(uint32_t counter) {
    if (!fresh_ || counter <= counter_) return false;
    counter_ = counter;
    return true;
  }

  // A frame was refused: the neighbour is to be challenged, `delayUs` from now or when the gap has passed.
  void doubt(uint64_t nowUs, uint64_t delayUs);
  // The neighbour challenges us.
  void challenged(const uint8_t nonce[nonceBytes], uint64_t nowUs);
  // It answers, in a frame with this link counter. True when the answer fits: from now on it is fresh, and that counter is its last.
  bool answered(const Challenge& answer, uint32_t counter, uint64_t nowUs);

  // When a challenge or an answer is to go out, and which; a challenge goes first, so that both sides are fresh after one exchange.
  uint64_t dueUs() const { return askUs_ < answerUs_ ? askUs_ : answerUs_; }
  bool asks(uint64_t nowUs) const { return askUs_ <= nowUs; }
  bool answers(uint64_t nowUs) const { return answerUs_ <= nowUs; }
  // What goes out now. `number` makes the nonce unique also where the source of randomness is stuck: our own link counter.
  Challenge ask(const uint8_t random[nonceBytes], uint32_t number, uint64_t nowUs);
  Challenge answer(uint32_t ownCounter, uint64_t nowUs);
  // The radio could not reach the neighbour: the same goes out again, `delayUs` from now, a few times.
  void unreached(bool wasAnswer, uint64_t nowUs, uint64_t delayUs);
  // Not now: the radio is busy, or too many go out already.
  void postponeAsk(uint64_t untilUs) { askUs_ = untilUs; }
  void postponeAnswer(uint64_t untilUs) { answerUs_ = untilUs; }

 private:
  bool fresh_ = false;
  bool asking_ = false;  // a challenge of ours waits for its answer
  uint8_t repeats_ = 0;  // of what the radio could not bring over
  uint8_t asked_[nonceBytes] = {};
  uint8_t owed_[nonceBytes] = {};
  uint32_t counter_ = 0;  // highest link counter taken
  uint64_t askedUs_ = 0;
  uint64_t answeredUs_ = 0;
  uint64_t askUs_ = never;
  uint64_t answerUs_ = never;
};

}  // namespace wattmesh
