// Moments of the local clock, as tables keep them.
#pragma once
#include <cstdint>

namespace wattmesh {

// A moment to the microsecond in six bytes, which holds nine years and `never`; no clock of a device runs so long between two boots.
class Stamp {
 public:
  Stamp() = default;
  [[gnu::externally_visible]] Stamp(uint64_t us);
  operator uint64_t() const;

 private:
  uint16_t parts_[3] = {};  // the lowest first
};

}  // namespace wattmesh
