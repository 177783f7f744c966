// Bits of a register mask (PROTOCOL.md, "Registers").
#pragma once
#include <cstdint>

namespace inputs {

constexpr uint16_t maskImport = 1 << 0;
constexpr uint16_t maskPower = 1 << 2;
constexpr uint16_t maskVoltage = 1 << 3;
constexpr uint16_t maskCurrent = 1 << 4;
constexpr uint16_t maskFrequency = 1 << 5;
constexpr uint16_t maskPowerFactor = 1 << 6;

}  // namespace inputs
