// The choice of a parent, node by node.
#include <cstring>
#include <vector>

#include "check.hpp"
#include "routing_bench.hpp"

using namespace wattmesh;

TEST(theCheapestWayIsTakenAndLeftOnlyForAMuchCheaperOne) {
  NeighbourTable<> neighbours;
  Routing routing;
  hear(neighbours, 1, beaconOf(1, 1, 3, 600), 1 * s);
  hear(neighbours, 2, beaconOf(2, 1, 2, 400), 1 * s);
  CHECK(routing.update(neighbours, 1 * s));
  CHECK_EQUAL(routing.position().parentShort, 2);
  CHECK_EQUAL(routing.position().hops, 3);
  hear(neighbours, 1, beaconOf(1, 1, 1, 209), 2 * s);
  routing.update(neighbours, 2 * s);
  CHECK_EQUAL(routing.position().parentShort, 2);
  hear(neighbours, 1, beaconOf(1, 1, 1, 207), 2 * s);
  CHECK(routing.update(neighbours, 2 * s));
  CHECK_EQUAL(routing.position().parentShort, 1);
}

TEST(batteriesTheFarAndTheUngroundedAreNobodysParents) {
  NeighbourTable<> neighbours;
  Routing routing;
  hear(neighbours, 1, beaconOf(1, 1, 1, 100), 1 * s).beacon.energyClass = EnergyClass::battery;
  hear(neighbours, 2, beaconOf(2, 1, 1, 100), 1 * s).beacon.grounded = false;
  hear(neighbours, 3, beaconOf(3, 1, 1, 100), 1 * s).beacon.joined = false;
  hear(neighbours, 4, beaconOf(4, 1, hopsMax, 100), 1 * s);
  hear(neighbours, 5, beaconOf(5, 1, 1, costNone), 1 * s);
  hear(neighbours, 6, beaconOf(6, 1, 1, costNone - 10), 1 * s);
  CHECK(!routing.update(neighbours, 1 * s));
  CHECK(!routing.position().attached && !routing.starving());
}

TEST(whoIsAvoidedIsBetterThanNobody) {
  NeighbourTable<> neighbours;
  Routing routing;
  Neighbour& near = hear(neighbours, 1, beaconOf(1, 1, 1, 100), 1 * s);
  near.avoidUntilUs = 60 * s;
  routing.update(neighbours, 1 * s);
  CHECK_EQUAL(routing.position().parentShort, 1);
  hear(neighbours, 2, beaconOf(2, 1, 5, 2000), 2 * s);
  routing.update(neighbours, 2 * s);
  CHECK_EQUAL(routing.position().parentShort, 2);
  routing.update(neighbours, 60 * s);
  CHECK_EQUAL(routing.position().parentShort, 1);
}

TEST(aParentThatLeadsNowhereMustBeHeardAgainUnlessThereIsAnother) {
  NeighbourTable<> neighbours;
  Routing routing;
  hear(neighbours, 1, beaconOf(1, 1, 1, 100), 1 * s);
  routing.update(neighbours, 1 * s);
  routing.shun(neighbours, 2 * s);
  routing.update(neighbours, 2 * s);
  CHECK(!routing.position().attached);
  hear(neighbours, 1, beaconOf(1, 1, 1, 100), 3 * s);
  hear(neighbours, 2, beaconOf(2, 1, 1, 900), 3 * s);
  routing.update(neighbours, 3 * s);
  CHECK_EQUAL(routing.position().parentShort, 1);
  routing.shun(neighbours, 4 * s);
  routing.update(neighbours, 4 * s);
  CHECK_EQUAL(routing.position().parentShort, 2);
}

TEST(dataGoesRoundAParentWhoseLinkRestsAndNobodyElseLearnsOfIt) {
  NeighbourTable<> neighbours;
  Routing routing;
  Neighbour& parent = hear(neighbours, 1, beaconOf(1, 1, 1, 100), 1 * s);
  Neighbour& other = hear(neighbours, 2, beaconOf(2, 1, 1, 200), 1 * s);
  hear(neighbours, 3, beaconOf(3, 1, 2, 300), 1 * s);
  routing.update(neighbours, 1 * s);
  routing.announced(1 * s);
  CHECK_EQUAL(memcmp(routing.hop().mac, Mac(1).bytes, macBytes), 0);
  parent.sent(false, 1 * s);
  CHECK(!routing.update(neighbours, 1 * s));
  CHECK_EQUAL(routing.position().parentShort, 1);
  CHECK_EQUAL(memcmp(routing.hop().mac, Mac(2).bytes, macBytes), 0);
  CHECK_EQUAL(routing.hop().cost, 200 + other.quality.etx());
  // The third may hang on us: nobody is better than that one.
  other.sent(false, 1 * s + 100 * usPerMs);
  routing.update(neighbours, 1 * s + 100 * usPerMs);
  CHECK(!routing.hop().exists && !routing.starving());
  const uint64_t againUs = routing.hop().againUs;
  CHECK(againUs > 1300 * usPerMs && againUs <= 1300 * usPerMs + RoughTime::stepUs);
  routing.update(neighbours, againUs);
  CHECK_EQUAL(memcmp(routing.hop().mac, Mac(1).bytes, macBytes), 0);
}

