// When beacons go out (RFC 6206).
#include <initializer_list>

#include "check.hpp"
#include "wattmesh/trickle.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;
constexpr uint32_t late = UINT32_MAX;  // the end of an interval's second half

// Runs until `untilUs` and returns how many beacons were due; `consistent` neighbours say the same in every interval.
unsigned run(Trickle& trickle, uint64_t untilUs, unsigned consistent = 0, uint64_t longestUs = Trickle::maxUs) {
  unsigned beacons = 0;
  uint64_t heardUs = 0;
  while (trickle.nextUs() < untilUs) {
    const uint64_t nowUs = trickle.nextUs();
    // The first call of an interval: its beacon is not due before its second half.
    if (heardUs != nowUs) {
      for (unsigned i = 0; i < consistent; i++) trickle.consistent();
    }
    heardUs = nowUs;
    beacons += trickle.tick(nowUs, longestUs, late) ? 1 : 0;
  }
  return beacons;
}

}  // namespace

// Section 4.2, steps 1 to 5.
TEST(intervalsOfBeaconsDoubleUpToTheLongest) {
  Trickle trickle;
  trickle.reset(0, late);
  uint64_t beganUs = 0;
  for (uint64_t intervalUs = Trickle::minUs; intervalUs < Trickle::maxUs * 4; intervalUs *= 2) {
    const uint64_t lengthUs = intervalUs < Trickle::maxUs ? intervalUs : Trickle::maxUs;
    const uint64_t fireUs = trickle.nextUs();
    CHECK(fireUs >= beganUs + lengthUs / 2);
    CHECK(fireUs < beganUs + lengthUs);
    CHECK(!trickle.tick(fireUs - 1, Trickle::maxUs, late));
    CHECK(trickle.tick(fireUs, Trickle::maxUs, late));
    CHECK(!trickle.tick(fireUs, Trickle::maxUs, late));
    CHECK_EQUAL(trickle.nextUs(), beganUs + lengthUs);
    CHECK(!trickle.tick(beganUs + lengthUs, Trickle::maxUs, late));
    beganUs += lengthUs;
  }
  CHECK_EQUAL(Trickle::maxUs, 1024 * s);
}

TEST(beaconsComeAnywhereInTheSecondHalf) {
  for (const uint32_t dice : {uint32_t{0}, uint32_t{1} << 31, UINT32_MAX}) {
    Trickle trickle;
    trickle.reset(5 * s, dice);
    CHECK_EQUAL(trickle.nextUs(), 5 * s + s / 2 + (s / 2 * dice >> 32));
  }
}

TEST(whoHeardThreeSayTheSameKeepsQuiet) {
  for (unsigned neighbours = 0; neighbours < 6; neighbours++) {
    Trickle trickle;
    trickle.reset(0, late);
    const unsigned beacons = run(trickle, 127 * s, neighbours);
    CHECK_EQUAL(beacons, neighbours < Trickle::redundancy ? 7 : 0);
  }
}

TEST(whatWasHeardCountsInItsIntervalOnly) {
  Trickle trickle;
  trickle.reset(0, late);
  for (unsigned i = 0; i < Trickle::redundancy; i++) trickle.consistent();
  CHECK(!trickle.tick(trickle.nextUs(), Trickle::maxUs, late));
  CHECK(!trickle.tick(trickle.nextUs(), Trickle::maxUs, late));
  CHECK(trickle.tick(trickle.nextUs(), Trickle::maxUs, late));
}

// Section 4.2, step 6.
TEST(anInconsistencyBeginsTheShortestIntervalUnlessItRuns) {
  Trickle trickle;
  trickle.reset(0, late);
  run(trickle, 600 * s);
  CHECK(trickle.nextUs() > 700 * s);
  trickle.reset(600 * s, 0);
  CHECK_EQUAL(trickle.nextUs(), 600 * s + s / 2);
  trickle.reset(600 * s + s / 4, 0);
  CHECK_EQUAL(trickle.nextUs(), 600 * s + s / 2);
}

TEST(whoHasNoParentAsksMoreOftenThanItWouldTell) {
  Trickle trickle;
  trickle.reset(0, late);
  CHECK_EQUAL(run(trickle, 63 * s + 32 * 100 * s, 0, 32 * s), 6 + 100);
}

// A quarter of an hour: the limit that the network was promised for a mesh at rest is six an hour.
TEST(aRouterAtRestIsHeardFourTimesAnHourAtMost) {
  Trickle trickle;
  trickle.reset(0, late);
  run(trickle, 4 * 3600 * s);
  CHECK(run(trickle, 5 * 3600 * s) <= 4);
}
