// A hub's calls: one poll to all who hang on the hub itself (PROTOCOL.md, sections 2.3 and 4.1).
#include "hub_bench.hpp"

using namespace hub_bench;

TEST(whoHangsOnTheHubIsCalledTogetherAfterThoseWhoAreDeeper) {
  Bench bench;
  bench.chain({1, 2});
  for (uint16_t node : Path{3, 4, 5}) bench.chain({node});
  for (uint16_t node : Path{2, 3, 4, 5}) bench.push(node, 0);
  bench.serve(cycle);
  const std::vector<Sent> round = bench.serve(2 * cycle);
  CHECK_EQUAL(round.size(), 2);
  CHECK(round[0].target == 1 && round[0].asked == (Path{2}));
  // The hub itself stands first and is not asked.
  CHECK_EQUAL(round[1].target, self);
  CHECK(round[1].passed == (Path{self, 5, 4, 3}));
  CHECK(round[1].asked == (Path{5, 4, 3}));
  CHECK_EQUAL(round[1].poll.depth, 2);
}

TEST(whoIsAloneIsAskedByName) {
  Bench bench;
  bench.chain({1});
  bench.push(1, 0);
  const std::vector<Sent> frames = bench.serve(2 * cycle);
  CHECK(!frames.empty());
  for (const Sent& frame : frames) CHECK(frame.target == 1 && frame.passed == (Path{1}));
}

TEST(whoHasNotAnsweredACallIsAskedOnceMore) {
  Bench bench;
  for (uint16_t node : Path{1, 2, 3}) bench.chain({node});
  for (uint16_t node : Path{1, 2, 3}) bench.push(node, 0);
  bench.serve(cycle);
  std::vector<Sent> frames;
  while (polled(frames).empty()) frames = bench.run(bench.nowUs + 10 * ms);
  CHECK_EQUAL(frames[0].asked.size(), 3);
  bench.answer(1, frames[0].poll.number, bench.nowUs);
  bench.answer(3, frames[0].poll.number, bench.nowUs);
  const std::vector<Sent> again = bench.run(bench.nowUs + 10 * s);
  CHECK_EQUAL(again.size(), 1);
  CHECK(again[0].target == 2 && again[0].asked == (Path{2}));
}

TEST(oneCallAfterTheOtherReachesAllWhoseCustodyWaits) {
  constexpr uint16_t count = 60;
  Bench bench(64);
  for (uint16_t node = 1; node <= count; node++) bench.chain({node});
  for (uint16_t node = 1; node <= count; node++) bench.push(node, 0);
  for (uint16_t node = 1; node <= count; node++) bench.hub.owe(node, CustodyEntry{node, 1, 7}, 0);
  const std::vector<Sent> frames = bench.serve(450 * ms);
  CHECK(frames.size() > 1 && frames.size() < 8);
  for (const Sent& frame : frames) {
    CHECK_EQUAL(frame.target, self);
    CHECK(frame.custody == frame.asked);
  }
  CHECK_EQUAL(polled(frames).size(), count);
}

TEST(aCallThatCannotBeSentCountsAsNotAnswered) {
  Bench bench;
  for (uint16_t node : Path{1, 2}) bench.chain({node});
  for (uint16_t node : Path{1, 2}) bench.push(node, 0);
  bench.isBusy = true;
  CHECK(bench.run(100 * ms).empty());
  bench.isBusy = false;
  // One miss is no reason to leave anybody out.
  const std::vector<Sent> frames = bench.serve(cycle);
  CHECK(!frames.empty() && frames[0].asked.size() == 2);
}

// Not all fits one call, and nobody gets a frame of its own for that.
TEST(whatIsHeldForAllComesWithTheCallsOfTwoRounds) {
  Bench bench;
  const Path nodes{1, 2, 3, 4};
  for (uint16_t node : nodes) bench.chain({node});
  for (uint16_t node : nodes) bench.push(node, 0);
  for (uint16_t node : nodes) bench.hub.owe(node, CustodyEntry{node, 1, 7}, 0);
  bench.serve(cycle);
  for (uint16_t node : nodes) CHECK(bench.hub.hold(node, packet, sizeof packet, bench.nowUs));
  const std::vector<Sent> frames = bench.serve(3 * cycle);
  CHECK_EQUAL(frames.size(), 2);
  CHECK_EQUAL(frames[0].packets.size(), 2);
  CHECK_EQUAL(frames[1].packets.size(), 2);
}
