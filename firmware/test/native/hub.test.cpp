// A hub's rounds of polls (PROTOCOL.md, section 4.1).
#include "hub_bench.hpp"

using namespace hub_bench;

TEST(onePollAsksAWholeBranch) {
  Bench bench;
  bench.chain({1, 2, 3, 4});
  bench.chain({1, 2, 5});
  bench.chain({9});
  for (uint16_t node : Path{4, 9, 2, 5, 3}) bench.push(node, 0);
  CHECK_EQUAL(bench.hub.members(), 5);
  bench.serve(cycle);  // the first round comes when it may, the others in phase
  const std::vector<Sent> round = bench.serve(2 * cycle);
  CHECK_EQUAL(round.size(), 2);
  // In preorder; who is no member only passes it on.
  CHECK_EQUAL(round[0].target, 1);
  CHECK(round[0].passed == (Path{1, 2, 5, 3, 4}));
  CHECK(round[0].asked == (Path{2, 5, 3, 4}));
  CHECK_EQUAL(round[0].poll.depth, 4);
  CHECK(round[1].passed == (Path{9}) && round[1].asked == (Path{9}));
  CHECK(polled(bench.serve(3 * cycle)) == (Path{2, 5, 3, 4, 9}));
}

TEST(pollsThroughOneNeighbourAreUnderWayTogetherAndNoOthers) {
  Bench bench(64);
  Path leaves;
  for (uint16_t leaf = 10; leaf < 70; leaf++) leaves.push_back(leaf);
  for (uint16_t leaf : leaves) bench.chain({1, leaf});
  bench.chain({2, 100, 101});
  for (uint16_t leaf : leaves) bench.push(leaf, 0);
  bench.push(101, 0);
  for (uint16_t leaf : leaves) bench.hub.owe(leaf, CustodyEntry{leaf, 1, 7}, 0);
  // The deepest begins, and nobody behind another neighbour is asked before it has answered.
  const std::vector<Sent> first = bench.run(200 * ms);
  CHECK(polled(first) == (Path{101}));
  bench.answerAll(first[0], bench.nowUs);
  // One frame does not hold custody for all.
  const std::vector<Sent> group = bench.run(bench.nowUs + 500 * ms);
  CHECK_EQUAL(group.size(), 3);
  for (const Sent& frame : group) {
    CHECK_EQUAL(frame.poll.depth, 2);
    CHECK(frame.custody == frame.asked);
  }
  CHECK_EQUAL(polled(group).size(), leaves.size());
}

TEST(roundsKeepTheirPhaseToTheClockOfTheNetwork) {
  Bench bench;
  bench.chain({1});
  bench.push(1, 0);
  bench.serve(cycle);
  uint64_t phaseUs = 0;
  for (unsigned round = 0; round < 5; round++) {
    const uint64_t fromUs = bench.nowUs;
    while (polled(bench.serve(bench.nowUs + 10 * ms)).empty() && bench.nowUs < fromUs + 2 * cycle) {
    }
    const uint64_t phase = bench.clock.utcUs(bench.nowUs) % cycle / (20 * ms);
    if (round > 0) CHECK_EQUAL(phase, phaseUs);
    phaseUs = phase;
    // Rows are taken at the boundary.
    CHECK(phase >= 25);
  }
}

TEST(whoHasMoreIsAskedAgainAfterTheOthersThreeTimesAtMost) {
  Bench bench;
  bench.chain({1});
  bench.chain({2});
  bench.push(1, 0);
  bench.push(2, 0);
  bench.serve(cycle);
  Path order;
  while (bench.nowUs < 2 * cycle) {
    for (const Sent& frame : bench.run(bench.nowUs + 10 * ms)) {
      for (const uint16_t node : frame.asked) {
        order.push_back(node);
        bench.answer(node, frame.poll.number, bench.nowUs, node == 1);
      }
    }
  }
  CHECK(order == (Path{2, 1, 1, 1, 1}));
}

