// Deep sleep of a board on batteries. What its next life needs goes through memory that outlasts the sleep: the core's state, and the little that
// the board knows beside it.
#pragma once
#include "inputs/energy_register.hpp"
#include "wattmesh/node.hpp"

class DeepSleep {
 public:
  // Looks whether this life is the end of a sleep.
  void begin();
  bool woke() const { return woke_; }
  // The radio is wanted at once: this is no wake for a row alone.
  bool listens() const { return listens_; }
  uint8_t channel() const { return channel_; }

  // The core's time: it goes on from one life to the next.
  uint64_t coreUs(uint64_t nowUs) const { return nowUs + baseUs_; }
  uint64_t chipUs(uint64_t coreUs) const { return coreUs > baseUs_ ? coreUs - baseUs_ : 0; }

  // Boots the core, or wakes it with what was kept. That is destroyed before: whatever becomes of this life, its counters are used once.
  [[nodiscard]] wattmesh::Error start(wattmesh::Node& node, uint64_t nowUs);
  // The register of a counter that went on counting.
  void wake(inputs::EnergyRegister& energy, uint64_t nowUs) const { energy.wake(energy_, ageUs_, nowUs); }

  // Sleeps until the core's time is `untilUs`. Returns only when it cannot, or when it is not worth it.
  void sleep(wattmesh::Node& node, const inputs::EnergyRegister& energy, uint8_t channel, uint64_t nowUs, uint64_t untilUs);

 private:
  bool woke_ = false;
  bool listens_ = true;
  uint8_t channel_ = 0;
  uint64_t baseUs_ = 0;
  uint64_t ageUs_ = 0;
  inputs::EnergyRegister::State energy_ = {};
};
