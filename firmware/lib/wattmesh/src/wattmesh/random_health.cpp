#include "wattmesh/random_health.hpp"

#include <cstring>

namespace wattmesh {

namespace {

// Four bits in each byte are demanded, a false alarm in 2^20 start-ups is allowed: the cut-offs of sections 4.4.1 and 4.4.2.
constexpr size_t windowBytes = 512;
constexpr size_t windows = 2;
constexpr size_t repetitionsMax = 5;
constexpr size_t proportionMax = 61;
// Not of the standard: a generator that begins anew with each call, or goes round within so many bytes.
constexpr size_t drawnBytes = 32;

// Both tests over one window.
class Judge {
 public:
  // False: the bytes so far cannot be random.
  bool take(uint8_t byte) {
    if (seen_ == 0) first_ = byte;
    repetitions_ = seen_ > 0 && byte == last_ ? repetitions_ + 1 : 1;
    if (byte == first_) alike_++;
    last_ = byte;
    seen_++;
    return repetitions_ <= repetitionsMax && alike_ <= proportionMax;
  }

 private:
  size_t seen_ = 0;
  size_t repetitions_ = 0;
  size_t alike_ = 0;
  uint8_t first_ = 0;
  uint8_t last_ = 0;
};

}  // namespace

bool randomIsStuck(const Port& port) {
  uint8_t before[drawnBytes] = {};
  for (size_t window = 0; window < windows; window++) {
    Judge judge;
    for (size_t done = 0; done < windowBytes; done += drawnBytes) {
      uint8_t block[drawnBytes];
      port.random(port.context, block, drawnBytes);
      // The first block is compared with zeros: those are no better.
      if (memcmp(before, block, drawnBytes) == 0) return true;
      for (const uint8_t byte : block) {
        if (!judge.take(byte)) return true;
      }
      memcpy(before, block, drawnBytes);
    }
  }
  return false;
}

}  // namespace wattmesh
