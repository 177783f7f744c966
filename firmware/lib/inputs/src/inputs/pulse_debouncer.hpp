// A pulse line without its bounces: a level counts once it has lasted for a while (S0, EN 62053-31: pulses and pauses of 30 ms at least).
#pragma once
#include <cstdint>

namespace inputs {

// What was counted, at one moment.
struct PulseCount {
  uint32_t pulses;  // since begin(), wraps round
  uint32_t lastUs;  // when the last one began, low 32 bits of microseconds since boot
};

// edge() is called by an interrupt handler with every change of the line, settle() now and then without interrupts, so that the last level
// counts too: at least once in 71 minutes. Inlined, because a handler must not reach into flash while that is being written.
class PulseDebouncer {
 public:
  // `settleUs`: how long a level must last. `active`: how the line stands now.
  void begin(uint32_t settleUs, bool active, uint32_t nowUs) {
    settleUs_ = settleUs;
    raw_ = settled_ = active;
    rawUs_ = nowUs;
  }

  [[gnu::always_inline]] inline void edge(bool active, uint32_t nowUs) {
    settle(nowUs);
    raw_ = active;
    rawUs_ = nowUs;
  }

  [[gnu::always_inline]] inline void settle(uint32_t nowUs) {
    if (raw_ == settled_ || nowUs - rawUs_ < settleUs_) return;
    settled_ = raw_;
    if (!settled_) return;
    count_.pulses++;
    count_.lastUs = rawUs_;
  }

  [[gnu::always_inline]] inline PulseCount count() const { return count_; }

 private:
  uint32_t settleUs_ = 0;
  uint32_t rawUs_ = 0;    // since then the line stands as it does
  bool raw_ = false;
  bool settled_ = false;  // the last level that lasted
  PulseCount count_ = {0, 0};
};

}  // namespace inputs
