// Network time from samples that are wrong by a few ms, over crystals and RC oscillators, from hop to hop.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "check.hpp"
#include "wattmesh/clock.hpp"
#include "wattmesh/time_sync.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;
constexpr uint64_t ms = usPerMs;
constexpr uint64_t utc0 = 1790000000 * s;

// A chip whose local time goes wrong by `ppm`.
struct Chip {
  explicit Chip(int64_t ppmWrong, bool sleeps = false) : ppm(ppmWrong) { clock.begin(sleeps); }

  uint64_t local(uint64_t trueUs) const { return trueUs + static_cast<uint64_t>(static_cast<int64_t>(trueUs) * ppm / 1000000); }
  int64_t errorUs(uint64_t trueUs) const { return static_cast<int64_t>(clock.utcUs(local(trueUs)) - utc0 - trueUs); }

  int64_t ppm;
  NetworkClock clock;
};

int64_t noise(check::Random& random) { return static_cast<int64_t>(random.below(2001)) - static_cast<int64_t>(random.below(2001)); }

TimeReference trueTime(uint64_t trueUs, int64_t noiseUs) {
  const uint64_t us = utc0 + trueUs + static_cast<uint64_t>(noiseUs);
  return TimeReference{us, us, 0};
}

// What a chip tells of a moment.
TimeReference told(const Chip& chip, uint64_t trueUs, int64_t noiseUs) {
  const uint64_t local = chip.local(trueUs) + static_cast<uint64_t>(noiseUs);
  return TimeReference{chip.clock.fittedUs(local), local, chip.clock.skew()};
}

int64_t ppmOf(int32_t skew) { return int64_t{skew} * 1000000 / (1 << 30); }

}  // namespace

TEST(clockLearnsTheSkewOfACrystal) {
  check::Random random(1);
  Chip chip(-40);
  chip.clock.set(utc0, chip.local(0));
  for (uint64_t at = 60 * s; at <= 1800 * s; at += 60 * s) chip.clock.sample(trueTime(at, noise(random)), chip.local(at), chip.local(at));
  CHECK(std::abs(ppmOf(chip.clock.skew()) - 40) <= 4);
  CHECK(std::abs(chip.errorUs(1860 * s)) < 2000);
  // A quarter of an hour without anything to hear.
  CHECK(std::abs(chip.errorUs(2700 * s)) < 5000);
}

TEST(clockLearnsTheSkewOfAnRcOscillatorFromTwoSamples) {
  for (const int64_t ppm : {-60000, -5000, 3000, 50000, 60000}) {
    Chip chip(ppm, true);
    chip.clock.set(utc0, chip.local(0));
    CHECK(chip.clock.sample(trueTime(900 * s, 0), chip.local(900 * s), chip.local(900 * s)));
    CHECK(std::abs(chip.errorUs(1800 * s)) < 5000);
  }
}

TEST(errorsAddUpFromHopToHopAndDoNotGrow) {
  for (const uint64_t cycle : {60 * s, 900 * s}) {
    check::Random random(7);
    constexpr size_t hops = 10;
    std::vector<Chip> line;
    for (size_t hop = 0; hop <= hops; hop++) line.emplace_back(static_cast<int64_t>(random.below(41)) - 20);
    for (Chip& chip : line) chip.clock.set(utc0, chip.local(0));
    int64_t worst = 0;
    for (uint64_t at = cycle; at <= 16 * 900 * s; at += cycle) {
      line[0].clock.sample(trueTime(at, noise(random) / 4), line[0].local(at), line[0].local(at));
      for (size_t hop = 1; hop <= hops; hop++) {
        // What is told is of the cycle before.
        const uint64_t then = at - cycle + hop * ms;
        Chip& chip = line[hop];
        chip.clock.sample(told(line[hop - 1], then, noise(random)), chip.local(then), chip.local(at));
      }
      // Four cycles and ten minutes after the start.
      for (const Chip& chip : line) {
        if (at >= 4 * cycle + 600 * s) worst = std::max(worst, std::abs(chip.errorUs(at + cycle - s)));
      }
    }
    check::context("cycle", cycle);
    CHECK(worst < 10000);
  }
}

TEST(correctionsGoInSlowlyAndTimeNeverTurnsBack) {
  Chip chip(0);
  chip.clock.set(utc0, 0);
  for (uint64_t at = 60 * s; at <= 600 * s; at += 60 * s) chip.clock.sample(trueTime(at, 0), at, at);
  uint64_t before = chip.clock.utcUs(600 * s);
  // The source turned back by 12 ms.
  for (uint64_t at = 600 * s + 10 * ms; at <= 900 * s; at += 10 * ms) {
    if (at % (60 * s) == 0) CHECK(!chip.clock.sample(TimeReference{utc0 + at - 12 * ms, at, 0}, at, at));
    const uint64_t now = chip.clock.utcUs(at);
    CHECK(now > before && now - before < 11 * ms);
    before = now;
  }
  CHECK(std::abs(chip.errorUs(900 * s) + 12000) < 2000);
}

