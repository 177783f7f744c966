#include "wattmesh/flash.hpp"

#include <cstring>

namespace wattmesh {

bool allBytes(const uint8_t* data, size_t length, uint8_t value) {
  for (size_t i = 0; i < length; i++) {
    if (data[i] != value) return false;
  }
  return true;
}

Error writeVerified(const Port& port, uint32_t address, const uint8_t* data, size_t length) {
  uint8_t held[flashSlotBytes];
  if (length > sizeof held || !port.nvWrite(port.context, address, data, length)) return Error::nvWrite;
  if (!port.nvRead(port.context, address, held, length)) return Error::nvRead;
  return memcmp(held, data, length) == 0 ? Error::none : Error::nvWrite;
}

}  // namespace wattmesh
