// Deep sleep, through which nothing goes but a SleepState: what it holds of the node, and the node made anew from it.
#include "wattmesh/node.hpp"
#include "wattmesh/sleep_state.hpp"

namespace wattmesh {

// Both directions: what is read here is written here, in the same order. The boot count comes first: a state that does not belong to what flash
// holds is none.
bool Node::passState(SleepState& state) {
  uint16_t boots = session_.bootCount();
  state.pass(boots);
  if (boots != session_.bootCount()) return false;
  state.pass(scale_);
  clock_.pass(state);
  leaf_.pass(state);
  session_.pass(state);
  link_.pass(state);
  meter_->pass(state);
  state.pass(custodian_, timeDoubted_);
  state.pass(config_.resetCause);
  state.passTimes(&bootUs_, 6);
  keys_.pass(state);
  commands_.pass(state);
  Neighbour* parent = state.reads() ? neighbours_.begin() : position().attached ? neighbours_.find(position().parent) : nullptr;
  bool isAttached = parent != nullptr;
  state.pass(isAttached);
  if (isAttached) parent->pass(state);
  if (isAttached) routing_.resume(*parent);
  events_.pass(state);
  // What follows may be left out.
  commands_.passResults(state);
  keys_.passFormer(state);
  meter_->delivery().passSent(state);
  Neighbour* spare = state.reads() ? parent + 1 : spareParent();
  if (state.passIf(spare != nullptr, Neighbour::keptBytes)) spare->pass(state);
  provenMark_ = meter_->delivery().cumulative();
  return true;
}

// Of those who are not the parent, whoever is nearest to the gateway.
Neighbour* Node::spareParent() {
  Neighbour* best = nullptr;
  for (Neighbour& neighbour : neighbours_) {
    const bool isOne = neighbour.used && neighbour.hasBeacon && neighbour.fresh() && !isParent(neighbour);
    if (isOne && (best == nullptr || neighbour.beacon.cost < best->beacon.cost)) best = &neighbour;
  }
  return best;
}

size_t Node::saveSleep(uint8_t out[sleepBytesMax]) {
  if (!leaf_.asleep()) return 0;
  SleepState state(out);
  passState(state);
  return state.finish();
}

Error Node::wake(const uint8_t* kept, size_t length, uint64_t nowUs) {
  SleepState state(kept, length);
  if (!state.ok() || config_.role != Role::meter) return boot(nowUs);
  if (mount(nowUs, true) != Error::none || !passState(state)) return boot(nowUs);
  now_ = scale_.local(nowUs);
  begin();
  return Error::none;
}

bool Node::listensNext() const { return leafNextUs() >= leafListensUs(); }

}  // namespace wattmesh
