#include "inputs/pzem_meter.hpp"

#include "inputs/register_masks.hpp"

namespace inputs {

namespace {
constexpr uint64_t periodUs = 1000000;
constexpr uint64_t silenceUs = 10000000;

uint16_t clamped(uint32_t value) { return value < UINT16_MAX ? static_cast<uint16_t>(value) : uint16_t{UINT16_MAX}; }
}  // namespace

bool PzemMeter::tick(uint64_t nowUs, uint8_t request[pzemRequestBytes]) {
  if (nowUs < dueUs_) return false;
  dueUs_ = nowUs + periodUs;
  writePzemRequest(address_, request);
  return true;
}

void PzemMeter::receive(uint8_t byte, uint64_t nowUs) {
  PzemReading reading{};
  if (!receiver_.push(byte, reading)) return;
  last_ = reading;
  heard_ = true;
  heardUs_ = nowUs;
  energy_.update(reading.energyWh, nowUs);
}

bool PzemMeter::read(uint64_t nowUs, wattmesh::Registers& out) const {
  if (!heard_ || !energy_.valid() || nowUs - heardUs_ > silenceUs) return false;
  out = wattmesh::Registers{};
  out.mask = maskImport | maskPower | maskVoltage | maskCurrent | maskFrequency | maskPowerFactor;
  out.importDwh = energy_.importDwh();
  out.powerDw = last_.powerDw < INT32_MAX ? static_cast<int32_t>(last_.powerDw) : INT32_MAX;
  out.voltageDv = last_.voltageDv;
  out.currentCa = clamped((last_.currentMa + 5) / 10);
  out.frequencyChz = clamped(last_.frequencyDhz * 10u);
  out.powerFactorPct = static_cast<int8_t>(last_.powerFactorPct);
  return true;
}

}  // namespace inputs
