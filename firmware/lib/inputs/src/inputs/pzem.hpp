// The PZEM-004T v3 energy meter (and PZEM-014/016, which have the same registers): Modbus RTU at 9600 baud 8N1, function 4, ten input registers
// from 0 on, values of two registers with the low word first (PZEM-004T v3.0 user manual, section 2.3).
#pragma once
#include <cstddef>
#include <cstdint>

namespace inputs {

constexpr size_t pzemRequestBytes = 8;
constexpr size_t pzemReplyBytes = 25;
constexpr uint8_t pzemAddressMin = 0x01;
constexpr uint8_t pzemAddressMax = 0xf7;
// Whatever address the only meter on the line has.
constexpr uint8_t pzemAnyAddress = 0xf8;

struct PzemReading {
  uint16_t voltageDv;       // 0.1 V
  uint32_t currentMa;
  uint32_t powerDw;         // 0.1 W
  uint32_t energyWh;
  uint16_t frequencyDhz;    // 0.1 Hz
  uint16_t powerFactorPct;
  bool alarm;
};

// Asks the meter at `address` for all its values.
void writePzemRequest(uint8_t address, uint8_t out[pzemRequestBytes]);

// Finds replies in what comes in on the line; noise and the echo of our own request may stand before one.
class PzemReceiver {
 public:
  explicit PzemReceiver(uint8_t address) : address_(address) {}
  // True: a reply whose CRC is right ended with this byte, and it was read.
  bool push(uint8_t byte, PzemReading& out);

 private:
  uint8_t address_;
  uint8_t window_[pzemReplyBytes] = {};  // the last bytes, the newest at the end
};

}  // namespace inputs
