// The numbers of the polls that came to a node last. One whose acknowledgement the radio lost comes again, and so does a call that was answered
// but not heard to be: neither is answered twice.
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/limits.hpp"

namespace wattmesh {

class PollsSeen {
 public:
  // True: it came before, or is none that a hub sends. Otherwise it is remembered.
  bool repeats(uint16_t number) {
    for (const uint16_t known : numbers_) {
      if (known == number) return true;
    }
    numbers_[next_] = number;
    next_ = static_cast<uint8_t>((next_ + 1) % pollsSeenMax);
    return false;
  }

 private:
  uint16_t numbers_[pollsSeenMax] = {};  // 0, which no hub sends: a free place
  uint8_t next_ = 0;
};

}  // namespace wattmesh
