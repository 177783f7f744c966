// The window of downlinks (PROTOCOL.md, section 4): 64 numbers wide, over owner epoch and counter together.
#pragma once
#include <cstdint>

#include "wattmesh/errors.hpp"

namespace wattmesh {

class DownWindow {
 public:
  // Takes a number whose packet has verified. staleEpoch: below the highest epoch; replay: seen, or too old to know.
  [[nodiscard]] Error accept(uint32_t epoch, uint32_t counter) {
    const uint64_t number = static_cast<uint64_t>(epoch) << 32 | counter;
    if (bits_ == 0 || number > highest_) {
      const uint64_t ahead = number - highest_;
      bits_ = bits_ == 0 || ahead >= width ? 1 : bits_ << ahead | 1;
      highest_ = number;
      return Error::none;
    }
    if (epoch < highest_ >> 32) return Error::staleEpoch;
    const uint64_t behind = highest_ - number;
    if (behind >= width || (bits_ >> behind & 1) != 0) return Error::replay;
    bits_ |= uint64_t{1} << behind;
    return Error::none;
  }
  uint32_t epoch() const { return static_cast<uint32_t>(highest_ >> 32); }
  uint32_t counter() const { return static_cast<uint32_t>(highest_); }

 private:
  static constexpr uint64_t width = 64;
  uint64_t highest_ = 0;
  uint64_t bits_ = 0;  // bit n: highest_ - n was accepted; 0: nothing yet
};

}  // namespace wattmesh
