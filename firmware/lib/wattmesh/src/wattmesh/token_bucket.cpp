#include "wattmesh/token_bucket.hpp"

namespace wattmesh {

bool TokenBucket::take(uint64_t nowUs) {
  const uint64_t from = paidUs_ > nowUs ? paidUs_ : nowUs;
  if (from + intervalUs_ - nowUs > burstUs_) return false;
  paidUs_ = from + intervalUs_;
  return true;
}

bool TokenBucket::pressed(uint64_t nowUs) const { return paidUs_ > nowUs && paidUs_ - nowUs > burstUs_ / 2; }

uint64_t TokenBucket::nextUs() const { return paidUs_ + intervalUs_ > burstUs_ ? paidUs_ + intervalUs_ - burstUs_ : 0; }

}  // namespace wattmesh
