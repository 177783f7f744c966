#include "inputs/pulse_meter.hpp"

#include "inputs/register_masks.hpp"

namespace inputs {

namespace {
constexpr uint64_t dwhPerKwh = 10000;
// 1 kWh in units of 0.1 W for 1 us.
constexpr uint64_t dwUsPerKwh = 36000000000000;
}  // namespace

void PulseMeter::update(const PulseCount& count, uint64_t nowUs) {
  const uint32_t more = count.pulses - counted_;
  if (more == 0) return;
  counted_ = count.pulses;
  const uint64_t atUs = nowUs - (static_cast<uint32_t>(nowUs) - count.lastUs);
  if (pulses_ > 0) {
    powerDw_ = powerDw(more, atUs - lastUs_);
    hasPower_ = true;
  }
  pulses_ += more;
  lastUs_ = atUs;
}

int32_t PulseMeter::powerDw(uint64_t pulses, uint64_t overUs) const {
  if (overUs == 0) return INT32_MAX;
  const uint64_t power = dwUsPerKwh / pulsesPerKwh_ * pulses / overUs;
  return power < INT32_MAX ? static_cast<int32_t>(power) : INT32_MAX;
}

void PulseMeter::read(uint64_t nowUs, wattmesh::Registers& out) const {
  out = wattmesh::Registers{};
  out.mask = maskImport;
  out.importDwh = startDwh_ + pulses_ * dwhPerKwh / pulsesPerKwh_;
  if (!hasPower_) return;
  const int32_t mostDw = powerDw(1, nowUs - lastUs_);
  out.mask |= maskPower;
  out.powerDw = powerDw_ < mostDw ? powerDw_ : mostDw;
}

}  // namespace inputs
