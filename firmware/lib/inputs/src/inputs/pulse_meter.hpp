// Energy and power from counted pulses of an S0 output or a meter's LED.
#pragma once
#include "inputs/pulse_debouncer.hpp"
#include "wattmesh/port.hpp"

namespace inputs {

constexpr uint32_t pulsesPerKwhMax = 100000;

class PulseMeter {
 public:
  // `pulsesPerKwh`: 1..pulsesPerKwhMax, as printed on the meter.
  explicit PulseMeter(uint32_t pulsesPerKwh) : pulsesPerKwh_(pulsesPerKwh) {}

  // The register, 0.1 Wh, that counting goes on from: that of the last row in the log.
  void resume(uint64_t importDwh) { startDwh_ = importDwh; }

  // What the debouncer has counted by `nowUs`. Call at least once in 71 minutes: pulses carry 32 bits of time.
  void update(const PulseCount& count, uint64_t nowUs);

  // Energy always; power once two pulses have come: what their distance says, and less as the next one stays away.
  void read(uint64_t nowUs, wattmesh::Registers& out) const;

 private:
  int32_t powerDw(uint64_t pulses, uint64_t overUs) const;

  uint32_t pulsesPerKwh_;
  uint64_t startDwh_ = 0;
  uint64_t pulses_ = 0;
  uint32_t counted_ = 0;  // as of the last update
  uint64_t lastUs_ = 0;   // when the last pulse began
  int32_t powerDw_ = 0;
  bool hasPower_ = false;
};

}  // namespace inputs