TEST(custodyRidesOnThePollsUntilItsMemberHasAnswered) {
  Bench bench;
  bench.chain({1, 2, 3});
  for (uint16_t node : Path{1, 2, 3}) bench.push(node, 0);
  bench.serve(cycle);
  for (uint16_t node : Path{1, 2, 3}) bench.hub.owe(node, CustodyEntry{node, 1, 7}, bench.nowUs);
  std::vector<Sent> frames;
  while (polled(frames).empty()) frames = bench.run(bench.nowUs + 10 * ms);
  CHECK(frames[0].custody == (Path{1, 2, 3}));
  bench.answer(2, frames[0].poll.number, bench.nowUs);
  // Who has not answered is asked once more in this round, by a way on which 2 only passes the poll on.
  const std::vector<Sent> again = bench.run(bench.nowUs + 20 * s);
  CHECK_EQUAL(again.size(), 1);
  CHECK(again[0].passed == (Path{1, 2, 3}) && again[0].asked == (Path{1, 3}));
  CHECK(again[0].custody == (Path{1, 3}));
  // An answer that comes late counts all the same.
  for (uint16_t node : Path{1, 3}) bench.answer(node, again[0].poll.number, bench.nowUs);
  const std::vector<Sent> next = bench.serve(bench.nowUs + 2 * cycle);
  CHECK_EQUAL(carrying(next, 1) + carrying(next, 2) + carrying(next, 3), 0);
}

TEST(whatIsNewDoesNotCountAsArrivedWithAnOlderPoll) {
  Bench bench;
  bench.chain({1});
  bench.push(1, 0);
  bench.serve(cycle);
  bench.hub.owe(1, CustodyEntry{1, 1, 7}, bench.nowUs);
  std::vector<Sent> frames;
  while (polled(frames).empty()) frames = bench.run(bench.nowUs + 10 * ms);
  bench.hub.owe(1, CustodyEntry{1, 1, 8}, bench.nowUs);
  bench.answer(1, frames[0].poll.number, bench.nowUs);
  CHECK_EQUAL(carrying(bench.serve(3 * cycle), 1), 1);
}

TEST(heldPacketsRideWhereThereIsRoomTheLongestWaitingFirst) {
  Bench bench;
  bench.chain({1, 2, 3});
  for (uint16_t node : Path{1, 2, 3}) bench.push(node, 0);
  bench.serve(cycle);
  CHECK(bench.hub.hold(2, packet, sizeof packet, bench.nowUs));
  CHECK(bench.hub.hold(3, packet, sizeof packet, bench.nowUs + s));
  CHECK(bench.hub.hold(1, packet, sizeof packet, bench.nowUs + 2 * s));
  CHECK(!bench.hub.hold(9, packet, sizeof packet, bench.nowUs));
  const std::vector<Sent> frames = bench.serve(3 * cycle);
  CHECK(frames[0].packets == (Path{2, 3}));
  CHECK_EQUAL(frames[0].asked.size(), 3);
  CHECK(frames[1].packets == (Path{1}));
  for (size_t i = 2; i < frames.size(); i++) CHECK(frames[i].packets.empty());
}

TEST(custodyOfMoreThanSixteenOnAPathGoesInTwoSections) {
  Bench bench(32);
  Path line;
  for (uint16_t node = 1; node <= hopsMax; node++) line.push_back(node);
  bench.chain(line);
  for (uint16_t node : line) bench.push(node, 0);
  bench.serve(cycle);
  for (uint16_t node : line) bench.hub.owe(node, CustodyEntry{node, 1, 7}, bench.nowUs);
  const std::vector<Sent> frames = bench.run(2 * cycle);
  CHECK_EQUAL(frames[0].custody.size(), hopsMax);
}

TEST(whatNoPollTookGoesOutByItself) {
  Bench bench;
  bench.chain({1, 2});
  bench.push(1, 0);
  bench.push(2, 0);
  bench.serve(cycle);
  bench.hub.owe(2, CustodyEntry{2, 1, 7}, bench.nowUs);
  bench.hub.owe(1, CustodyEntry{1, 1, 7}, bench.nowUs);
  const std::vector<Sent> frames = bench.run(4 * cycle);
  const auto alone = std::find_if(frames.begin(), frames.end(), [](const Sent& frame) { return frame.poll.number == 0; });
  CHECK(alone != frames.end());
  CHECK_EQUAL(alone->target, 2);
  CHECK(alone->custody == (Path{1, 2}));
}

