#include <cstring>
#include <initializer_list>

#include "check.hpp"
#include "wattmesh/freshness.hpp"
#include "wattmesh/neighbours.hpp"
#include "wattmesh/token_bucket.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;
constexpr uint8_t random8[nonceBytes] = {1, 2, 3, 4, 5, 6, 7, 8};
constexpr uint8_t nobody[macBytes] = {};

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

Neighbour* touch(Neighbours& neighbours, uint8_t number, uint64_t nowUs, Claim claim = Claim::heard, int8_t rssi = -60) {
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
  prove(stranger->freshness, 10, nowUs);
  neighbours.proved(*stranger, rssi, nowUs, keep);
  return find(neighbours, number) != nullptr;
}

// As many as there is room for are fresh: number i is heard with -60 - i dBm.
void fill(Neighbours& neighbours) {
  for (uint8_t i = 0; i < Neighbours::freshMax; i++) {
    CHECK(comes(neighbours, i, 1 * s, Claim::heard, static_cast<int8_t>(-60 - i)));
  }
  CHECK_EQUAL(neighbours.fresh(), Neighbours::freshMax);
}

}  // namespace

// Whatever they claim and however strong they are: without an answer to a challenge they only take each other's places.
TEST(recordedFramesOfManyPushOutNobodyWhoIsFresh) {
  for (const Claim claim : {Claim::heard, Claim::asks, Claim::handsOver}) {
    Neighbours neighbours;
    fill(neighbours);
    unsigned taken = 0;
    for (unsigned i = 0; i < 10000; i++) taken += touch(neighbours, static_cast<uint8_t>(100 + i % 150), 2 * s + i * 1000, claim, -20) != nullptr ? 1 : 0;
    CHECK(taken > 0);
    for (uint8_t i = 0; i < Neighbours::freshMax; i++) CHECK(find(neighbours, i) != nullptr && find(neighbours, i)->freshness.fresh());
  }
}

TEST(aStrangerHasASecondToProveItself) {
  Neighbours neighbours;
  fill(neighbours);
  for (uint8_t i = 100; i < 100 + neighboursMax - Neighbours::freshMax; i++) CHECK(touch(neighbours, i, 2 * s, Claim::handsOver, -20) != nullptr);
  CHECK(touch(neighbours, 200, 3 * s, Claim::handsOver, -20) == nullptr);
  CHECK(touch(neighbours, 200, 3 * s + 1, Claim::handsOver, -20) != nullptr);
}

TEST(theStrongTakeThePlacesOfTheWeak) {
  Neighbours neighbours;
  fill(neighbours);
  const uint8_t last = Neighbours::freshMax - 1;  // the weakest, -87 dBm
  CHECK(!comes(neighbours, 100, 2 * s, Claim::heard, -82));
  CHECK(comes(neighbours, 101, 2 * s, Claim::heard, -81));
  CHECK(find(neighbours, last) == nullptr && find(neighbours, last - 1) != nullptr);
  CHECK_EQUAL(neighbours.fresh(), Neighbours::freshMax);
}

TEST(whoIsSilentLeavesForAnybody) {
  Neighbours neighbours;
  fill(neighbours);
  for (uint8_t i = 1; i < Neighbours::freshMax; i++) find(neighbours, i)->heardUs = 62 * s;
  CHECK(comes(neighbours, 100, 62 * s, Claim::heard, -95));
  CHECK(find(neighbours, 0) == nullptr);
}

TEST(whoHandsSomethingOverFindsAPlaceAndKeepsIt) {
  Neighbours neighbours;
  fill(neighbours);
  for (uint8_t i = 100; i < 110; i++) CHECK(comes(neighbours, i, 2 * s, Claim::handsOver, -95));
  for (uint8_t i = 200; i < 250; i++) comes(neighbours, i, 3 * s, Claim::asks, -20);
  for (uint8_t i = 100; i < 110; i++) CHECK(find(neighbours, i) != nullptr);
  CHECK_EQUAL(neighbours.fresh(), Neighbours::freshMax);
  // When everybody hands something over, nobody leaves for one more.
  for (uint8_t i = 110; i < 100 + Neighbours::freshMax; i++) CHECK(comes(neighbours, i, 4 * s, Claim::handsOver, -95));
  CHECK(!comes(neighbours, 250, 5 * s, Claim::handsOver, -20));
  for (uint8_t i = 100; i < 100 + Neighbours::freshMax; i++) CHECK(find(neighbours, i) != nullptr);
}

TEST(aParentNeverLeaves) {
  Neighbours neighbours;
  fill(neighbours);
  const uint8_t parent[macBytes] = {2, 0, 0, 0, 0, Neighbours::freshMax - 1};
  for (uint8_t i = 100; i < 200; i++) comes(neighbours, i, 100 * s, Claim::handsOver, -20, parent);
  CHECK(neighbours.find(parent) != nullptr);
}

TEST(whoLeftTheTableIsNotFreshWhenItComesBack) {
  Neighbours neighbours;
  fill(neighbours);
  CHECK(comes(neighbours, 101, 2 * s, Claim::heard, -20));
  Neighbour* back = touch(neighbours, Neighbours::freshMax - 1, 3 * s, Claim::handsOver, -87);
  CHECK(back != nullptr && !back->freshness.fresh() && !back->freshness.accept(1000));
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