TEST(aBurstTakesDataToNoOtherHubAndAFailingLinkDoes) {
  NeighbourTable<> neighbours;
  Routing routing;
  Beacon parents = beaconOf(1, 1, 1, 100);
  Beacon others = beaconOf(2, 1, 1, 200);
  parents.nearestHub = 0x8001;
  others.nearestHub = 0x8002;
  Neighbour& parent = hear(neighbours, 1, parents, 1 * s);
  hear(neighbours, 2, others, 1 * s);
  uint64_t nowUs = 1 * s;
  routing.update(neighbours, nowUs);
  for (unsigned failures = 1; failures <= 3; failures++) {
    CHECK(!parent.rests(nowUs));
    parent.sent(false, nowUs);
    routing.update(neighbours, nowUs);
    CHECK_EQUAL(routing.position().parentShort, 1);
    CHECK_EQUAL(routing.hop().exists, failures == 3);
    if (failures < 3) nowUs = routing.hop().againUs;
  }
  CHECK_EQUAL(memcmp(routing.hop().mac, Mac(2).bytes, macBytes), 0);
}

TEST(aLinkThatFailsAgainAndAgainCostsTheParentItsPlace) {
  NeighbourTable<> neighbours;
  Routing routing;
  Neighbour& parent = hear(neighbours, 1, beaconOf(1, 1, 1, 100), 1 * s);
  hear(neighbours, 2, beaconOf(2, 1, 1, 200), 1 * s);
  uint64_t nowUs = 1 * s;
  for (uint64_t restUs = 300 * usPerMs; restUs <= 2400 * usPerMs; restUs *= 2) {
    routing.update(neighbours, nowUs);
    CHECK_EQUAL(routing.position().parentShort, 1);
    // Until it ends, further failures count for nothing.
    for (unsigned sends = 0; sends < 3; sends++) parent.sent(false, nowUs);
    CHECK(parent.rests(nowUs + restUs) && !parent.rests(nowUs + restUs + RoughTime::stepUs));
    nowUs += restUs + RoughTime::stepUs;
  }
  parent.sent(false, nowUs);
  routing.update(neighbours, nowUs);
  CHECK_EQUAL(routing.position().parentShort, 2);
  parent.sent(true, nowUs);
  CHECK(!parent.troubled());
}

TEST(aParentStaysFeasibleWhenItBecomesDearer) {
  NeighbourTable<> neighbours;
  Routing routing;
  hear(neighbours, 1, beaconOf(1, 1, 1, 100), 1 * s);
  routing.update(neighbours, 1 * s);
  routing.announced(1 * s);
  hear(neighbours, 1, beaconOf(1, 1, 1, 2000), 2 * s);
  CHECK(routing.update(neighbours, 2 * s));
  CHECK(routing.position().attached && routing.hop().exists && !routing.starving());
  CHECK(routing.position().cost > 2000);
  // It could not know more of us in the next tree than anybody else.
  routing.announced(2 * s);
  hear(neighbours, 2, beaconOf(2, 2, 1, 500), 3 * s);
  routing.update(neighbours, 3 * s);
  routing.announced(3 * s);
  hear(neighbours, 1, beaconOf(1, 2, 1, 660), 4 * s);
  neighbours.find(Mac(2).bytes)->hasBeacon = false;
  routing.update(neighbours, 4 * s);
  CHECK(!routing.hop().exists);
}