TEST(otherHubsHearOfCustodyAndOfWhoLeftThemSoonAndTogether) {
  Bench bench;
  bench.chain({0x8005});
  bench.run(1 * s);
  for (uint16_t node = 1; node <= 3; node++) bench.hub.owe(0x8005, CustodyEntry{node, 1, 7}, bench.nowUs);
  bench.hub.tellLeft(0x8005, 4, bench.nowUs);
  bench.hub.owe(0x0101, CustodyEntry{1, 1, 7}, bench.nowUs);  // neither a hub nor a member
  const std::vector<Sent> frames = bench.run(12 * s);
  CHECK_EQUAL(frames.size(), 1);
  CHECK_EQUAL(frames[0].target, 0x8005);
  CHECK_EQUAL(frames[0].custody.size(), 3);
  CHECK(frames[0].left == (Path{4}));
  CHECK(bench.run(20 * s).empty());
  // As many as one section holds do not wait.
  for (uint16_t node = 1; node <= custodyEntriesMax; node++) bench.hub.owe(0x8005, CustodyEntry{node, 1, 8}, bench.nowUs);
  CHECK_EQUAL(bench.run(bench.nowUs + 10 * ms).size(), 1);
}

TEST(whoDoesNotAnswerIsSkippedForMoreAndMoreRounds) {
  Bench bench;
  bench.chain({1});
  bench.push(1, 0);
  bench.serve(cycle);
  std::vector<unsigned> rounds;
  for (unsigned round = 0; round < 60; round++) {
    if (!polled(bench.run(bench.nowUs + cycle)).empty()) rounds.push_back(round);
  }
  CHECK(rounds == (std::vector<unsigned>{0, 1, 3, 6, 11, 20, 37, 54}));
  // It is asked again as soon as it is heard.
  bench.push(1, bench.nowUs);
  CHECK_EQUAL(polled(bench.serve(bench.nowUs + cycle)).size(), 1);
  // Sixty-four in a row: it is no member any more.
  bench.run(bench.nowUs + 2000 * cycle);
  CHECK_EQUAL(bench.hub.members(), 0);
}

TEST(whoCannotBeReachedCountsAsNotAnswering) {
  Bench bench;
  bench.chain({1});
  bench.push(1, 0);
  bench.serve(cycle);
  bench.ways.clear();
  CHECK(bench.run(10 * cycle).empty());
  bench.chain({1});
  CHECK(!polled(bench.serve(30 * cycle)).empty());
}

TEST(aFullHubLetsGoOfWhoWasSilentLongest) {
  Bench bench(3);
  for (uint16_t node = 1; node <= 4; node++) bench.chain({node});
  for (uint16_t node = 1; node <= 3; node++) bench.push(node, node * s);
  bench.push(1, 10 * s);
  bench.push(4, 11 * s);
  CHECK_EQUAL(bench.hub.members(), 3);
  CHECK(!bench.hub.hold(2, packet, sizeof packet, 12 * s));
  for (uint16_t node : Path{1, 3, 4}) CHECK(bench.hub.hold(node, packet, sizeof packet, 12 * s));
}

TEST(aMemberOfAnotherHubIsPolledNoMore) {
  Bench bench;
  bench.chain({1});
  bench.push(1, 0);
  bench.hub.owe(1, CustodyEntry{1, 1, 7}, 0);
  bench.hub.left(1);
  CHECK_EQUAL(bench.hub.members(), 0);
  CHECK(bench.run(3 * cycle).empty());
}

// PROTOCOL.md, section 2.11.
TEST(leavesAreNotPolledAndWhatIsForThemRidesOnPollsToTheirParents) {
  Bench bench;
  bench.chain({1, 2});
  bench.push(1, 0);
  bench.hub.heard(2, 2, 1, true, 0, true, 0);
  bench.hub.sleeps(2, 1);
  bench.hub.owe(2, CustodyEntry{2, 1, 5}, 0);
  CHECK(bench.hub.hold(2, packet, sizeof packet, 0));
  const std::vector<Sent> sent = bench.run(2 * cycle);
  CHECK(!sent.empty());
  size_t arrived = 0;
  for (const Sent& frame : sent) {
    CHECK_EQUAL(frame.target, 1);
    arrived += frame.packets.size();
    CHECK_EQUAL(frame.custody.size(), frame.packets.size());
    // The leaf stands in the tree below its parent, not asked, where something is for it.
    CHECK(frame.asked == (Path{1}));
    CHECK(frame.passed == (frame.packets.empty() ? Path{1} : Path{1, 2}));
  }
  CHECK_EQUAL(arrived, 1u);
}
