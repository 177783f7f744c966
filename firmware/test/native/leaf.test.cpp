// Battery leaves: their clock, their wakes, and what their parent keeps for them (PROTOCOL.md, section 2.11).
#include <set>

#include "check.hpp"
#include "wattmesh/children.hpp"
#include "wattmesh/leaf.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;
constexpr uint64_t utc = 1790000000 * s;
constexpr uint8_t packet[40] = {0x14, 0x01};

// Network time at a tick of an oscillator that is slow by 5 %.
constexpr uint64_t slowUtc(uint64_t ticks) { return utc + ticks + ticks / 20; }

size_t waiting(Children& children, uint16_t leaf) {
  uint8_t bytes[bodyBytesMax];
  Writer writer(bytes, sizeof bytes);
  children.write(leaf, writer);
  return writer.length();
}

}  // namespace

TEST(twoAnswersTellTheRateOfALeafsClock) {
  TickScale scale;
  CHECK(!scale.sync(slowUtc(5 * s), 5 * s, 5 * s));
  CHECK_EQUAL(scale.local(7 * s), 7 * s);
  CHECK(!scale.sync(slowUtc(6 * s), 6 * s, 6 * s));
  CHECK(scale.sync(slowUtc(25 * s), 25 * s, 25 * s));
  // It goes on where it was, and from there at the right rate, for days.
  CHECK_EQUAL(scale.local(25 * s), 25 * s);
  const uint64_t dayUs = 86400 * s;
  CHECK_EQUAL(scale.local(25 * s + 3 * dayUs), 25 * s + 3 * dayUs / 20 * 21);
  for (const uint64_t local : {30 * s + 1, 900 * s + 7, 3 * dayUs + 123456}) {
    const uint64_t ticks = scale.ticks(local);
    CHECK(scale.local(ticks) >= local && scale.local(ticks - 1) < local);
  }
  CHECK_EQUAL(scale.ticks(never), never);
}

TEST(aClockThatWasSetIsNoRate) {
  TickScale scale;
  CHECK(!scale.sync(utc, 0, 0));
  CHECK(!scale.sync(utc + 3600 * s, 20 * s, 20 * s));
  CHECK(!scale.known());
  CHECK(scale.sync(utc + 3620 * s, 40 * s, 40 * s));
  CHECK_EQUAL(scale.local(100 * s), 100 * s);
}

TEST(aLeafWakesAtItsPhaseAndOftenAtFirst) {
  Leaf leaf;
  leaf.begin(0);
  const uint64_t cycle = 900 * s;
  leaf.answered(0x4000);
  CHECK_EQUAL(leaf.nextReportUs(10 * s, 0, cycle), 30 * s);
  leaf.answered(0x4000);
  CHECK_EQUAL(leaf.nextReportUs(30 * s, 20 * s, cycle), 150 * s);
  leaf.answered(0x4000);
  CHECK_EQUAL(leaf.nextReportUs(1000 * s, 300 * s, cycle), 1825 * s);
  // A moment before its phase is this wake itself.
  CHECK_EQUAL(leaf.nextReportUs(1000 * s, 224 * s, cycle), 1901 * s);
}

TEST(aLeafTriesTwiceEachOfThreeParents) {
  Leaf leaf;
  leaf.wake(0);
  for (int parent = 0; parent < 3; parent++) {
    leaf.report(0);
    CHECK(leaf.reportDue(0));
    leaf.reporting(false);
    CHECK(leaf.sent(true, s) == Leaf::Verdict::goesOn);
    CHECK(!leaf.unheard(s) && leaf.unheard(s + Leaf::windowUs));
    CHECK(leaf.unanswered(2 * s) == Leaf::Verdict::goesOn);
    leaf.reporting(false);
    CHECK(leaf.sent(false, 2 * s) == Leaf::Verdict::otherParent);
    CHECK_EQUAL(leaf.nextParent(), parent < 2);
  }
  CHECK(!leaf.free());
}

TEST(searchesOfALeafGrowRarerUpToACycle) {
  Leaf leaf;
  const uint64_t expected[] = {10, 20, 40, 80, 160, 300, 300};
  for (const uint64_t seconds : expected) CHECK_EQUAL(leaf.pause(300 * s), seconds * s);
  CHECK(leaf.settle(true, s));
  CHECK(!leaf.settle(true, s));
  CHECK_EQUAL(leaf.pause(300 * s), 10 * s);
}

TEST(aSearchPullsFourTimes) {
  Leaf leaf;
  leaf.search(s);
  unsigned pulls = 0;
  for (uint64_t nowUs = s; leaf.searching(nowUs); nowUs = leaf.nextUs(nowUs)) pulls += leaf.takePull(nowUs) ? 1 : 0;
  CHECK_EQUAL(pulls, 4u);
}

TEST(leavesOfOneParentAreSpreadEvenly) {
  Children children;
  std::set<uint16_t> phases;
  for (uint16_t leaf = 1; leaf <= 8; leaf++) {
    children.heard(leaf, leaf * s);
    phases.insert(static_cast<uint16_t>(children.phase(leaf, 7) - 7 * 40503u));
  }
  uint16_t expected = 0;
  for (const uint16_t phase : phases) {
    CHECK_EQUAL(phase, expected);
    expected = static_cast<uint16_t>(expected + 0x2000);
  }
}

TEST(aParentKeepsWhatIsForALeafUntilItHasArrived) {
  Children children;
  CHECK(!children.hold(5, packet, sizeof packet, s));
  children.heard(5, s);
  CHECK(children.has(5, 2 * s) && !children.has(5, 4 * 3600 * s));
  children.owe(CustodyEntry{5, 1, 77});
  children.owe(CustodyEntry{6, 1, 78});
  CHECK(children.hold(5, packet, sizeof packet, s));
  CHECK(!children.hold(5, packet, heldBytesMax + 1, s));
  const size_t both = sectionHeaderBytes + custodyEntryBytes + forSectionBytes(sizeof packet);
  CHECK_EQUAL(waiting(children, 5), both);
  children.delivered(5, false);
  CHECK_EQUAL(waiting(children, 5), both);
  children.delivered(5, true);
  CHECK_EQUAL(waiting(children, 5), 0u);
  CHECK_EQUAL(waiting(children, 6), 0u);
}

TEST(aParentForgetsTheLeafThatWasSilentLongest) {
  Children children;
  for (uint16_t leaf = 1; leaf <= childrenMax; leaf++) children.heard(leaf, leaf * s);
  children.heard(1, 100 * s);
  CHECK(children.hold(2, packet, sizeof packet, 100 * s));
  children.heard(100, 101 * s);
  CHECK(!children.has(2, 101 * s) && children.has(1, 101 * s) && children.has(100, 101 * s));
  CHECK_EQUAL(waiting(children, 2), 0u);
}

TEST(aLeafThatDoesNotComeUsesUpNoRoom) {
  Children children;
  for (uint16_t leaf = 1; leaf <= childPacketsMax; leaf++) children.heard(leaf, s);
  for (int i = 0; i < 100; i++) CHECK(children.hold(1, packet, sizeof packet, s));
  CHECK_EQUAL(waiting(children, 1), 2 * forSectionBytes(sizeof packet));
  for (uint16_t leaf = 3; leaf <= childPacketsMax; leaf++) CHECK(children.hold(leaf, packet, sizeof packet, s));
  CHECK(!children.hold(2, packet, sizeof packet, s));
  // It has been away for hours: its room is for others.
  children.heard(2, 4 * 3600 * s);
  CHECK(children.hold(2, packet, sizeof packet, 4 * 3600 * s));
}
