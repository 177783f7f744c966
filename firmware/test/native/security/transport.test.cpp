// Sessions after the handshake: counters, the window of downlinks, the end of a session.
#include <cstring>

#include "fixture.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;
constexpr uint64_t day = 24 * 3600 * s;
const Bytes nothing = {};

// A transport with made-up keys that begins at `counter`.
Transport transportAt(const Port& port, uint32_t counter) {
  SessionKeys keys{};
  const uint8_t nodeId[nodeIdBytes] = {};
  Transport transport;
  transport.begin(port, suiteEcc, nodeId, 1, keys, 0, counter);
  return transport;
}

// True when a session's memory holds these 32 bytes anywhere.
bool holds(const Session& session, const uint8_t key[keyBytes]) {
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(&session);
  for (size_t at = 0; at + keyBytes <= sizeof session; at++) {
    if (memcmp(bytes + at, key, keyBytes) == 0) return true;
  }
  return false;
}

}  // namespace

TEST(countersRiseByOneAndASealThatDoesNotFitTakesNone) {
  for (const uint8_t suite : suites) {
    Fixture node(suite);
    CHECK(node.seal({1, 0}).empty());  // no session yet
    node.join(1 * s);
    const size_t fits = packetBytesMax - node.session.overhead();
    for (uint32_t i = 0; i < 5; i++) {
      CHECK(node.seal(Bytes(fits + 1)).empty());
      CHECK_EQUAL(node.seal(Bytes(fits)).size(), packetBytesMax);
      CHECK_EQUAL(node.counter, i);
    }
  }
}

TEST(aDownlinkIsTakenOnceAndEchoed) {
  for (const uint8_t suite : suites) {
    check::context("suite", suite);
    Fixture node(suite);
    node.join(1 * s);
    Echo echo{};
    CHECK(!node.session.takeEcho(echo));
    CHECK(node.receive(node.headEnd.down(5, 9, nothing)) == Error::none);
    CHECK(node.receive(node.headEnd.down(5, 9, nothing)) == Error::replay);
    CHECK(node.receive(node.headEnd.down(5, 2, nothing)) == Error::none);
    CHECK(node.session.takeEcho(echo));
    CHECK(echo.epoch == 5 && echo.counter == 9);
    CHECK(!node.session.takeEcho(echo));
  }
}

TEST(theWindowHolds64AndCountsOnOverEpochs) {
  Fixture node(suiteEcc);
  node.join(1 * s);
  CHECK(node.receive(node.headEnd.down(5, 100, nothing)) == Error::none);
  CHECK(node.receive(node.headEnd.down(5, 100 - 63, nothing)) == Error::none);
  CHECK(node.receive(node.headEnd.down(5, 100 - 63, nothing)) == Error::replay);
  CHECK(node.receive(node.headEnd.down(5, 100 - 64, nothing)) == Error::replay);
  CHECK(node.receive(node.headEnd.down(5, 163, nothing)) == Error::none);
  CHECK(node.receive(node.headEnd.down(5, 100, nothing)) == Error::replay);  // still in the window, and seen
  CHECK(node.receive(node.headEnd.down(5, 101, nothing)) == Error::none);
  CHECK(node.receive(node.headEnd.down(5, 1000, nothing)) == Error::none);
  CHECK(node.receive(node.headEnd.down(5, 1000 - 63, nothing)) == Error::none);
  CHECK(node.receive(node.headEnd.down(6, 0, nothing)) == Error::none);
  CHECK(node.receive(node.headEnd.down(5, 1001, nothing)) == Error::staleEpoch);
  CHECK(node.receive(node.headEnd.down(6, 0, nothing)) == Error::replay);
  CHECK(node.receive(node.headEnd.down(0xffffffff, 0xffffffff, nothing)) == Error::none);
  CHECK(node.receive(node.headEnd.down(0xffffffff, 0xffffffff, nothing)) == Error::replay);
}