TEST(smallChangesOfTheCostAreNotTold) {
  NeighbourTable<> neighbours;
  Routing routing;
  hear(neighbours, 1, beaconOf(1, 1, 1, 1000), 1 * s);
  routing.update(neighbours, 1 * s);
  const uint16_t told = routing.position().cost;
  for (const uint16_t cost : {uint16_t{1100}, uint16_t{900}, uint16_t{1150}, uint16_t{840}}) {
    hear(neighbours, 1, beaconOf(1, 1, 1, cost), 2 * s);
    CHECK(!routing.update(neighbours, 2 * s));
    CHECK_EQUAL(routing.position().cost, told);
  }
  // Never what is below its parent's.
  hear(neighbours, 1, beaconOf(1, 1, 1, told), 3 * s);
  CHECK(routing.update(neighbours, 3 * s));
  CHECK(routing.position().cost > told);
}

TEST(atTheEdgeOfReceptionALinkCountsAsBadBeforeItWasTried) {
  CHECK_EQUAL(LinkQuality(-60).etx(), LinkQuality(-97).etx());
  for (int8_t rssi = -97; rssi > -102; rssi--) CHECK(LinkQuality(static_cast<int8_t>(rssi - 1)).etx() > LinkQuality(rssi).etx());
  LinkQuality tried(-110);
  for (unsigned sends = 0; sends < 50; sends++) tried.sent(true);
  CHECK(tried.etx() < 512);
}

// RFC 8966, sections 3.5.1 and 3.8.2: the condition, and the request for a newer sequence number when nobody meets it.
TEST(whoFindsOnlyWhoMayHangOnItAsksForANewerTree) {
  NeighbourTable<> neighbours;
  Routing routing;
  Neighbour& parent = hear(neighbours, 1, beaconOf(1, 7, 1, 100), 1 * s);
  routing.update(neighbours, 1 * s);
  routing.announced(1 * s);
  const uint16_t told = routing.position().cost;
  // These may have heard the route from us, however cheap they say it is.
  hear(neighbours, 2, beaconOf(2, 7, 2, static_cast<uint16_t>(told + 300)), 2 * s);
  hear(neighbours, 3, beaconOf(3, 7, 2, told), 2 * s);
  parent.hasBeacon = false;
  CHECK(routing.update(neighbours, 2 * s));
  CHECK(!routing.position().attached && !routing.hop().exists && routing.starving());
  CHECK_EQUAL(routing.wantedTree(), 8);
  CHECK_EQUAL(memcmp(routing.asksBy(), Mac(3).bytes, macBytes), 0);
  // Somebody nearer to the root than we ever were is certain not to.
  hear(neighbours, 4, beaconOf(4, 7, 2, static_cast<uint16_t>(told - 1)), 3 * s);
  routing.update(neighbours, 3 * s);
  CHECK(!routing.starving());
  CHECK_EQUAL(routing.position().parentShort, 4);
}

// Most often it is only its beacon that got lost: another is enough, and no wave of them.
TEST(whoTellsOfAnOlderTreeIsAskedForOurs) {
  NeighbourTable<> neighbours;
  Routing routing;
  Neighbour& parent = hear(neighbours, 1, beaconOf(1, 8, 1, 100), 1 * s);
  routing.update(neighbours, 1 * s);
  routing.announced(1 * s);
  parent.hasBeacon = false;
  hear(neighbours, 2, beaconOf(2, 7, 1, 100), 2 * s);
  routing.update(neighbours, 2 * s);
  CHECK(routing.starving());
  CHECK_EQUAL(routing.wantedTree(), 8);
  hear(neighbours, 2, beaconOf(2, 8, 4, 900), 3 * s);
  routing.update(neighbours, 3 * s);
  CHECK_EQUAL(routing.wantedTree(), 9);
}

TEST(aNewerTreeEndsStarving) {
  NeighbourTable<> neighbours;
  Routing routing;
  Neighbour& parent = hear(neighbours, 1, beaconOf(1, UINT16_MAX, 1, 100), 1 * s);
  routing.update(neighbours, 1 * s);
  routing.announced(1 * s);
  parent.hasBeacon = false;
  hear(neighbours, 2, beaconOf(2, UINT16_MAX, 4, 900), 2 * s);
  routing.update(neighbours, 2 * s);
  CHECK(routing.starving());
  CHECK_EQUAL(routing.wantedTree(), 0);  // numbers come round (RFC 1982)
  hear(neighbours, 2, beaconOf(2, 0, 4, 900), 3 * s);
  routing.update(neighbours, 3 * s);
  CHECK_EQUAL(routing.position().parentShort, 2);
  CHECK(!routing.starving());
  CHECK(routing.hasTree(UINT16_MAX) && routing.hasTree(0) && !routing.hasTree(1));
}

