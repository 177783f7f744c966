// How long a hub waits for answers (RFC 6298).
#include "check.hpp"
#include "wattmesh/poll_timer.hpp"

using namespace wattmesh;

namespace {
constexpr uint64_t ms = usPerMs;
}

// Section 2.1: before the first measurement.
TEST(beforeTheFirstAnswerAHubWaitsByHops) {
  const PollTimer timer;
  CHECK_EQUAL(timer.waitUs(1), 1200 * ms);
  CHECK_EQUAL(timer.waitUs(10), 3000 * ms);
}

// Section 2.2: SRTT = R, RTTVAR = R / 2, RTO = SRTT + 4 RTTVAR.
TEST(theFirstAnswerCountsThreefold) {
  PollTimer timer;
  timer.answered(999 * ms);
  CHECK_EQUAL(timer.waitUs(1), 3000 * ms);
}

// Section 2.3, with alpha 1/8 and beta 1/4: RTTVAR first, then SRTT.
TEST(laterAnswersAreSmoothed) {
  PollTimer timer;
  timer.answered(799 * ms);   // 800, 400
  timer.answered(1599 * ms);  // variation (1200 + 800) / 4 = 500, smoothed (5600 + 1600) / 8 = 900
  CHECK_EQUAL(timer.waitUs(1), 2900 * ms);
  timer.answered(99 * ms);    // variation (1500 + 800) / 4 = 575, smoothed (6300 + 100) / 8 = 800
  CHECK_EQUAL(timer.waitUs(1), 3100 * ms);
}

TEST(aSteadyMemberIsWaitedForLittleLongerThanItTakes) {
  PollTimer timer;
  for (unsigned i = 0; i < 50; i++) timer.answered(1599 * ms);
  CHECK(timer.waitUs(1) >= 1590 * ms);
  CHECK(timer.waitUs(1) <= 1630 * ms);
  // A group may be deeper than those before.
  CHECK_EQUAL(timer.waitUs(20), 5000 * ms);
}

TEST(noWaitExceedsFiveSeconds) {
  PollTimer timer;
  for (unsigned i = 0; i < 10; i++) timer.answered(i % 2 == 0 ? 3600000 * ms : 0);
  CHECK_EQUAL(timer.waitUs(1), 5000 * ms);
}
