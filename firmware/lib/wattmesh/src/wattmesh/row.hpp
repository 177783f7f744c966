// One row of interval data, and its registers by number (PROTOCOL.md, "Registers").
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/bytes.hpp"
#include "wattmesh/port.hpp"

namespace wattmesh {

constexpr unsigned registersMax = 7;
constexpr uint16_t registerMaskAll = (1u << registersMax) - 1;

constexpr uint8_t qualityGood = 0;
constexpr uint8_t qualityClock = 1;
constexpr uint8_t qualityEstimated = 2;

struct Row {
  uint32_t seq;
  uint32_t t;         // UTC in s, at which the interval ended
  uint16_t interval;  // s
  uint8_t quality;
  Registers registers;
};

// Bytes that writeRow writes: seq u32, t u32, interval u16, quality u8, mask u16, then import u48, export u48, power i32,
// voltage u16, current u16, frequency u16, power factor i8. Registers outside the mask are 0.
constexpr size_t rowBytes = 36;

// Value of the register with this bit in the mask, 0..6.
int64_t registerValue(const Registers& registers, unsigned bit);
// False when the value is outside the register's range; then nothing changes.
[[nodiscard]] bool setRegister(Registers& registers, unsigned bit, int64_t value);
// True when everything is inside its range and the interval is at least 1 s.
bool isValidRow(const Row& row);

void writeRow(Writer& writer, const Row& row);
void readRow(Reader& reader, Row& row);

}  // namespace wattmesh