TEST(aLeapOfTheWholeWindowForgetsWhatWasSeen) {
  DownWindow window;
  CHECK(window.accept(1, 99) == Error::none);
  CHECK(window.accept(1, 100) == Error::none);
  CHECK(window.accept(1, 164) == Error::none);
  CHECK(window.accept(1, 163) == Error::none);
  CHECK(window.accept(1, 100) == Error::replay);
}

TEST(theFirstDownlinkMayHaveAnyNumber) {
  DownWindow zero;
  CHECK(zero.accept(0, 0) == Error::none);
  CHECK(zero.accept(0, 0) == Error::replay);
  DownWindow high;
  CHECK(high.accept(0xffffffff, 0xffffffff) == Error::none);
  CHECK(high.accept(0xffffffff, 0xffffffff - 63) == Error::none);
  CHECK(high.accept(0xffffffff, 0xffffffff - 64) == Error::replay);
}

TEST(noAlteredDownlinkIsTakenAndTheWindowStandsStill) {
  for (const uint8_t suite : {suiteEcc, suiteRsa}) {
    Fixture node(suite);
    node.join(1 * s);
    const Bytes packet = node.headEnd.down(5, 9, {sectionCommand, 3, 1, 0, 3});
    for (size_t bit = 0; bit < packet.size() * 8; bit++) {
      check::context("bit", bit);
      Bytes altered = packet;
      altered[bit / 8] = static_cast<uint8_t>(altered[bit / 8] ^ 1u << bit % 8);
      CHECK(node.receive(altered) != Error::none);
    }
    for (size_t length = 0; length < packet.size(); length++) {
      CHECK(node.receive(Bytes(packet.begin(), packet.begin() + static_cast<long>(length))) != Error::none);
    }
    Echo echo{};
    CHECK(!node.session.takeEcho(echo));
    CHECK(node.receive(packet) == Error::none);
  }
}

TEST(aMalformedDownlinkOfTheHeadEndChangesNothing) {
  Fixture node(suiteEcc);
  node.join(1 * s);
  CHECK(node.receive(node.headEnd.down(5, 9, {sectionAck, 1, 0})) == Error::badLength);
  Echo echo{};
  CHECK(!node.session.takeEcho(echo));
  CHECK(node.receive(node.headEnd.down(5, 9, nothing)) == Error::none);
}

TEST(downlinksOfAFormerSessionMeanNothing) {
  for (const uint8_t suite : suites) {
    check::context("suite", suite);
    Fixture node(suite, EnergyClass::battery);
    node.join(1 * s, 7);
    const Bytes old = node.headEnd.down(5, 9, nothing);
    node.tick(2 * s, true);
    node.tick(1000 * s, true);
    CHECK(node.receive(old) == Error::notJoined);
    CHECK(node.seal({1, 0}).empty());
    node.join(1001 * s + 3600 * s, 8);
    CHECK(node.receive(old) == Error::notJoined);
    CHECK(node.receive(node.headEnd.down(1, 0, nothing)) == Error::none);
  }
}

TEST(aRouterKeepsItsSessionUntilTheNextOneStands) {
  for (const uint8_t suite : suites) {
    check::context("suite", suite);
    Fixture node(suite);
    node.join(1 * s, 7);
    const Bytes before = node.headEnd.down(5, 9, nothing);
    const Bytes under = node.headEnd.down(5, 10, nothing);
    node.tick(2 * s, true);
    CHECK(node.headEnd.readM1(node.tick(1000 * s, true)));
    CHECK_EQUAL(node.session.shortId(), someM2().shortId);
    CHECK(!node.seal({1, 0}).empty());
    // A sign of life: no M1 more. The head-end has had one, though, and its answer counts.
    CHECK(node.receive(before) == Error::none);
    CHECK(node.tick(1010 * s, true).empty());
    CHECK(node.answer(node.headEnd.m2(someM2(8))) == Error::none);
    CHECK_EQUAL(node.session.id(), 8);
    CHECK(node.receive(under) == Error::notJoined);
    CHECK(node.receive(node.headEnd.down(1, 0, nothing)) == Error::none);
  }
}

