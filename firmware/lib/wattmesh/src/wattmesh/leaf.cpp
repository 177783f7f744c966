#include "wattmesh/leaf.hpp"

#include "wattmesh/sleep_state.hpp"

namespace wattmesh {

namespace {
constexpr int64_t billion = 1000000000;
// What has to come back soon in the phase is there already.
constexpr uint64_t sameWakeShare = 4;
// Of an acknowledgement at 1 Mbit/s with the pause before it: so much later than the frame's end the callback comes.
constexpr uint64_t ackAirUs = 314;
}  // namespace

uint64_t TickScale::scaled(uint64_t ticks) const {
  // In two steps: a product of days and parts in a billion would not fit.
  const int64_t seconds = static_cast<int64_t>(ticks / usPerS);
  const int64_t rest = static_cast<int64_t>(ticks % usPerS);
  const int64_t more = seconds * ratePpb_ / static_cast<int64_t>(usPerMs) + rest * ratePpb_ / billion;
  return ticks + static_cast<uint64_t>(more);
}

uint64_t TickScale::ticks(uint64_t local) const {
  if (local <= localBase_) return ticksBase_;
  if (local == never) return never;
  const uint64_t wanted = local - localBase_;
  // Each round leaves an eighth of the error at most.
  uint64_t ticks = wanted;
  for (int round = 0; round < 12; round++) ticks += wanted - scaled(ticks);
  while (scaled(ticks) < wanted) ticks++;
  return ticksBase_ + ticks;
}

bool TickScale::sync(uint64_t utcUs, uint64_t ticks, uint64_t nowTicks) {
  const bool isFirst = !synced_;
  const uint64_t elapsed = ticks - syncedTicks_;
  if (!isFirst && elapsed < baseMinUs) return known_;
  const int64_t difference = static_cast<int64_t>(utcUs - syncedUtcUs_ - elapsed);
  synced_ = true;
  syncedUtcUs_ = utcUs;
  syncedTicks_ = ticks;
  if (isFirst) return false;
  // Parts in a billion, in steps that fit 64 bits.
  const int64_t boundUs = static_cast<int64_t>(elapsed / 8);
  if (difference > boundUs || difference < -boundUs) return known_;
  const int64_t ppb = difference * static_cast<int64_t>(usPerS) / static_cast<int64_t>(elapsed / usPerMs);
  if (ppb > rateMaxPpb || ppb < -rateMaxPpb) return known_;
  localBase_ = local(nowTicks);
  ticksBase_ = nowTicks;
  // A longer time tells the rate better; of two alike the mean, since both ends were told with an error.
  const bool alike = known_ && elapsed / 2 < spanUs_;
  ratePpb_ = static_cast<int32_t>(alike ? (ratePpb_ + ppb) / 2 : ppb);
  spanUs_ = elapsed;
  known_ = true;
  return true;
}

void Leaf::wake(uint64_t nowUs) {
  asleep_ = false;
  more_ = false;
  sends_ = parents_ = reports_ = 0;
  awakeUntilUs_ = nowUs;
}

void Leaf::search(uint64_t nowUs) {
  stay(nowUs + searchUs);
  pulls_ = pullsMax;
  pullUs_ = nowUs;
}

bool Leaf::takePull(uint64_t nowUs) {
  if (pulls_ == 0 || nowUs < pullUs_) return false;
  pulls_--;
  pullUs_ = nowUs + pullGapUs;
  return true;
}

void Leaf::sleep(uint64_t wakeUs) {
  asleep_ = true;
  pulls_ = 0;
  exchange_ = Exchange::none;
  wakeUs_ = wakeUs;
}

uint64_t Leaf::pause(uint64_t cycleUs) {
  const uint64_t pauseUs = pauseUs_;
  const uint64_t longestUs = cycleUs < pauseShortUs ? pauseShortUs : cycleUs < pauseMaxUs ? cycleUs : pauseMaxUs;
  pauseUs_ = pauseUs * 2 < longestUs ? pauseUs * 2 : longestUs;
  return pauseUs;
}

void Leaf::report(uint64_t atUs) {
  exchange_ = Exchange::due;
  reportUs_ = atUs;
}

Leaf::Verdict Leaf::sent(bool ok, uint64_t nowUs) {
  sends_++;
  sentUs_ = ok ? nowUs - ackAirUs : 0;
  if (!ok && sends_ >= sendsMax) return Verdict::otherParent;
  // Without an acknowledgement of the radio too: it may have been lost alone.
  exchange_ = Exchange::awaiting;
  deadlineUs_ = nowUs + windowUs;
  return Verdict::goesOn;
}

Leaf::Verdict Leaf::unanswered(uint64_t nowUs) {
  if (sends_ >= sendsMax) return Verdict::otherParent;
  report(nowUs);
  return Verdict::goesOn;
}

bool Leaf::nextParent() {
  sends_ = 0;
  exchange_ = Exchange::none;
  parents_++;
  return parents_ < parentsMax;
}

// True once when the node has got what it needs to report at all.
bool Leaf::settle(bool settled, uint64_t nowUs) {
  const bool news = settled && !settled_;
  settled_ = settled;
  if (!news) return false;
  pauseUs_ = pauseMinUs;
  awakeUntilUs_ = nowUs;
  return true;
}

void Leaf::answered(uint16_t phase) {
  exchange_ = Exchange::none;
  phase_ = phase;
  sends_ = 0;
  reports_++;
  if (answers_ < UINT8_MAX) answers_++;
}

uint64_t Leaf::nextReportUs(uint64_t nowUs, uint64_t utcUs, uint64_t cycleUs) {
  const uint64_t atUs = cycleUs * phase_ >> 16;
  uint64_t waitUs = (atUs + cycleUs - utcUs % cycleUs) % cycleUs;
  // This wake's own moment, when the clock was set back a little.
  if (waitUs < cycleUs / sameWakeShare) waitUs += cycleUs;
  constexpr uint8_t learning = sizeof firstPausesUs / sizeof firstPausesUs[0];
  if (answers_ > 0 && answers_ <= learning && firstPausesUs[answers_ - 1] < waitUs) waitUs = firstPausesUs[answers_ - 1];
  return nowUs + waitUs;
}

uint64_t Leaf::nextUs(uint64_t nowUs) const {
  if (asleep_) return wakeUs_;
  if (exchange_ == Exchange::due) return reportUs_;
  if (exchange_ == Exchange::awaiting) return deadlineUs_;
  if (!searching(nowUs)) return never;
  return pulls_ > 0 && pullUs_ < awakeUntilUs_ ? pullUs_ : awakeUntilUs_;
}

uint64_t Leaf::cycleUs(const Config& config) {
  uint64_t us = config.cycleS() * usPerS;
  while (us > cycleMaxUs) us /= 2;
  return us;
}

void Leaf::pass(SleepState& state) { state.pass(wakeUs_, answers_); }

}  // namespace wattmesh
