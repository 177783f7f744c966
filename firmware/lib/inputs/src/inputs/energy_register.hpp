// A cumulative register that never goes back, from an energy counter that may: it can be reset by a button, be exchanged, wrap round at
// 9,999.99 kWh, or be read while a carry is half done.
#pragma once
#include <cstdint>

namespace inputs {

class EnergyRegister {
 public:
  // `powerMaxW`: more than the meter can measure; a rise that would take more is not believed at once.
  explicit EnergyRegister(uint32_t powerMaxW) : powerMaxW_(powerMaxW) {}

  // The register, 0.1 Wh, of the last row in the log: counting goes on from there.
  void resume(uint64_t importDwh) { importDwh_ = importDwh; }

  // A reading of the counter. One that does not follow from the one before counts when three in a row go on from it.
  void update(uint32_t counterWh, uint64_t nowUs);

  // What goes through deep sleep. After it: `ageUs`, how long ago the last reading was.
  struct State {
    uint64_t baseDwh;
    uint32_t counterWh;
    bool isValid;
  };
  State state() const { return {baseDwh_, believed_.wh, valid_}; }
  void wake(const State& state, uint64_t ageUs, uint64_t nowUs);
  // When the reading that is believed came.
  uint64_t readUs() const { return believed_.atUs; }

  // A reading was believed.
  bool valid() const { return valid_; }
  // 0.1 Wh.
  uint64_t importDwh() const { return importDwh_; }

 private:
  struct Reading {
    uint32_t wh = 0;
    uint64_t atUs = 0;
  };

  bool follows(const Reading& from, const Reading& to) const;

  uint32_t powerMaxW_;
  uint64_t importDwh_ = 0;
  uint64_t baseDwh_ = 0;  // of the register when the counter is at 0
  bool valid_ = false;
  Reading believed_;
  Reading doubted_;
  uint8_t doubts_ = 0;    // readings in a row that follow from a doubted one, with it
};

}  // namespace inputs