TEST(aRouterThatIsToRenewItsSessionDoesWhateverItHears) {
  Fixture node(suiteEcc);
  node.join(1 * s, 7);
  node.session.rekey(2 * s);
  const std::vector<Bytes> m1 = node.tick(2 * s);
  CHECK(node.receive(node.headEnd.down(5, 9, nothing)) == Error::none);
  CHECK(node.tick(7 * s) == m1);
  CHECK(node.headEnd.readM1(m1));
  CHECK(node.answer(node.headEnd.m2(someM2(8))) == Error::none);
  CHECK(node.tick(17 * s).empty());
}

TEST(aSessionEndsAfter2To24Packets) {
  Fixture node(suiteEcc);
  Transport transport = transportAt(node.port, Transport::packetsMax - 2);
  uint8_t out[packetBytesMax];
  uint32_t counter = 0;
  CHECK(transport.seal(out, 0, out, counter) > 0);
  CHECK_EQUAL(counter, Transport::packetsMax - 2);
  CHECK(!transport.spent(0));
  CHECK(transport.seal(out, 0, out, counter) > 0);
  CHECK_EQUAL(counter, Transport::packetsMax - 1);
  CHECK(transport.spent(0));
  CHECK_EQUAL(transport.seal(out, 0, out, counter), 0);
  CHECK_EQUAL(counter, Transport::packetsMax - 1);
}

TEST(aSessionEndsAfter30DaysByANewHandshake) {
  for (const uint8_t suite : suites) {
    check::context("suite", suite);
    Fixture node(suite);
    node.join(1 * s);
    const uint64_t end = 1 * s + 30 * day;
    CHECK(node.tick(end - 1).empty());
    CHECK(node.session.joined());
    const std::vector<Bytes> m1 = node.tick(end);
    CHECK(!node.session.joined());
    CHECK(node.headEnd.readM1(m1));
    CHECK_EQUAL(node.headEnd.m1().handshake, 2);
    CHECK(node.answer(node.headEnd.m2(someM2(9))) == Error::none);
    CHECK_EQUAL(node.session.id(), 9);
    CHECK(!node.seal({1, 0}).empty());
    CHECK_EQUAL(node.counter, 0);
  }
}

TEST(keysAreGoneWhenTheSessionIs) {
  for (const uint8_t suite : {suiteEcc, suiteRsa}) {
    check::context("suite", suite);
    Fixture node(suite, EnergyClass::battery);
    node.join(1 * s);
    const SessionKeys keys = node.headEnd.keys();
    CHECK(holds(node.session, keys.up));
    CHECK(holds(node.session, keys.down));
    node.tick(2 * s, true);
    node.tick(1000 * s, true);
    CHECK(!node.session.joined());
    CHECK(!holds(node.session, keys.up));
    CHECK(!holds(node.session, keys.down));
  }
}

TEST(silenceCountsTheTimeWithAParentAndNoOther) {
  Fixture node(suiteEcc);
  node.join(1 * s);
  const uint64_t allowed = 4 * pollCycleS * s;
  CHECK(!node.session.tick(1 * s, true, true));
  // The parent is lost for a second in every ten, and once for five minutes.
  uint64_t now = 1 * s;
  for (uint64_t grounded = 0; grounded + 9 * s <= allowed; grounded += 9 * s) {
    now += 9 * s;
    CHECK(!node.session.tick(now, true, true));
    CHECK(!node.session.tick(now, false, true));
    now += grounded == 90 * s ? 300 * s : 1 * s;
    CHECK(!node.session.tick(now, true, true));
    CHECK(node.session.joined());
  }
  CHECK(node.session.tick(now + 9 * s, true, true));
}

TEST(anAnswerWithoutAParentBeginsTheSilenceAnew) {
  Fixture node(suiteEcc);
  node.join(1 * s);
  CHECK(!node.session.tick(2 * s, false, true));
  node.nowUs = 100 * s;
  CHECK(node.receive(node.headEnd.down(5, 0, nothing)) == Error::none);
  CHECK(!node.session.tick(110 * s, true, true));
  CHECK(!node.session.tick(110 * s + 4 * pollCycleS * s, true, true));
  CHECK(node.session.tick(111 * s + 4 * pollCycleS * s, true, true));
}
