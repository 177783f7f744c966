#include <cstring>
#include <initializer_list>

#include "check.hpp"
#include "wattmesh/freshness.hpp"
#include "wattmesh/neighbours.hpp"
#include "wattmesh/token_bucket.hpp"
#include "wattmesh/trickle.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;
constexpr uint8_t random8[nonceBytes] = {1, 2, 3, 4, 5, 6, 7, 8};
constexpr uint8_t nobody[macBytes] = {};
constexpr size_t freshMax = neighboursMax - Neighbours::strangersMax;

// The answer of an honest neighbour to a challenge.
Challenge answerTo(const Challenge& challenge, uint32_t counter) {
  Challenge answer = challenge;
  answer.isAnswer = true;
  answer.counter = counter;
  return answer;
}

void prove(Freshness& freshness, uint32_t counter, uint64_t nowUs) {
  const Challenge asked = freshness.ask(random8, 1, nowUs);
  CHECK(freshness.answered(answerTo(asked, counter - 1), counter, nowUs + 1000));
}

Neighbour* touch(Neighbours& neighbours, uint8_t number, uint64_t nowUs, Claim claim = Claim::leads, int8_t rssi = -60) {
  const uint8_t mac[macBytes] = {2, 0, 0, 0, 0, number};
  return neighbours.touch(mac, rssi, claim, nowUs, nobody);
}

}  // namespace

TEST(nothingIsTakenFromANeighbourBeforeItAnswered) {
  Freshness freshness;
  CHECK(!freshness.accept(7));
  freshness.doubt(1 * s, 0);
  CHECK(freshness.askUs() <= 1 * s);
  prove(freshness, 100, 1 * s);
  CHECK(!freshness.accept(99));
  CHECK(!freshness.accept(100));
  CHECK(freshness.accept(101));
  CHECK(!freshness.accept(101));
  CHECK(freshness.accept(5000));
}

TEST(answersThatDoNotFitProveNothing) {
  Freshness freshness;
  Challenge none{};
  none.isAnswer = true;
  CHECK(!freshness.answered(none, 5, 1 * s));  // never asked
  const Challenge asked = freshness.ask(random8, 1, 1 * s);
  Challenge other = answerTo(asked, 4);
  other.nonce[7] ^= 1;
  CHECK(!freshness.answered(other, 5, 1 * s));
  CHECK(!freshness.answered(answerTo(asked, 5), 5, 1 * s));  // its body claims a counter that its header has not reached
  CHECK(!freshness.answered(answerTo(asked, 4), 5, 1 * s + Freshness::nonceLifeUs + 1));
  CHECK(!freshness.fresh());
  CHECK(freshness.answered(answerTo(asked, 4), 5, 1 * s + Freshness::nonceLifeUs));
  CHECK(!freshness.answered(answerTo(asked, 4), 6, 2 * s));  // once only
}

TEST(aNeighbourIsChallengedAtMostOnceASecond) {
  Freshness freshness;
  unsigned asked = 0;
  for (uint64_t now = 1 * s; now < 11 * s; now += 10000) {
    freshness.doubt(now, 0);
    if (freshness.askUs() > now) continue;
    freshness.ask(random8, asked++, now);
  }
  CHECK_EQUAL(asked, 10);
}

TEST(aNeighbourThatCountsAnewHeals) {
  Freshness freshness;
  prove(freshness, 100000, 1 * s);
  CHECK(!freshness.accept(5));
  freshness.doubt(2 * s, 0);
  CHECK(freshness.askUs() > 1 * s + Freshness::doubtGapUs - 1);
  CHECK(freshness.askUs() <= 1 * s + Freshness::doubtGapUs);
  prove(freshness, 6, 12 * s);
  CHECK(freshness.accept(7));
}

TEST(noncesDifferWhereTheSourceOfRandomnessIsStuck) {
  Freshness freshness;
  const Challenge first = freshness.ask(random8, 1000, 1 * s);
  const Challenge second = freshness.ask(random8, 1001, 3 * s);
  CHECK(memcmp(first.nonce, second.nonce, nonceBytes) != 0);
  CHECK(!freshness.answered(answerTo(first, 4), 5, 3 * s));
  CHECK(freshness.answered(answerTo(second, 4), 5, 3 * s));
}

TEST(whatTheRadioCouldNotBringOverIsRepeatedAFewTimes) {
  Freshness freshness;
  freshness.doubt(1 * s, 0);
  unsigned sent = 0;
  for (uint64_t now = 1 * s; freshness.askUs() <= now; now += 50000) {
    freshness.ask(random8, sent++, now);
    freshness.unreached(now, 50000);
  }
  CHECK_EQUAL(sent, 1 + Freshness::repeatsMax);
}

