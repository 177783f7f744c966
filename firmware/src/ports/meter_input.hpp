// A meter's input on the pins of its board: pulses on WATTMESH_PULSE_PIN, or a PZEM.
#pragma once
#include <Arduino.h>

#include "board/settings.hpp"
#include "inputs/pulse_meter.hpp"
#include "inputs/pzem_meter.hpp"

namespace ports {

class MeterInput {
 public:
  // `settings` must outlive the input.
  void begin(const board::Settings& settings, uint64_t nowUs);
  // The register of the last row in the log, 0.1 Wh.
  void resume(uint64_t importDwh);
  // The counter's register, which goes through deep sleep: a PZEM's.
  inputs::EnergyRegister& energy() { return pzem_.energy(); }
  // Call often.
  void tick(uint64_t nowUs);
  // False: there is no valid value now.
  bool read(uint64_t nowUs, wattmesh::Registers& out) const;

 private:
  void askPzem(uint64_t nowUs);

  board::Input kind_ = board::Input::none;
  inputs::PulseMeter pulses_{1};
  inputs::PzemMeter pzem_{inputs::pzemAnyAddress};
  Stream* line_ = nullptr;
};

}  // namespace ports
