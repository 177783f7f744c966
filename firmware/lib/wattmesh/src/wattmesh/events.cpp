#include "wattmesh/events.hpp"

#include "wattmesh/sleep_state.hpp"

namespace wattmesh {

namespace {
constexpr uint64_t pauseMinUs = 3 * usPerS;
constexpr uint64_t pauseMaxUs = 900 * usPerS;
// No room in the queue, or no session any more.
constexpr uint64_t retryUs = usPerS / 4;
}  // namespace

void Events::raise(EventCode code, int16_t value, uint64_t nowUs) {
  if (count_ < eventsMax && bucket_.take(nowUs)) {
    waiting_[count_++] = Waiting{nowUs, value, code, false};
    again(nowUs);
  } else if (suppressed_ < INT16_MAX) {
    suppressed_++;
  }
}

void Events::tick(uint64_t nowUs) {
  if (suppressed_ == 0 || count_ == eventsMax || bucket_.nextUs() > nowUs) return;
  raise(EventCode::suppressed, suppressed_, nowUs);
  suppressed_ = 0;
}

void Events::again(uint64_t nowUs) {
  dueUs_ = nowUs;
  pauseUs_ = pauseMinUs;
}

void Events::write(Writer& writer, const NetworkClock& clock) {
  for (uint8_t i = 0; i < count_; i++) {
    Waiting& each = waiting_[i];
    if (!each.told) each.at = clock.utcUs(each.at) / usPerMs;
    each.told = true;
    (void)writeEvent(writer, Event{static_cast<uint8_t>(each.code), each.at, each.value});
  }
}

void Events::told(bool sent, uint64_t nowUs) {
  dueUs_ = nowUs + (sent ? pauseUs_ : retryUs);
  if (sent && pauseUs_ < pauseMaxUs) pauseUs_ *= 2;
}

void Events::seen(const Event& event) {
  for (uint8_t i = 0; i < count_; i++) {
    const Waiting& each = waiting_[i];
    if (!each.told || each.at != event.utcMs || static_cast<uint8_t>(each.code) != event.code) continue;
    waiting_[i] = waiting_[--count_];
    return;
  }
}

void Events::pass(SleepState& state, uint64_t nowUs) {
  uint64_t& paidUs = bucket_.paidUs();
  // A leaf that wakes for each of a storm would have a new bucket each time.
  const bool isNeeded = count_ > 0 || suppressed_ > 0 || paidUs > nowUs;
  if (!state.passIf(isNeeded, sizeof paidUs + sizeof dueUs_ + sizeof pauseUs_ + 3 + count_ * sizeof waiting_[0])) return;
  state.pass(paidUs);
  state.pass(dueUs_, count_);
  for (uint8_t i = 0; i < count_; i++) state.pass(waiting_[i]);
}

}  // namespace wattmesh
