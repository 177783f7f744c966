#include "wattmesh/arena.hpp"

#include <cstring>

namespace wattmesh {

uint8_t* Arena::room(size_t length) {
  if (!fits(length)) close();
  return fits(length) ? end_ : nullptr;
}

void Arena::keep(Packed& owner, size_t length) {
  owner.bytes = end_;
  owner.length = static_cast<uint16_t>(length);
  end_ += length;
}

// From the lowest address to the highest, each to the end of the one before.
void Arena::close() {
  end_ = memory_.bytes;
  for (;;) {
    Packed* next = nullptr;
    for (size_t i = 0; i < count_; i++) {
      Packed* packed = at(i);
      if (packed->length == 0 || packed->bytes < end_) continue;
      if (next == nullptr || packed->bytes < next->bytes) next = packed;
    }
    if (next == nullptr) return;
    memmove(end_, next->bytes, next->length);
    keep(*next, next->length);
  }
}

}  // namespace wattmesh
