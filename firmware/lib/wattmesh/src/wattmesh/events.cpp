#include "wattmesh/events.hpp"

#include "wattmesh/sleep_state.hpp"

namespace wattmesh {

namespace {
constexpr uint16_t pauseMinS = 3;
constexpr uint16_t pauseMaxS = 900;
// No room in the queue, or no session any more.
constexpr uint64_t retryUs = usPerS / 4;
// Of a time that goes through sleep: milliseconds of UTC, or nine years of a local clock.
constexpr size_t keptTimeBytes = 6;
// A clock is set back so far because it ran fast; further, because it was wrong.
constexpr uint64_t setBackMaxMs = 1000;
}  // namespace

void Events::raise(EventCode code, int16_t value, uint64_t nowUs) {
  if (count_ < eventsMax && bucket_.take(nowUs)) {
    waiting_[count_++] = Waiting{nowUs, value, static_cast<uint8_t>(code)};
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
  pauseS_ = pauseMinS;
}

void Events::write(Writer& writer, const NetworkClock& clock) {
  for (Waiting* each = waiting_; each < waiting_ + count_; each++) {
    if ((each->code & told_) == 0) each->at = toldAtMs(clock.utcUs(each->at) / usPerMs);
    each->code |= told_;
    (void)writeEvent(writer, each->event());
  }
}

// Each has another time, also where the clock was set back a little between two: the head-end knows them by it.
uint64_t Events::toldAtMs(uint64_t utcMs) {
  if (utcMs <= lastMs_ && utcMs + setBackMaxMs > lastMs_) utcMs = lastMs_ + 1;
  return lastMs_ = utcMs;
}

void Events::told(bool sent, uint64_t nowUs) {
  dueUs_ = nowUs + (sent ? pauseS_ * usPerS : retryUs);
  if (sent && pauseS_ < pauseMaxS) pauseS_ *= 2;
}

void Events::seen(const Event& event) {
  for (Waiting* each = waiting_; each < waiting_ + count_; each++) {
    if (each->code != (event.code | told_) || each->at != event.utcMs) continue;
    *each = waiting_[--count_];
    return;
  }
}

// The bucket goes always: a leaf that wakes for each of a storm would have a new one each time.
void Events::pass(SleepState& state) {
  state.passTimes(&bucket_.paidUs(), 1);
  state.passTimes(&dueUs_, 1);
  state.pass(pauseS_, count_);
  state.pass(reinterpret_cast<uint8_t*>(&lastMs_), keptTimeBytes);
  if (!state.passIf(count_ > 0, count_ * (keptTimeBytes + sizeof waiting_->value + sizeof waiting_->code))) {
    count_ = 0;
    return;
  }
  for (Waiting* each = waiting_; each < waiting_ + count_; each++) {
    state.pass(reinterpret_cast<uint8_t*>(&each->at), keptTimeBytes);
    state.pass(each->value, each->code);
  }
}

}  // namespace wattmesh
