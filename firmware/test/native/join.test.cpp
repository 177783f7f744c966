#include <cstring>

#include "check.hpp"
#include "wattmesh/join_proxy.hpp"
#include "wattmesh/proxy_search.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;

struct Mac {
  explicit Mac(uint32_t number) : bytes{2, 0, 0, static_cast<uint8_t>(number >> 16), static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)} {}
  uint8_t bytes[macBytes];
};

PacketHeader m1(uint8_t node, uint32_t number = 1, bool fragment = false) {
  PacketHeader header{};
  header.type = packetM1;
  header.nodeId[0] = node;
  header.counter = number;
  header.fragment = fragment;
  return header;
}

Beacon offer(uint16_t cost) {
  Beacon beacon{};
  beacon.grounded = true;
  beacon.joined = true;
  beacon.hops = 1;
  beacon.cost = cost;
  return beacon;
}

bool isBest(const ProxySearch& search, uint32_t mac, uint64_t nowUs) {
  const ProxySearch::Candidate* best = search.best(nowUs);
  return best != nullptr && memcmp(best->mac, Mac(mac).bytes, macBytes) == 0;
}

}  // namespace

TEST(aProxyTakesOneM1OfAnAddressInFiveSeconds) {
  JoinProxy proxy;
  CHECK_EQUAL(proxy.admit(Mac(1).bytes, m1(1), 0, 10 * s), Error::none);
  CHECK_EQUAL(proxy.admit(Mac(1).bytes, m1(1), 0, 14 * s), Error::queueFull);
  CHECK_EQUAL(proxy.admit(Mac(1).bytes, m1(2), 0, 14 * s), Error::queueFull);
  CHECK_EQUAL(proxy.admit(Mac(1).bytes, m1(1), 0, 15 * s), Error::none);
}

TEST(theSecondPartOfAnM1BelongsToTheFirst) {
  JoinProxy proxy;
  CHECK_EQUAL(proxy.admit(Mac(1).bytes, m1(1, 5, true), 0, 10 * s), Error::none);
  CHECK_EQUAL(proxy.admit(Mac(1).bytes, m1(1, 6, true), 0, 10 * s), Error::queueFull);
  CHECK_EQUAL(proxy.admit(Mac(1).bytes, m1(2, 5, true), 0, 10 * s), Error::queueFull);
  CHECK_EQUAL(proxy.admit(Mac(1).bytes, m1(1, 5, true), 0, 10 * s), Error::none);
  CHECK_EQUAL(proxy.admit(Mac(1).bytes, m1(1, 5, true), 0, 10 * s), Error::queueFull);
}

TEST(aFloodGetsFourM1ASecondThrough) {
  JoinProxy proxy;
  check::Random random(1);
  unsigned admitted = 0;
  for (uint32_t i = 0; i < 60000; i++) {
    const uint32_t dice = static_cast<uint32_t>(random.next());
    admitted += proxy.admit(Mac(i).bytes, m1(static_cast<uint8_t>(i)), dice, 10 * s + i * 1000) == Error::none ? 1 : 0;
  }
  CHECK(admitted > 200 && admitted <= 60 * JoinProxy::perS + JoinProxy::burst);
}

// A flood from ever new addresses, in step with the proxy's own rhythm: an honest node still gets through, sooner or later.
TEST(aNodeGetsThroughAFlood) {
  for (uint64_t seed = 1; seed <= 50; seed++) {
    check::context("seed", seed);
    JoinProxy proxy;
    check::Random random(seed);
    bool joined = false;
    for (uint32_t i = 0; i < 2400 && !joined; i++) {
      const uint64_t now = 10 * s + i * 250000;
      for (uint32_t j = 0; j < 2; j++) (void)proxy.admit(Mac(1000 + 2 * i + j).bytes, m1(9), static_cast<uint32_t>(random.next()), now);
      if (i % 20 == 0) joined = proxy.admit(Mac(1).bytes, m1(1), static_cast<uint32_t>(random.next()), now) == Error::none;
    }
    CHECK(joined);
  }
}

TEST(aProxyRemembersForAMinuteWhomAnM2IsFor) {
  JoinProxy proxy;
  CHECK_EQUAL(proxy.admit(Mac(1).bytes, m1(1), 0, 10 * s), Error::none);
  proxy.remember(Mac(2).bytes, m1(2), 11 * s);
  const PacketHeader first = m1(1);
  const PacketHeader second = m1(2);
  unsigned found = 0;
  for (const Joiner& joiner : proxy) {
    if (proxy.expects(joiner, first.nodeId, 69 * s)) found += joiner.keyless && joiner.mac[5] == 1 ? 1 : 100;
    if (proxy.expects(joiner, second.nodeId, 69 * s)) found += !joiner.keyless && joiner.mac[5] == 2 ? 10 : 100;
    CHECK(!proxy.expects(joiner, first.nodeId, 70 * s));
  }
  CHECK_EQUAL(found, 11);
}

