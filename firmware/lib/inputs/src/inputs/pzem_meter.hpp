// Asks a PZEM every second and keeps what it says. Pure: the port owns the line.
#pragma once
#include "inputs/energy_register.hpp"
#include "inputs/pzem.hpp"
#include "wattmesh/port.hpp"

namespace inputs {

class PzemMeter {
 public:
  explicit PzemMeter(uint8_t address) : address_(address), receiver_(address) {}

  void resume(uint64_t importDwh) { energy_.resume(importDwh); }

  // Through deep sleep.
  EnergyRegister& energy() { return energy_; }

  // True: `request` is to be sent now.
  bool tick(uint64_t nowUs, uint8_t request[pzemRequestBytes]);
  void receive(uint8_t byte, uint64_t nowUs);

  // False: the meter has not answered for 10 s, or its energy is not believed yet.
  bool read(uint64_t nowUs, wattmesh::Registers& out) const;

 private:
  uint8_t address_;
  PzemReceiver receiver_;
  // 100 A at 260 V, and what the specification's limits leave.
  EnergyRegister energy_{30000};
  PzemReading last_ = {};
  bool heard_ = false;
  uint64_t heardUs_ = 0;
  uint64_t dueUs_ = 0;
};

}  // namespace inputs
