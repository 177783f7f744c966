// Limits a rate: so many a second, and so many at once after a pause (the generic cell rate algorithm of ITU-T I.371).
#pragma once
#include <cstdint>

#include "wattmesh/clock.hpp"

namespace wattmesh {

class TokenBucket {
 public:
  constexpr TokenBucket(uint32_t perS, uint32_t burst) : intervalUs_(static_cast<uint32_t>(usPerS) / perS), burstUs_(static_cast<uint32_t>(usPerS) / perS * burst) {}
  // One in this time, and so many at once.
  static constexpr TokenBucket oneIn(uint32_t us, uint32_t burst = 1) {
    TokenBucket bucket(1, 1);
    bucket.intervalUs_ = us;
    bucket.burstUs_ = us * burst;
    return bucket;
  }

  // False: too many came lately.
  bool take(uint64_t nowUs);
  // More than half of what may come at once has come.
  bool pressed(uint64_t nowUs) const;
  // The next moment at which take() succeeds.
  uint64_t nextUs() const;
  // When everything taken so far has flowed out: all that a bucket remembers.
  uint64_t& paidUs() { return paidUs_; }

 private:
  uint32_t intervalUs_;
  uint32_t burstUs_;
  uint64_t paidUs_ = 0;  // when everything taken so far has flowed out
};

}  // namespace wattmesh