namespace {

Neighbour* find(Neighbours& neighbours, uint8_t number) {
  const uint8_t mac[macBytes] = {2, 0, 0, 0, 0, number};
  return neighbours.find(mac);
}

// A stranger comes and proves that it is there; false: there was no place.
bool comes(Neighbours& neighbours, uint8_t number, uint64_t nowUs, Claim claim, int8_t rssi, const uint8_t keep[macBytes] = nobody) {
  const uint8_t mac[macBytes] = {2, 0, 0, 0, 0, number};
  Neighbour* stranger = neighbours.touch(mac, rssi, claim, nowUs, keep);
  if (stranger == nullptr) return false;
  prove(*stranger, 10, nowUs);
  neighbours.proved(*stranger, rssi, nowUs, keep);
  return find(neighbours, number) != nullptr;
}

// As many as there is room for are fresh: number i is heard with -60 - i dBm.
void fill(Neighbours& neighbours) {
  for (uint8_t i = 0; i < freshMax; i++) {
    CHECK(comes(neighbours, i, 1 * s, Claim::asks, static_cast<int8_t>(-60 - i)));
  }
  CHECK_EQUAL(neighbours.fresh(), freshMax);
}

}  // namespace

// Whatever they claim and however strong they are: without an answer to a challenge they only take each other's places.
TEST(recordedFramesOfManyPushOutNobodyWhoIsFresh) {
  for (const Claim claim : {Claim::floods, Claim::leads, Claim::handsOver}) {
    NeighbourTable<> neighbours;
    fill(neighbours);
    unsigned taken = 0;
    for (unsigned i = 0; i < 10000; i++) taken += touch(neighbours, static_cast<uint8_t>(100 + i % 150), 2 * s + i * 1000, claim, -20) != nullptr ? 1 : 0;
    CHECK(taken > 0);
    for (uint8_t i = 0; i < freshMax; i++) CHECK(find(neighbours, i) != nullptr && find(neighbours, i)->fresh());
  }
}

TEST(aStrangerHasASecondToProveItself) {
  NeighbourTable<> neighbours;
  fill(neighbours);
  for (uint8_t i = 100; i < 100 + neighboursMax - freshMax; i++) CHECK(touch(neighbours, i, 2 * s, Claim::handsOver, -20) != nullptr);
  CHECK(touch(neighbours, 200, 3 * s, Claim::handsOver, -20) == nullptr);
  CHECK(touch(neighbours, 200, 3 * s + 1, Claim::handsOver, -20) != nullptr);
}

TEST(whoAsksTakesNobodysPlace) {
  NeighbourTable<> neighbours;
  for (uint8_t i = 0; i < freshMax; i++) CHECK(comes(neighbours, i, 1 * s, Claim::asks, -80));
  CHECK(!comes(neighbours, 100, 2 * s, Claim::asks, -20));
  CHECK_EQUAL(neighbours.fresh(), freshMax);
}

TEST(theStrongTakeThePlacesOfTheWeak) {
  NeighbourTable<> neighbours;
  fill(neighbours);
  const uint8_t last = freshMax - 1;  // the weakest, -87 dBm
  CHECK(!comes(neighbours, 100, 2 * s, Claim::floods, -82));
  CHECK(comes(neighbours, 101, 2 * s, Claim::floods, -81));
  CHECK(find(neighbours, last) == nullptr && find(neighbours, last - 1) != nullptr);
  CHECK_EQUAL(neighbours.fresh(), freshMax);
}

namespace {

// Tells the cost of a neighbour that is fresh.
void tells(Neighbours& neighbours, uint8_t number, uint16_t cost, uint64_t nowUs) {
  Neighbour* neighbour = find(neighbours, number);
  neighbour->hasBeacon = true;
  neighbour->beacon = Beacon{};
  neighbour->beacon.grounded = true;
  neighbour->beacon.joined = true;
  neighbour->beacon.cost = cost;
  neighbour->beaconUs = nowUs;
}

bool wants(const Neighbours& neighbours, uint16_t cost, int8_t rssi, uint64_t nowUs) {
  return neighbours.wants(Neighbours::guess(cost, rssi), nowUs);
}

}  // namespace

TEST(strangersAreWantedOnlyWhenTheyLeadBetterThanThoseWhoAreKnown) {
  NeighbourTable<> neighbours;
  fill(neighbours);
  // Those who lead nowhere do not count.
  CHECK(wants(neighbours, 5000, -60, 2 * s));
  for (uint8_t i = 0; i < Neighbours::candidatesMax; i++) tells(neighbours, i, static_cast<uint16_t>(1000 + i), 2 * s);
  CHECK(!wants(neighbours, 5000, -60, 3 * s));
  CHECK(!wants(neighbours, 1000, -60, 3 * s));
  CHECK(wants(neighbours, 900, -60, 3 * s));
  // A weak link is worth less, and what was told long ago nothing.
  CHECK(!wants(neighbours, 900, -98, 3 * s));
  CHECK(wants(neighbours, 5000, -60, 2 * s + 3 * Trickle::maxUs + 1));
  // Nor is somebody who cannot be reached.
  find(neighbours, 5)->avoidUntilUs = 10 * s;
  CHECK(wants(neighbours, 1000, -60, 3 * s));
  CHECK_EQUAL(neighbours.spares(3 * s, find(neighbours, 0)->mac), Neighbours::candidatesMax - 1);
}

