// What the two users of non-volatile memory share: log and records.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "wattmesh/errors.hpp"
#include "wattmesh/port.hpp"

namespace wattmesh {

// True when every byte has the value.
inline bool allBytes(const uint8_t* data, size_t length, uint8_t value) {
  for (size_t i = 0; i < length; i++) {
    if (data[i] != value) return false;
  }
  return true;
}

// Writes Bytes bytes and reads them back: worn flash takes a write without complaint and holds something else.
template <size_t Bytes>
[[nodiscard]] Error writeVerified(const Port& port, uint32_t address, const uint8_t (&data)[Bytes]) {
  uint8_t held[Bytes];
  if (!port.nvWrite(port.context, address, data, Bytes)) return Error::nvWrite;
  if (!port.nvRead(port.context, address, held, Bytes)) return Error::nvRead;
  return memcmp(held, data, Bytes) == 0 ? Error::none : Error::nvWrite;
}

}  // namespace wattmesh
