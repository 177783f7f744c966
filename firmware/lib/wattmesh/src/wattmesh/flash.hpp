// What the two users of non-volatile memory share: log and records.
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/errors.hpp"
#include "wattmesh/port.hpp"

namespace wattmesh {

constexpr size_t flashSlotBytes = 40;  // of the log and of the records

// True when every byte has the value.
[[gnu::externally_visible]] bool allBytes(const uint8_t* data, size_t length, uint8_t value);

// Writes bytes, at most a slot's, and reads them back: worn flash takes a write without complaint and holds something else.
[[nodiscard]] Error writeVerified(const Port& port, uint32_t address, const uint8_t* data, size_t length);

}  // namespace wattmesh
