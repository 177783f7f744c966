// Parents through which nothing comes back, whatever they tell.
#include "check.hpp"
#include "wattmesh/routing.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;
constexpr uint64_t patienceUs = 180 * s;
constexpr uint8_t nobody[macBytes] = {};

struct Mac {
  explicit Mac(size_t number) : bytes{2, 0, 0, 0, 0, static_cast<uint8_t>(number)} {}
  uint8_t bytes[macBytes];
};

Neighbour& hear(Neighbours& neighbours, uint16_t shortId, uint16_t tree, uint16_t cost, uint64_t nowUs) {
  Beacon beacon{};
  beacon.shortId = shortId;
  beacon.epoch = 1;
  beacon.tree = tree;
  beacon.gateway = 0x8000;
  beacon.hops = 1;
  beacon.cost = cost;
  beacon.grounded = beacon.joined = true;
  Neighbour* neighbour = neighbours.touch(Mac(shortId).bytes, -60, Claim::handsOver, nowUs, nobody);
  CHECK(neighbour != nullptr);
  neighbour->shortId = shortId;
  neighbour->told(beacon, nowUs);
  return *neighbour;
}

void settle(Routing& routing, Neighbours& neighbours, uint64_t nowUs) {
  routing.update(neighbours, nowUs);
  routing.announced(nowUs);
}

}  // namespace

TEST(whoIsDistrustedIsLeftForLongerEachTime) {
  NeighbourTable<> neighbours;
  Routing routing;
  uint64_t nowUs = 1 * s;
  for (int time = 0; time < 4; time++) {
    Neighbour& thief = hear(neighbours, 1, 1, 0, nowUs);
    hear(neighbours, 2, 1, 100, nowUs).hasBeacon = false;
    settle(routing, neighbours, nowUs);
    hear(neighbours, 2, 1, 100, nowUs);
    CHECK_EQUAL(routing.position().parentShort, 1);
    CHECK(routing.distrust(neighbours, patienceUs, nowUs));
    settle(routing, neighbours, nowUs);
    CHECK_EQUAL(routing.position().parentShort, 2);
    const uint64_t awayUs = 4 * patienceUs << time;
    CHECK_EQUAL(uint64_t{thief.avoidUntilUs}, uint64_t{RoughTime(nowUs + awayUs)});
    nowUs = thief.avoidUntilUs + 1;
  }
}

TEST(aParentIsKeptWhenThereIsNobodyElseButChildren) {
  NeighbourTable<> neighbours;
  Routing routing;
  hear(neighbours, 1, 1, 0, 1 * s);
  settle(routing, neighbours, 1 * s);
  hear(neighbours, 2, 1, 400, 2 * s).dataUs = 2 * s;
  CHECK(!routing.distrust(neighbours, patienceUs, 3 * s));
  settle(routing, neighbours, 3 * s);
  CHECK_EQUAL(routing.position().parentShort, 1);
  CHECK(!routing.starving());
}

// The lower a cost was claimed, the fewer neighbours are certain not to hang on us: a newer tree makes them so again.
TEST(whoIsDistrustedBringsNoNewerTree) {
  NeighbourTable<> neighbours;
  Routing routing;
  hear(neighbours, 1, 7, 0, 1 * s);
  settle(routing, neighbours, 1 * s);
  const uint16_t told = routing.position().cost;
  const uint16_t honest = static_cast<uint16_t>(told + 300);
  hear(neighbours, 2, 7, honest, 1 * s);
  CHECK(routing.distrust(neighbours, patienceUs, 2 * s));
  settle(routing, neighbours, 2 * s);
  CHECK_EQUAL(routing.position().parentShort, 1);
  CHECK(routing.starving());
  CHECK_EQUAL(routing.wantedTree(), 8);
  CHECK_EQUAL(routing.asksBy()[5], 2);
  // The thief hears of the new tree first.
  hear(neighbours, 1, 8, 0, 3 * s);
  settle(routing, neighbours, 3 * s);
  hear(neighbours, 2, 8, honest, 4 * s);
  settle(routing, neighbours, 4 * s);
  CHECK_EQUAL(routing.position().parentShort, 2);
  CHECK(!routing.starving());
}

TEST(aTreeThatNobodyElseEverHasIsForgotten) {
  NeighbourTable<> neighbours;
  Routing routing;
  hear(neighbours, 1, 500, 0, 1 * s);
  settle(routing, neighbours, 1 * s);
  hear(neighbours, 2, 7, 300, 1 * s);
  CHECK(routing.distrust(neighbours, patienceUs, 2 * s));
  settle(routing, neighbours, 2 * s);
  CHECK(routing.starving());
  CHECK_EQUAL(routing.position().parentShort, 1);
  routing.forgetTree(30 * s);
  settle(routing, neighbours, 30 * s);
  CHECK_EQUAL(routing.position().parentShort, 2);
  CHECK_EQUAL(routing.position().tree, 7);
}

// All others may really hang on us: then another tree helps nobody, and asking for ever would make waves for ever.
TEST(aNewerTreeIsAskedForOnce) {
  NeighbourTable<> neighbours;
  Routing routing;
  hear(neighbours, 1, 7, 0, 1 * s);
  settle(routing, neighbours, 1 * s);
  hear(neighbours, 2, 7, 500, 1 * s);
  CHECK(routing.distrust(neighbours, patienceUs, 2 * s));
  settle(routing, neighbours, 2 * s);
  CHECK(routing.starving());
  hear(neighbours, 1, 8, 0, 3 * s);
  settle(routing, neighbours, 3 * s);
  settle(routing, neighbours, 12 * s);
  CHECK_EQUAL(routing.position().tree, 8);
  hear(neighbours, 2, 8, 500, 13 * s);
  settle(routing, neighbours, 13 * s);
  CHECK_EQUAL(routing.position().parentShort, 1);
  CHECK(!routing.starving());
}