TEST(theBestAreKept) {
  NeighbourTable<> neighbours;
  fill(neighbours);
  // The weakest lead best: the strong leave before them.
  for (uint8_t i = freshMax - Neighbours::candidatesMax; i < freshMax; i++) tells(neighbours, i, 100, 1 * s);
  for (uint8_t i = 100; i < 150; i++) comes(neighbours, i, 2 * s, Claim::leads, -50);
  for (uint8_t i = freshMax - Neighbours::candidatesMax; i < freshMax; i++) CHECK(find(neighbours, i) != nullptr);
  CHECK_EQUAL(neighbours.fresh(), freshMax);
}

TEST(whoHandsSomethingOverFindsAPlaceAndKeepsIt) {
  NeighbourTable<> neighbours;
  fill(neighbours);
  CHECK(!neighbours.full(2 * s, nobody));
  for (uint8_t i = 100; i < 110; i++) CHECK(comes(neighbours, i, 2 * s, Claim::handsOver, -95));
  for (uint8_t i = 200; i < 250; i++) comes(neighbours, i, 3 * s, Claim::leads, -20);
  for (uint8_t i = 100; i < 110; i++) CHECK(find(neighbours, i) != nullptr);
  CHECK_EQUAL(neighbours.fresh(), freshMax);
  // When nearly everybody hands something over, the last spares do not leave for one more.
  const uint8_t last = 100 + freshMax - Neighbours::sparesMin;
  for (uint8_t i = 110; i < last; i++) CHECK(comes(neighbours, i, 4 * s, Claim::handsOver, -95));
  CHECK(neighbours.full(5 * s, nobody));
  CHECK(!comes(neighbours, 250, 5 * s, Claim::handsOver, -20));
  for (uint8_t i = 100; i < last; i++) CHECK(find(neighbours, i) != nullptr);
  // Who has handed nothing over for long is a child no more.
  CHECK(!neighbours.full(4 * s + 1800 * s, nobody));
}

TEST(aParentNeverLeaves) {
  NeighbourTable<> neighbours;
  fill(neighbours);
  const uint8_t parent[macBytes] = {2, 0, 0, 0, 0, freshMax - 1};
  for (uint8_t i = 100; i < 200; i++) comes(neighbours, i, 100 * s, Claim::handsOver, -20, parent);
  CHECK(neighbours.find(parent) != nullptr);
}

TEST(whoLeftTheTableIsNotFreshWhenItComesBack) {
  NeighbourTable<> neighbours;
  fill(neighbours);
  CHECK(comes(neighbours, 101, 2 * s, Claim::floods, -20));
  Neighbour* back = touch(neighbours, freshMax - 1, 3 * s, Claim::handsOver, -87);
  CHECK(back != nullptr && !back->fresh() && !back->accept(1000));
}

TEST(whoIsSettledLooksForBetterParentsLessAndLessOften) {
  Curiosity settled;
  Curiosity eager;
  unsigned took[2] = {};
  for (uint64_t now = 1 * s; now < 7200 * s; now += s) {
    took[0] += settled.take(true, now) ? 1 : 0;
    took[1] += eager.take(false, now) ? 1 : 0;
  }
  CHECK(took[0] >= 10 && took[0] <= 14);
  CHECK(took[1] >= 220 && took[1] <= 250);
  settled.wake();
  CHECK(settled.take(true, 7201 * s));
}

TEST(aTokenBucketLimitsRateAndBurst) {
  TokenBucket bucket(4, 8);
  unsigned burst = 0;
  while (bucket.take(100 * s)) burst++;
  CHECK_EQUAL(burst, 8);
  CHECK(bucket.pressed(100 * s));
  unsigned taken = 0;
  for (uint64_t now = 100 * s; now < 110 * s; now += 1000) taken += bucket.take(now) ? 1 : 0;
  CHECK_EQUAL(taken, 39);
  CHECK(!bucket.take(bucket.nextUs() - 1));
  CHECK(bucket.take(bucket.nextUs()));
}

TEST(aTokenBucketCanHoldOneForALongTime) {
  TokenBucket bucket = TokenBucket::oneIn(10 * s);
  CHECK(bucket.take(5 * s));
  CHECK_EQUAL(bucket.nextUs(), 15 * s);
  CHECK(!bucket.take(15 * s - 1));
  CHECK(bucket.take(15 * s));
  CHECK(bucket.take(100 * s));
  CHECK(!bucket.take(109 * s));
}
