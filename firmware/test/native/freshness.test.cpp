#include <cstring>

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

Neighbour* touch(Neighbours& neighbours, uint8_t number, uint64_t nowUs, bool urgent = false) {
  const uint8_t mac[macBytes] = {2, 0, 0, 0, 0, number};
  return neighbours.touch(mac, nowUs, nobody, urgent);
}

}  // namespace

TEST(nothingIsTakenFromANeighbourBeforeItAnswered) {
  Freshness freshness;
  CHECK(!freshness.accept(7));
  freshness.doubt(1 * s, 0);
  CHECK(freshness.asks(1 * s));
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
    if (!freshness.asks(now)) continue;
    freshness.ask(random8, asked++, now);
  }
  CHECK_EQUAL(asked, 10);
}

TEST(aNeighbourThatCountsAnewHeals) {
  Freshness freshness;
  prove(freshness, 100000, 1 * s);
  CHECK(!freshness.accept(5));
  freshness.doubt(2 * s, 0);
  CHECK(!freshness.asks(1 * s + Freshness::doubtGapUs - 1));
  CHECK(freshness.asks(1 * s + Freshness::doubtGapUs));
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

TEST(challengesAreAnsweredWithTheirNonceAndNotInAFlood) {
  Freshness freshness;
  unsigned answered = 0;
  for (uint64_t now = 1 * s; now < 2 * s; now += 1000) {
    freshness.challenged(random8, now);
    if (!freshness.answers(now)) continue;
    const Challenge answer = freshness.answer(77, now);
    CHECK(answer.isAnswer && answer.counter == 77 && memcmp(answer.nonce, random8, nonceBytes) == 0);
    answered++;
  }
  CHECK_EQUAL(answered, 10);
}

TEST(whatTheRadioCouldNotBringOverIsRepeatedAFewTimes) {
  Freshness freshness;
  freshness.challenged(random8, 1 * s);
  uint64_t now = 1 * s;
  unsigned sent = 0;
  for (; freshness.answers(now); now += 50000) {
    freshness.answer(9, now);
    sent++;
    freshness.unreached(true, now, 50000);
  }
  CHECK_EQUAL(sent, 1 + Freshness::repeatsMax);
}

TEST(recordedFramesOfManyPushOutNobodyWhoIsFresh) {
  Neighbours neighbours;
  for (uint8_t i = 0; i < neighboursMax; i++) {
    Neighbour* neighbour = touch(neighbours, i, 1 * s);
    CHECK(neighbour != nullptr);
    if (i > 0) prove(neighbour->freshness, 10, 1 * s);
  }
  // One has proved nothing: its place is the only one that strangers get.
  for (uint8_t i = 100; i < 200; i++) {
    Neighbour* stranger = touch(neighbours, i, 2 * s);
    CHECK(stranger != nullptr && !stranger->freshness.fresh());
  }
  unsigned fresh = 0;
  for (const Neighbour& neighbour : neighbours) fresh += neighbour.freshness.fresh() ? 1 : 0;
  CHECK_EQUAL(fresh, neighboursMax - 1);
  prove(touch(neighbours, 199, 2 * s)->freshness, 10, 2 * s);
  CHECK(touch(neighbours, 200, 3 * s) == nullptr);
  CHECK(touch(neighbours, 200, 3 * s, true) != nullptr);  // it spoke to us alone
}

TEST(whoLeavesTheTableIsNotFreshWhenItComesBack) {
  Neighbours neighbours;
  for (uint8_t i = 0; i < neighboursMax; i++) prove(touch(neighbours, i, (i + 1u) * s)->freshness, 10, 40 * s);
  touch(neighbours, 100, 50 * s, true);
  Neighbour* back = touch(neighbours, 0, 51 * s, true);
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