TEST(theRootBeginsANewTreeOncePerRequest) {
  Routing root;
  CHECK(!root.newTree(1));
  CHECK(root.updateRoot(true, true, gateway, 0, 3));
  const uint16_t first = root.position().tree;
  const uint16_t wanted = static_cast<uint16_t>(first + 1);
  CHECK(root.newTree(wanted));
  CHECK(!root.newTree(wanted));
  CHECK(!root.newTree(first));
  CHECK_EQUAL(root.position().tree, wanted);
  // Whatever a node in the mesh asks for: numbers do not jump.
  CHECK(root.newTree(static_cast<uint16_t>(wanted + 30000)));
  CHECK_EQUAL(root.position().tree, wanted + 1);
  // Those that hung on a root without a host may all starve when it is back.
  root.updateRoot(false, false, gateway, 0, 3);
  CHECK(!root.newTree(static_cast<uint16_t>(wanted + 9)));
  root.updateRoot(true, true, gateway, 0, 3);
  CHECK_EQUAL(root.position().tree, wanted + 2);
}

TEST(treeNumbersComeRound) {
  Routing root;
  Routing node;
  NeighbourTable<> neighbours;
  CHECK(root.updateRoot(true, true, gateway, 0, 1));
  while (root.position().tree < UINT16_MAX - 20) root.newTree(static_cast<uint16_t>(root.position().tree + 1));
  uint64_t nowUs = s;
  for (unsigned i = 0; i < 40; i++, nowUs += 4 * s) {
    const uint16_t tree = root.position().tree;
    hear(neighbours, 1, beaconOf(1, tree, 1, 100), nowUs);
    node.update(neighbours, nowUs);
    node.announced(nowUs);
    // Dearer than what was announced: it may hang on us.
    neighbours.find(Mac(1).bytes)->hasBeacon = false;
    hear(neighbours, 2, beaconOf(2, tree, 1, 500), nowUs);
    node.update(neighbours, nowUs);
    CHECK(!node.position().attached);
    CHECK(node.starving());
    CHECK(root.newTree(node.wantedTree()));
    hear(neighbours, 2, beaconOf(2, root.position().tree, 1, 500), nowUs);
    node.update(neighbours, nowUs);
    CHECK(node.position().attached);
    CHECK_EQUAL(node.position().tree, root.position().tree);
    node.announced(nowUs);
  }
  CHECK(root.position().tree < 40);
}

namespace {

// The next life of a node.
Routing rebooted(Routing& before, uint64_t nowUs) {
  uint8_t promises[Routing::promisesBytes];
  CHECK(before.promises(promises));
  Routing after;
  after.restore(promises, nowUs);
  return after;
}

}  // namespace

TEST(afterARebootTheParentOfBeforeIsFeasibleAndNobodyWhoMayHangOnUs) {
  NeighbourTable<> neighbours;
  Routing before;
  hear(neighbours, 1, beaconOf(1, 5, 1, 300), 1 * s);
  before.update(neighbours, 1 * s);
  before.announced(1 * s);
  const uint16_t told = before.position().cost;
  Routing after = rebooted(before, 2 * s);
  NeighbourTable<> again;
  hear(again, 2, beaconOf(2, 5, 2, static_cast<uint16_t>(told + 1)), 2 * s);
  hear(again, 3, beaconOf(3, 4, 2, 0), 2 * s);
  after.update(again, 2 * s);
  CHECK(!after.position().attached && after.starving());
  hear(again, 1, beaconOf(1, 5, 1, 300), 3 * s);
  after.update(again, 3 * s);
  CHECK_EQUAL(after.position().parentShort, 1);
}

TEST(whatWasAnnouncedBindsALaterLifeAndNvIsSpared) {
  NeighbourTable<> neighbours;
  Routing routing;
  Neighbour& parent = hear(neighbours, 1, beaconOf(1, 5, 1, 1000), 1 * s);
  uint8_t promises[Routing::promisesBytes];
  unsigned writes = 0;
  uint16_t lowest = costNone;
  for (uint16_t cost = 1000; cost > 600; cost--) {
    parent.lowestCost = parent.beacon.cost = cost;
    routing.update(neighbours, 2 * s);
    routing.announced(2 * s);
    lowest = routing.position().cost;
    writes += routing.promises(promises) ? 1 : 0;
    Routing later;
    later.restore(promises, 3 * s);
    NeighbourTable<> others;
    hear(others, 2, beaconOf(2, 5, 2, lowest), 3 * s);
    later.update(others, 3 * s);
    CHECK(!later.position().attached);
  }
  CHECK_EQUAL(writes, 1 + 399 / 192);
  routing.announced(3 * s);
  CHECK(!routing.promises(promises));
}
