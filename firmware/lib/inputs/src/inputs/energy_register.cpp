#include "inputs/energy_register.hpp"

namespace inputs {

namespace {
constexpr uint8_t doubtsMax = 3;
constexpr uint32_t slackWh = 2;  // what counters round
constexpr uint64_t usPerHour = 3600000000;
constexpr uint32_t dwhPerWh = 10;
}  // namespace

bool EnergyRegister::follows(const Reading& from, const Reading& to) const {
  if (to.wh < from.wh) return false;
  return to.wh - from.wh <= slackWh + powerMaxW_ * (to.atUs - from.atUs) / usPerHour;
}

void EnergyRegister::update(uint32_t counterWh, uint64_t nowUs) {
  const Reading reading{counterWh, nowUs};
  if (valid_ && follows(believed_, reading)) {
    doubts_ = 0;
  } else {
    doubts_ = doubts_ > 0 && follows(doubted_, reading) ? static_cast<uint8_t>(doubts_ + 1) : uint8_t{1};
    doubted_ = reading;
    if (doubts_ < doubtsMax) return;
    doubts_ = 0;
    // It counts from somewhere else now: on from where the register stands, unless the counter is ahead of it.
    const uint64_t counterDwh = uint64_t{counterWh} * dwhPerWh;
    if (baseDwh_ + counterDwh < importDwh_) baseDwh_ = importDwh_ - counterDwh;
    valid_ = true;
  }
  believed_ = reading;
  importDwh_ = baseDwh_ + uint64_t{counterWh} * dwhPerWh;
}

void EnergyRegister::wake(const State& state, uint64_t ageUs, uint64_t nowUs) {
  if (!state.isValid) return;
  baseDwh_ = state.baseDwh;
  // Before this life began: differences of times go round in 64 bits.
  believed_ = Reading{state.counterWh, nowUs - ageUs};
  valid_ = true;
  importDwh_ = baseDwh_ + uint64_t{state.counterWh} * dwhPerWh;
}

}  // namespace inputs
