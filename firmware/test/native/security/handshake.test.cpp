// Handshakes of all suites: which bytes go out when, which answers are taken, what is left behind.
#include <set>

#include "fixture.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;

// Public keys of small order (RFC 7748, section 6.1; the list is that of "May the Fourth Be With You", 2015): X25519 gives zeros.
const Bytes smallOrder[] = {
    Bytes(32, 0),
    {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

}  // namespace

TEST(everySuiteJoinsAndTalksBothWays) {
  for (const uint8_t suite : suites) {
    check::context("suite", suite);
    Fixture node(suite);
    node.join(1 * s);
    CHECK_EQUAL(node.session.shortId(), 0x1234);
    CHECK_EQUAL(node.session.id(), 7);
    CHECK_EQUAL(node.headEnd.m1().role == Role::hub, true);
    const Bytes plain = {sectionProbe, 0};
    const Bytes packet = node.seal(plain);
    CHECK_EQUAL(packet.size(), plain.size() + node.session.overhead());
    Bytes opened;
    CHECK(node.headEnd.open(packet, opened));
    CHECK(opened == plain);
    const Bytes command = {sectionCommand, 3, 1, 0, 1};
    CHECK(node.receive(node.headEnd.down(1, 0, command)) == Error::none);
    CHECK(node.received == command);
  }
}

TEST(theNetworkKeyComesWithM2ButNeverOneThatNothingProtects) {
  for (const uint8_t suite : suites) {
    check::context("suite", suite);
    Fixture node(suite);
    node.join(1 * s);
    CHECK_EQUAL(node.taken.keyId, suite == suiteNone ? 0 : 3);
    if (suite != suiteNone) CHECK(node.taken.knet[0] == 0xa0 && node.taken.knet[15] == 0xaf);
  }
}

TEST(everyTryOfANumberSendsTheSameBytesAndTheNextNumberOthers) {
  for (const uint8_t suite : suites) {
    check::context("suite", suite);
    Fixture node(suite);
    const std::vector<Bytes> first = node.tick(1 * s);
    CHECK_EQUAL(first.size(), suite == suiteRsa ? 2 : 1);
    CHECK(node.tick(2 * s).empty());
    CHECK(node.tick(6 * s) == first);
    CHECK(node.tick(16 * s) == first);
    CHECK(node.tick(36 * s).empty());  // the round is over: back-off of 10 to 20 s
    CHECK(node.tick(46 * s - 1).empty());
    const std::vector<Bytes> second = node.tick(56 * s);
    CHECK(node.headEnd.readM1(second));
    CHECK_EQUAL(node.headEnd.m1().handshake, 2);
    CHECK(second != first);
    // The answer to the former number is ignored, that to the last is taken.
    CHECK(node.headEnd.readM1(first));
    CHECK(node.answer(node.headEnd.m2(someM2())) == Error::notJoined);
    CHECK(node.headEnd.readM1(second));
    CHECK(node.answer(node.headEnd.m2(someM2())) == Error::none);
  }
}

TEST(anAnswerCountsOnceAndOnlyWhileAHandshakeIsUnderWay) {
  for (const uint8_t suite : suites) {
    check::context("suite", suite);
    Fixture node(suite);
    const std::vector<Bytes> m1 = node.tick(1 * s);
    CHECK(node.headEnd.readM1(m1));
    const Bytes m2 = node.headEnd.m2(someM2());
    CHECK(node.answer(m2) == Error::none);
    CHECK(node.answer(m2) == Error::notJoined);
    // Silence: the node starts over, and the old answer is none.
    node.tick(2 * s, true);
    CHECK(node.session.tick(1000 * s, true, true));
    CHECK(node.answer(m2) == Error::notJoined);
    node.boot();
    CHECK(node.answer(m2) == Error::notJoined);
    const std::vector<Bytes> next = node.tick(1001 * s);
    CHECK(node.headEnd.readM1(next));
    CHECK(node.headEnd.m1().handshake > 1);
    CHECK(node.answer(m2) == Error::notJoined);
  }
}

TEST(noAlteredAnswerIsTakenAndTheTrueOneStillCounts) {
  for (const uint8_t suite : suites) {
    Fixture node(suite);
    const std::vector<Bytes> m1 = node.tick(1 * s);
    CHECK(node.headEnd.readM1(m1));
    const Bytes m2 = node.headEnd.m2(someM2());
    for (size_t bit = 0; bit < m2.size() * 8; bit++) {
      check::context("bit", bit);
      Bytes altered = m2;
      altered[bit / 8] = static_cast<uint8_t>(altered[bit / 8] ^ 1u << bit % 8);
      // Node id and type are compared by the caller (Node::onPacket), before the packet comes here.
      const bool byCaller = suite == suiteNone && (bit / 8 == 0 || (bit / 8 >= 2 && bit / 8 < 8));
      CHECK(byCaller || node.answer(altered) != Error::none);
      CHECK(!node.session.joined());
    }
    for (size_t length = 0; length < m2.size(); length++) {
      check::context("length", length);
      CHECK(node.answer(Bytes(m2.begin(), m2.begin() + static_cast<long>(length))) != Error::none);
    }
    Bytes longer = m2;
    longer.push_back(0);
    CHECK(node.answer(longer) != Error::none);
    CHECK(node.answer(m2) == Error::none);
  }
}

TEST(anAnswerOfAnotherSuiteIsRefused) {
  for (const uint8_t suite : suites) {
    for (const uint8_t other : suites) {
      if (suite == other) continue;
      Fixture node(suite);
      const std::vector<Bytes> m1 = node.tick(1 * s);
      CHECK(node.headEnd.readM1(m1));
      Bytes m2 = node.headEnd.m2(someM2());
      m2[1] = other;
      CHECK(node.answer(m2) == Error::suiteRefused);
      CHECK(node.answer(node.headEnd.m2(someM2())) == Error::none);
      Bytes down = node.headEnd.down(1, 0, {});
      down[1] = other;
      CHECK(node.receive(down) == Error::suiteRefused);
    }
  }
}

TEST(keysOfSmallOrderEndTheHandshake) {
  for (const Bytes& point : smallOrder) {
    Fixture node(suiteEcc);
    const std::vector<Bytes> m1 = node.tick(1 * s);
    CHECK(node.headEnd.readM1(m1));
    Bytes m2 = node.headEnd.m2(someM2());
    std::copy(point.begin(), point.end(), m2.begin() + downHeaderBytes);
    CHECK(node.answer(m2) == Error::badTag);

    Fixture misled(suiteEcc);
    std::copy(point.begin(), point.end(), misled.config.headEndKey);
    CHECK(misled.session.tick(1 * s, true, false));
    CHECK(misled.session.makeM1(noLog, 0) == Error::noKey);
    uint8_t out[packetBytesMax];
    CHECK_EQUAL(misled.session.m1(0, out), 0);
  }
}

TEST(suiteRsaNeedsAChipThatHasItAndAKey) {
  Fixture node(suiteRsa);
  uint8_t out[packetBytesMax];
  CHECK(node.session.tick(1 * s, true, false));
  node.port.rsaOaepEncrypt = nullptr;
  CHECK(node.session.makeM1(noLog, 0) == Error::suiteRefused);
  node.port.rsaOaepEncrypt = fakeOaep;
  node.config.rsaModulus = nullptr;
  CHECK(node.session.makeM1(noLog, 0) == Error::noKey);
  CHECK_EQUAL(node.session.m1(0, out), 0);
}

// What an M1 is bound to: the suite and the network that its reader believes in.
TEST(anM1OfAnotherNetworkOrWithAnAlteredHeaderDoesNotVerify) {
  for (const uint8_t suite : {suiteEcc, suiteRsa}) {
    Fixture node(suite);
    const std::vector<Bytes> m1 = node.tick(1 * s);
    node.config.networkNumber ^= 1;
    CHECK(!node.headEnd.readM1(m1));
    node.config.networkNumber ^= 1;
    for (size_t bit = 0; bit < m1[0].size() * 8; bit++) {
      check::context("bit", bit);
      std::vector<Bytes> altered = m1;
      altered[0][bit / 8] = static_cast<uint8_t>(altered[0][bit / 8] ^ 1u << bit % 8);
      CHECK(!node.headEnd.readM1(altered));
    }
    CHECK(node.headEnd.readM1(m1));
  }
}

TEST(handshakeNumbersRiseThroughEveryPowerCut) {
  for (unsigned cut = 0; cut < cuts; cut++) {
    for (uint64_t operation = 0; operation < 12; operation++) {
      check::context("operation", operation);
      Fixture node(suiteNone);
      std::set<uint32_t> numbers;
      uint32_t last = 0;
      for (int boot = 0; boot < 6; boot++) {
        if (boot == 2) node.chip.cutPower(operation, static_cast<Cut>(cut));
        const bool up = boot == 0 || (node.records.open(node.port, 0) == Error::none &&
                                      (node.session = Session(), node.session.begin(node.port, node.config, node.records)) == Error::none);
        if (up) {
          const std::vector<Bytes> m1 = node.tick(1 * s);
          if (!m1.empty()) {
            CHECK(node.headEnd.readM1(m1));
            CHECK(node.headEnd.m1().handshake > last);
            last = node.headEnd.m1().handshake;
          }
        }
        node.chip.restore();
      }
      CHECK(last >= 4);
    }
  }
}

// What the source of randomness gives when it is stuck: the same each time, or one byte over and over.
using RandomFunction = void (*)(void*, uint8_t*, size_t);
const RandomFunction stuckRandom[] = {
    [](void*, uint8_t* out, size_t length) { memset(out, 0, length); },
    [](void*, uint8_t* out, size_t length) { memset(out, 0xa5, length); },
    [](void*, uint8_t* out, size_t length) {
      for (size_t i = 0; i < length; i++) out[i] = static_cast<uint8_t>(i * 37);
    },
    [](void*, uint8_t* out, size_t length) {
      for (size_t i = 0; i < length; i++) out[i] = i % 2 == 0 ? 0x12 : 0x34;
    },
};

TEST(noKeyIsMadeOfStuckRandomness) {
  for (const RandomFunction random : stuckRandom) {
    Device chip(recordSectors);
    Port port = chip.port();
    useBackend(port);
    port.random = random;
    Fixture model(suiteEcc);
    Records records;
    CHECK(records.open(port, 0) == Error::none);
    Session session;
    CHECK(session.begin(port, model.config, records) == Error::randomStuck);
    uint8_t secret[keyBytes] = {};
    CHECK(!records.read(RecordKey::identity, secret, sizeof secret));
    port.random = chip.port().random;
    CHECK(session.begin(port, model.config, records) == Error::none);
    CHECK(!session.randomStuck());
  }
}

TEST(handshakesDifferWhereTheSourceOfRandomnessIsStuck) {
  for (const uint8_t suite : {suiteEcc, suiteRsa}) {
    for (const RandomFunction random : stuckRandom) {
      Fixture node(suite);
      node.port.random = random;
      std::set<Bytes> fresh;
      uint64_t atUs = 1 * s;
      for (int boot = 0; boot < 4; boot++) {
        node.boot();
        CHECK(node.session.randomStuck());
        for (int round = 0; round < 3; round++, atUs += 7200 * s) {
          const std::vector<Bytes> m1 = node.tick(atUs);
          CHECK(node.headEnd.readM1(m1));
          const Bytes& packet = m1[0];
          // The ephemeral key; under RSA what is sealed under the key that comes of it, in the second part.
          const Bytes& part = suite == suiteRsa ? m1[1] : packet;
          fresh.insert(suite == suiteRsa ? Bytes(part.end() - 44, part.end()) : Bytes(part.begin() + 13, part.begin() + 45));
          for (int i = 0; i < 3; i++) node.tick(atUs + static_cast<uint64_t>(i + 1) * 60 * s);
        }
      }
      CHECK_EQUAL(fresh.size(), 12);
    }
  }
}

// Unanswered rounds make the number rise faster: a head-end that knows higher ones, because NV was set back, is caught up with.
TEST(handshakeNumbersLeapWhileNobodyAnswersAndStopAtTheirEnd) {
  Fixture node(suiteNone);
  uint32_t last = 0;
  uint32_t round = 0;
  for (uint64_t atUs = 1 * s; round < 20; atUs += 10 * s) {
    const std::vector<Bytes> m1 = node.tick(atUs);
    if (m1.empty()) continue;
    CHECK(node.headEnd.readM1(m1));
    const uint32_t number = node.headEnd.m1().handshake;
    if (number == last) continue;
    const uint32_t leap = round < 2 ? 1 : round < 13 ? 1u << (round - 1) : 1u << 12;
    CHECK_EQUAL(number - last, leap);
    last = number;
    round++;
  }
  uint8_t bytes[4];
  Writer(bytes, sizeof bytes).u32(UINT32_MAX - 1);
  CHECK(node.records.write(RecordKey::handshake, bytes, sizeof bytes) == Error::none);
  node.boot();
  CHECK(node.headEnd.readM1(node.tick(1 * s)));
  CHECK_EQUAL(node.headEnd.m1().handshake, UINT32_MAX);
  node.boot();
  CHECK(node.tick(1 * s).empty());
  CHECK(node.session.takeFailure() == Error::counterSpent);
  CHECK(node.session.takeFailure() == Error::none);
}
