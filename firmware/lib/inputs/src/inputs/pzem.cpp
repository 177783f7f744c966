#include "inputs/pzem.hpp"

#include <cstring>

namespace inputs {

namespace {

constexpr uint8_t readInputRegisters = 0x04;
constexpr uint8_t registerCount = 10;
constexpr uint16_t alarmOn = 0xffff;
constexpr uint16_t powerFactorMax = 100;

// CRC-16 of Modbus (MODBUS over Serial Line V1.02, 6.2.2).
uint16_t crc16(const uint8_t* data, size_t length) {
  uint16_t crc = 0xffff;
  for (size_t i = 0; i < length; i++) {
    crc = static_cast<uint16_t>(crc ^ data[i]);
    for (int bit = 0; bit < 8; bit++) crc = static_cast<uint16_t>((crc & 1) != 0 ? (crc >> 1) ^ 0xa001 : crc >> 1);
  }
  return crc;
}

bool crcFits(const uint8_t* frame, size_t length) {
  const uint16_t crc = crc16(frame, length - 2);
  return frame[length - 2] == (crc & 0xff) && frame[length - 1] == crc >> 8;
}

uint16_t registerAt(const uint8_t* reply, size_t index) { return static_cast<uint16_t>(reply[3 + 2 * index] << 8 | reply[4 + 2 * index]); }

uint32_t longAt(const uint8_t* reply, size_t index) {
  return static_cast<uint32_t>(registerAt(reply, index + 1)) << 16 | registerAt(reply, index);
}

}  // namespace

void writePzemRequest(uint8_t address, uint8_t out[pzemRequestBytes]) {
  const uint8_t request[] = {address, readInputRegisters, 0, 0, 0, registerCount};
  memcpy(out, request, sizeof request);
  const uint16_t crc = crc16(request, sizeof request);
  out[sizeof request] = static_cast<uint8_t>(crc);
  out[sizeof request + 1] = static_cast<uint8_t>(crc >> 8);
}

bool PzemReceiver::push(uint8_t byte, PzemReading& out) {
  memmove(window_, window_ + 1, sizeof window_ - 1);
  window_[sizeof window_ - 1] = byte;
  const bool isOurs = window_[0] == address_ || (address_ == pzemAnyAddress && window_[0] >= pzemAddressMin && window_[0] <= pzemAnyAddress);
  if (!isOurs || window_[1] != readInputRegisters || window_[2] != 2 * registerCount || !crcFits(window_, sizeof window_)) return false;
  const uint16_t powerFactor = registerAt(window_, 8);
  if (powerFactor > powerFactorMax) return false;
  out.voltageDv = registerAt(window_, 0);
  out.currentMa = longAt(window_, 1);
  out.powerDw = longAt(window_, 3);
  out.energyWh = longAt(window_, 5);
  out.frequencyDhz = registerAt(window_, 7);
  out.powerFactorPct = powerFactor;
  out.alarm = registerAt(window_, 9) == alarmOn;
  // The same bytes must not be part of another reply.
  memset(window_, 0, sizeof window_);
  return true;
}

}  // namespace inputs