TEST(oneWildSampleIsNotBelievedTwoAre) {
  Chip chip(0);
  chip.clock.set(utc0, 0);
  for (uint64_t at = 60 * s; at <= 600 * s; at += 60 * s) chip.clock.sample(trueTime(at, 0), at, at);
  CHECK(!chip.clock.sample(trueTime(660 * s, 80000), 660 * s, 660 * s));
  CHECK(std::abs(chip.errorUs(661 * s)) < 100);
  CHECK(chip.clock.sample(trueTime(720 * s, 80000), 720 * s, 720 * s));
  CHECK(std::abs(chip.errorUs(721 * s) - 80000) < 100);
  // A second and more away is another time altogether: that comes by beacon.
  CHECK(!chip.clock.sample(trueTime(780 * s, 2000000), 780 * s, 780 * s));
  CHECK(!chip.clock.sample(trueTime(840 * s, 2000000), 840 * s, 840 * s));
  CHECK(std::abs(chip.errorUs(841 * s) - 80000) < 100);
}

TEST(aSourceThatRestartedOrAnotherOneChangesNoSkew) {
  Chip chip(30);
  chip.clock.set(utc0, 0);
  uint64_t at = 60 * s;
  for (; at <= 1800 * s; at += 60 * s) chip.clock.sample(trueTime(at, 0), chip.local(at), chip.local(at));
  const int64_t learned = ppmOf(chip.clock.skew());
  // Its raw clock begins at zero, then one comes that is 25 ppm fast and knows it.
  for (const uint64_t endUs : {2400 * s, 3600 * s}) {
    for (; at <= endUs; at += 60 * s) {
      const bool isOther = endUs > 2400 * s;
      const uint64_t raw = isOther ? at + at / 40000 : at - 1800 * s;
      const TimeReference reference{utc0 + at, raw, isOther ? -26844 : 0};
      if (at == 2460 * s) chip.clock.changeSource();
      chip.clock.sample(reference, chip.local(at), chip.local(at));
      CHECK(std::abs(ppmOf(chip.clock.skew()) - learned) <= 2);
      CHECK(std::abs(chip.errorUs(at)) < 1000);
    }
  }
}

TEST(whatIsUnderWayIsLateNeverEarly) {
  Chip chip(0);
  CHECK(chip.clock.set(utc0, 0));
  // Late by up to a quarter of a second is nothing; ahead by as much as a frame takes is.
  CHECK(!chip.clock.set(utc0 + 10 * s - 200 * ms, 10 * s));
  CHECK(std::abs(chip.errorUs(10 * s)) < 10);
  CHECK(chip.clock.set(utc0 + 20 * s - 300 * ms, 20 * s));
  CHECK(chip.clock.set(utc0 + 30 * s, 30 * s));
}

TEST(localTimeOfAMomentIsFoundAgain) {
  for (const int64_t ppm : {-60000, 0, 20, 60000}) {
    Chip chip(ppm, true);
    chip.clock.set(utc0, chip.local(0));
    for (uint64_t at = 900 * s; at <= 2700 * s; at += 900 * s) chip.clock.sample(trueTime(at, 0), chip.local(at), chip.local(at));
    const uint64_t now = chip.local(2800 * s);
    const uint64_t then = chip.clock.localUs(utc0 + 3600 * s, now);
    CHECK(std::llabs(static_cast<int64_t>(chip.clock.utcUs(then) - utc0 - 3600 * s)) < 100);
  }
}

TEST(clockRunsOnForYears) {
  Chip chip(-60000, true);
  chip.clock.set(utc0, 0);
  chip.clock.sample(trueTime(900 * s, 0), chip.local(900 * s), chip.local(900 * s));
  constexpr uint64_t year = 31557600 * s;
  uint64_t before = 0;
  for (uint64_t at = year; at < 30 * year; at += year) {
    const uint64_t now = chip.clock.utcUs(at);
    CHECK(now > before);
    before = now;
  }
}

TEST(ofTheHostsTimesTheOneThatWasUnderWayShortestCounts) {
  NetworkClock clock;
  clock.set(utc0, 0);
  EarliestTime earliest;
  CHECK(!earliest.add(utc0 + 10 * s - 30 * ms, 10 * s, clock));
  CHECK(earliest.add(utc0 + 20 * s - 20 * ms, 20 * s, clock));
  for (uint64_t at = 30; at < 80; at += 10) CHECK(!earliest.add(utc0 + at * s - (at == 50 ? 1 : 5) * ms, at * s, clock));
  CHECK(earliest.add(utc0 + 80 * s - 7 * ms, 80 * s, clock));
  CHECK_EQUAL(earliest.atUs(), 50 * s);
  CHECK_EQUAL(earliest.utcUs(), utc0 + 50 * s - 1 * ms);
}
