// Trees without a way to the head-end: who holds them together, who stays, and how they end.
#include "check.hpp"
#include "routing_bench.hpp"

using namespace wattmesh;

namespace {

Beacon floating(uint16_t shortId, uint16_t tree, uint8_t hops, uint16_t cost) {
  Beacon beacon = beaconOf(shortId, tree, hops, cost);
  beacon.grounded = false;
  return beacon;
}

}  // namespace

TEST(aHubHoldsItsTreeTogetherAndHasNoWayUpMeanwhile) {
  NeighbourTable<> neighbours;
  Routing routing;
  hear(neighbours, 1, beaconOf(1, 1, 1, 100), 1 * s);
  hear(neighbours, 2, beaconOf(2, 1, 1, 120), 1 * s);
  routing.update(neighbours, 1 * s, Afloat::holds);
  routing.announced(1 * s);
  const uint16_t cost = routing.position().cost;
  // Others who float are no way up for it.
  hear(neighbours, 1, floating(1, 1, 1, 100), 2 * s);
  hear(neighbours, 2, beaconOf(2, 1, 1, costNone), 2 * s);
  CHECK(routing.update(neighbours, 2 * s, Afloat::holds));
  const TreePosition& at = routing.position();
  CHECK(at.attached && !at.grounded && !routing.hop().exists && at.parentShort == 0);
  CHECK_EQUAL(at.cost, cost);
  CHECK_EQUAL(at.gateway, gateway);
  CHECK_EQUAL(at.hops, 0);
  // Its spool is full.
  CHECK(routing.update(neighbours, 3 * s, Afloat::leaves));
  CHECK(!at.attached);
  // Once given up it is not taken up again before there is a way.
  routing.update(neighbours, 4 * s, Afloat::holds);
  CHECK(!at.attached);
  hear(neighbours, 1, beaconOf(1, 1, 1, 100), 5 * s);
  CHECK(routing.update(neighbours, 5 * s, Afloat::holds));
  CHECK(at.grounded && at.parentShort == 1 && routing.hop().exists);
}

TEST(whoHangsOnAFloatingTreeStaysAndLeavesForAnyWayToTheGateway) {
  NeighbourTable<> neighbours;
  Routing routing;
  hear(neighbours, 1, beaconOf(1, 1, 1, 100), 1 * s);
  routing.update(neighbours, 1 * s);
  routing.announced(1 * s);
  hear(neighbours, 1, floating(1, 1, 0, 100), 2 * s);
  CHECK(routing.update(neighbours, 2 * s));
  CHECK(routing.position().attached && !routing.position().grounded && routing.position().parentShort == 1);
  CHECK(routing.hop().exists && !routing.starving());
  // Somebody knows a way, who may hang on us: a newer tree is asked for.
  hear(neighbours, 2, beaconOf(2, 1, 3, 900), 3 * s);
  routing.update(neighbours, 3 * s);
  CHECK_EQUAL(routing.position().parentShort, 1);
  CHECK(routing.starving());
  CHECK_EQUAL(routing.asksBy()[macBytes - 1], 2);
  hear(neighbours, 2, beaconOf(2, 2, 3, 2000), 4 * s);
  routing.update(neighbours, 4 * s);
  CHECK(routing.position().grounded && routing.position().parentShort == 2 && !routing.starving());
  // Back with the former one for a moment: data does not go there as long as the way is open.
  hear(neighbours, 1, floating(1, 2, 0, 100), 5 * s);
  routing.update(neighbours, 5 * s);
  CHECK_EQUAL(routing.position().parentShort, 2);
}

TEST(nobodyMovesIntoAFloatingTree) {
  NeighbourTable<> neighbours;
  Routing routing;
  // A stranger to it, and one who has announced an older tree: a claim could be made up.
  hear(neighbours, 1, floating(1, 1, 1, 10), 1 * s);
  routing.update(neighbours, 1 * s);
  CHECK(!routing.position().attached);
  hear(neighbours, 2, beaconOf(2, 1, 1, 500), 2 * s);
  routing.update(neighbours, 2 * s);
  routing.announced(2 * s);
  hear(neighbours, 1, floating(1, 7, 1, 10), 3 * s);
  routing.update(neighbours, 3 * s);
  CHECK_EQUAL(routing.position().parentShort, 2);
  hear(neighbours, 2, beaconOf(2, 1, hopsNone, costNone), 4 * s);
  routing.update(neighbours, 4 * s);
  CHECK(!routing.position().attached);
  // Who was in it, and has lost the parent, finds another place there.
  hear(neighbours, 1, floating(1, 1, 1, 10), 5 * s);
  routing.update(neighbours, 5 * s);
  CHECK(routing.position().attached && !routing.position().grounded);
}

TEST(aRootThatLosesItsHostKeepsItsTreeAndBeginsTheNextWhenTheHostIsBack) {
  Routing root;
  CHECK(root.updateRoot(true, true, gateway, 0, 1));
  const uint16_t tree = root.position().tree;
  CHECK(root.updateRoot(false, true, gateway, 0, 1));
  CHECK(root.position().attached && !root.position().grounded);
  CHECK_EQUAL(root.position().cost, 0);
  CHECK_EQUAL(root.position().tree, tree);
  // A tree that floats is not replaced: nobody would move into it.
  CHECK(!root.newTree(static_cast<uint16_t>(tree + 1)));
  CHECK(root.updateRoot(false, false, gateway, 0, 1));
  CHECK(!root.position().attached);
  CHECK(!root.updateRoot(false, true, gateway, 0, 1));
  CHECK(root.updateRoot(true, true, gateway, 0, 1));
  CHECK_EQUAL(root.position().tree, tree + 1);
}