TEST(whoWasAnsweredGivesItsPlaceToTheNextOne) {
  JoinProxy proxy;
  for (uint32_t i = 0; i < joinersMax; i++) proxy.remember(Mac(1 + i).bytes, m1(static_cast<uint8_t>(1 + i)), 10 * s + i);
  // By chance none is to leave.
  CHECK_EQUAL(proxy.admit(Mac(100).bytes, m1(100), 2, 11 * s), Error::queueFull);
  for (Joiner& joiner : proxy) joiner.answered = joiner.mac[5] == 3 || joiner.mac[5] == 6;
  CHECK_EQUAL(proxy.admit(Mac(100).bytes, m1(100), 2, 11 * s), Error::none);
  for (const Joiner& joiner : proxy) CHECK(joiner.mac[5] != 3);
  CHECK_EQUAL(proxy.admit(Mac(101).bytes, m1(101), 2, 11 * s), Error::none);
  CHECK_EQUAL(proxy.admit(Mac(102).bytes, m1(102), 2, 11 * s), Error::queueFull);
}

TEST(notAllWhoAreJoiningAskTheSame) {
  unsigned asked[4] = {};
  check::Random random(1);
  for (unsigned i = 0; i < 400; i++) {
    ProxySearch search;
    for (uint32_t mac = 0; mac < 4; mac++) search.heard(Mac(mac).bytes, offer(300), -60, static_cast<uint32_t>(random.next()), 1 * s);
    asked[search.best(2 * s)->mac[5]]++;
  }
  for (const unsigned each : asked) CHECK(each > 50);
}

TEST(theSearchTakesTheNearestAndTheOthersWhenItFails) {
  ProxySearch search;
  CHECK(search.best(1 * s) == nullptr);
  search.heard(Mac(1).bytes, offer(400), -60, 0, 1 * s);
  search.heard(Mac(2).bytes, offer(300), -60, 0, 1 * s);
  search.heard(Mac(3).bytes, offer(300), -90, 0, 1 * s);  // 20 dB below what is strong: 320 more
  CHECK(isBest(search, 2, 2 * s));
  search.failed(Mac(2).bytes);
  CHECK(isBest(search, 1, 2 * s));
  search.failed(Mac(1).bytes);
  CHECK(isBest(search, 3, 2 * s));
  search.failed(Mac(3).bytes);
  CHECK(isBest(search, 2, 2 * s));
  CHECK(search.best(1 * s + ProxySearch::lifeUs) == nullptr);
}

TEST(theFirstM1WaitsALittleAndSaysWhen) {
  ProxySearch search;
  search.heard(Mac(1).bytes, offer(400), -60, 0xffffffff, 1 * s);
  CHECK(search.best(1 * s) == nullptr);
  CHECK(search.nextUs(1 * s) > 1 * s && search.nextUs(1 * s) <= 1 * s + ProxySearch::spreadUs);
  CHECK(isBest(search, 1, search.nextUs(1 * s)));
}

TEST(whoOffersNothingIsNotAsked) {
  ProxySearch search;
  Beacon beacon = offer(400);
  beacon.grounded = false;
  search.heard(Mac(1).bytes, beacon, -60, 0, 1 * s);
  beacon = offer(400);
  beacon.joined = false;
  search.heard(Mac(2).bytes, beacon, -60, 0, 1 * s);
  beacon = offer(costNone);
  search.heard(Mac(3).bytes, beacon, -60, 0, 1 * s);
  beacon = offer(400);
  beacon.energyClass = EnergyClass::battery;
  search.heard(Mac(4).bytes, beacon, -60, 0, 1 * s);
  beacon = offer(400);
  beacon.hops = hopsMax;
  search.heard(Mac(5).bytes, beacon, -60, 0, 1 * s);
  CHECK(search.best(5 * s) == nullptr);
  search.heard(Mac(6).bytes, offer(400), -60, 0, 1 * s);
  CHECK(isBest(search, 6, 5 * s));
  search.heard(Mac(6).bytes, beacon, -60, 0, 2 * s);
  CHECK(search.best(5 * s) == nullptr);
}

TEST(whoKnowsNoProxyAsksForBeaconsLessAndLessOften) {
  ProxySearch search;
  uint64_t lastUs = 0;
  uint64_t waitUs = s;
  CHECK(!search.solicits(UINT32_MAX, 0));
  for (unsigned i = 0; i < 10; i++) {
    const uint64_t nowUs = search.nextUs(lastUs);
    CHECK(nowUs >= lastUs + waitUs && nowUs < lastUs + waitUs + waitUs / 2);
    CHECK(!search.solicits(UINT32_MAX, nowUs - 1));
    CHECK(search.solicits(UINT32_MAX, nowUs));
    lastUs = nowUs;
    waitUs = waitUs * 2 < 60 * s ? waitUs * 2 : 60 * s;
  }
  search.rest();
  CHECK_EQUAL(search.nextUs(lastUs), never);
  CHECK(!search.solicits(0, lastUs));
  CHECK_EQUAL(search.nextUs(lastUs), lastUs + s);
}

TEST(whoKnowsAProxyAsksForNoOtherBeforeThatOneFailed) {
  ProxySearch search;
  CHECK(!search.solicits(0, 0));
  search.heard(Mac(1).bytes, offer(100), -60, 0, s / 2);
  CHECK(!search.solicits(0, 10 * s));
  search.failed(Mac(1).bytes);
  CHECK(search.solicits(0, 10 * s));
  search.heard(Mac(2).bytes, offer(900), -60, 0, 11 * s);
  CHECK(!search.solicits(0, 60 * s));
  CHECK(isBest(search, 2, 60 * s));
  // Nobody has been heard for a minute.
  CHECK(search.solicits(0, 71 * s));
}
