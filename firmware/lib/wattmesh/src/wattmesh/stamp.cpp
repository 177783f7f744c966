#include "wattmesh/stamp.hpp"

namespace wattmesh {

Stamp::Stamp(uint64_t us) {
  for (uint16_t& part : parts_) {
    part = static_cast<uint16_t>(us);
    us >>= 16;
  }
}

Stamp::operator uint64_t() const {
  const uint32_t low = parts_[0] | static_cast<uint32_t>(parts_[1]) << 16;
  // All ones: never.
  const uint32_t high = parts_[2] == 0xffff ? 0xffffffff : parts_[2];
  return static_cast<uint64_t>(high) << 32 | low;
}

}  // namespace wattmesh
