// When a device on a battery is awake, and what it does then (PROTOCOL.md, section 2.11). Pure: no port, no time of its own.
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/config.hpp"

namespace wattmesh {

// Ticks of an RC oscillator, which is wrong by percents, made into microseconds: by what network time said at the last two answers. Goes on
// without a step when the rate changes.
class TickScale {
 public:
  uint64_t local(uint64_t ticks) const { return localBase_ + scaled(ticks - ticksBase_); }
  // The first tick at which it is `local` or later.
  uint64_t ticks(uint64_t local) const;
  // It was `utcUs` at `ticks`, not long before `nowTicks`. True when the rate is known from now on.
  bool sync(uint64_t utcUs, uint64_t ticks, uint64_t nowTicks);
  bool known() const { return known_; }

 private:
  // Below this an answer's jitter would make a rate; what lies outside the bound is a clock that was set.
  static constexpr uint64_t baseMinUs = 10 * usPerS;
  static constexpr int64_t rateMaxPpb = 120000000;

  uint64_t scaled(uint64_t ticks) const;

  uint64_t ticksBase_ = 0;
  uint64_t localBase_ = 0;
  uint64_t syncedUtcUs_ = 0;
  uint64_t syncedTicks_ = 0;
  RoughTime spanUs_;        // between the answers that told the rate last
  int32_t ratePpb_ = 0;     // by how much a second of network time is longer than so many ticks
  bool known_ = false;
  bool synced_ = false;
};

class Leaf {
 public:
  // How long a leaf listens for its parent's answer, from the end of its frame on.
  static constexpr uint64_t windowUs = 30 * usPerMs;
  static constexpr uint64_t preparedPauseUs = 2 * usPerS;
  // The longest sleep between two reports: what the neighbours told is believed for little more.
  static constexpr uint64_t cycleMaxUs = 2700 * usPerS;

  enum class Exchange : uint8_t { none, due, sending, awaiting };
  // What a report came to.
  enum class Verdict : uint8_t { goesOn, otherParent };

  void begin(uint64_t nowUs) { awakeUntilUs_ = nowUs + firstUs; }

  bool asleep() const { return asleep_; }
  uint64_t wakeUs() const { return wakeUs_; }
  void wake(uint64_t nowUs);
  // Nobody is there: listens for a while.
  void search(uint64_t nowUs);
  // A beacon is to ask for those of others now: a few times in a search, for each may be lost.
  bool takePull(uint64_t nowUs);
  // Something is on its way here: stays awake for so long at least.
  void stay(uint64_t untilUs) {
    if (untilUs > awakeUntilUs_) awakeUntilUs_ = untilUs;
  }
  bool searching(uint64_t nowUs) const { return nowUs < awakeUntilUs_; }
  void sleep(uint64_t wakeUs);
  // Until the next search: each time longer, up to a cycle.
  uint64_t pause(uint64_t cycleUs);
  // Whether there is a session and a parent. True when that is new.
  bool settle(bool settled, uint64_t nowUs);

  // Reports.
  Exchange exchange() const { return exchange_; }
  bool reportDue(uint64_t nowUs) const { return exchange_ == Exchange::due && nowUs >= reportUs_; }
  void report(uint64_t atUs);
  // It was handed to the radio; `more`: it did not hold all that waits.
  void reporting(bool more) {
    exchange_ = Exchange::sending;
    // The answer may come before the callback, when acknowledgements of the radio are lost.
    sentUs_ = 0;
    more_ = more;
  }
  // The radio is done with the report. `nowUs`: of the callback.
  Verdict sent(bool ok, uint64_t nowUs);
  // Nothing was heard in the window.
  bool unheard(uint64_t nowUs) const { return exchange_ == Exchange::awaiting && nowUs >= deadlineUs_; }
  Verdict unanswered(uint64_t nowUs);
  // The parent is given up. False: these were enough for one wake.
  bool nextParent();
  // The parent answered, and suggests a phase.
  void answered(uint16_t phase);
  bool everAnswered() const { return answers_ > 0; }
  // Nothing is under way, and another report may follow in this wake.
  bool free() const { return exchange_ == Exchange::none && reports_ < reportsMax && parents_ < parentsMax; }
  // The last report did not hold all. True once.
  bool takeMore() {
    const bool more = more_;
    more_ = false;
    return more;
  }
  // When the frame that is answered had left, 0: not known.
  uint64_t sentUs() const { return sentUs_; }

  void pass(SleepState& state);

  // The next wake for a report, after `nowUs` at network time `utcUs`, of a cycle of `cycleUs`.
  uint64_t nextReportUs(uint64_t nowUs, uint64_t utcUs, uint64_t cycleUs);
  uint64_t nextUs(uint64_t nowUs) const;
  // The cycle in which it reports.
  static uint64_t cycleUs(const Config& config);

 private:
  static constexpr uint64_t firstUs = 120 * usPerS;
  static constexpr uint64_t searchUs = 3 * usPerS;
  static constexpr uint8_t pullsMax = 4;
  static constexpr uint64_t pullGapUs = 700 * usPerMs;
  static constexpr uint64_t pauseMinUs = 10 * usPerS;
  static constexpr uint64_t pauseMaxUs = 900 * usPerS;
  static constexpr uint64_t pauseShortUs = 60 * usPerS;
  static constexpr uint8_t sendsMax = 2;    // per parent
  static constexpr uint8_t parentsMax = 3;  // per wake
  static constexpr uint8_t reportsMax = 8;  // per wake
  // The first answers teach the rate of the clock.
  static constexpr uint64_t firstPausesUs[2] = {20 * usPerS, 120 * usPerS};

  // What pass() keeps, as far as answers_.
  uint64_t wakeUs_ = 0;
  uint64_t pauseUs_ = pauseMinUs;
  uint16_t phase_ = 0;
  bool asleep_ = false;
  bool settled_ = false;
  uint8_t answers_ = 0;  // since the boot, as far as it matters

  bool more_ = false;
  Exchange exchange_ = Exchange::none;
  uint8_t sends_ = 0;    // to this parent, without an answer
  uint8_t parents_ = 0;  // given up in this wake
  uint8_t pulls_ = 0;    // left in this search
  uint8_t reports_ = 0;  // answered in this wake
  uint64_t pullUs_ = 0;
  uint64_t awakeUntilUs_ = 0;
  uint64_t reportUs_ = 0;
  uint64_t sentUs_ = 0;
  uint64_t deadlineUs_ = 0;
};

}  // namespace wattmesh
