#include <cstring>

#include "check.hpp"
#include "device.hpp"
#include "wattmesh/key_ring.hpp"
#include "wattmesh/link.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;
constexpr uint32_t utcS = 1768471200;

struct Knet {
  explicit Knet(uint8_t seed) {
    for (size_t i = 0; i < networkKeyBytes; i++) bytes[i] = static_cast<uint8_t>(seed + i);
  }
  uint8_t bytes[networkKeyBytes];
};

NetworkKeySection netkey(uint8_t id, uint32_t seconds) {
  NetworkKeySection section{};
  section.keyId = id;
  memcpy(section.knet, Knet(id).bytes, networkKeyBytes);
  section.secondsUntilUse = seconds;
  return section;
}

struct Bench {
  explicit Bench(uint8_t suite = suiteEcc, uint64_t seed = 1) : device(recordSectors, seed), port(device.port()) {
    config.suite = suite;
    config.networkNumber = 0x12345678;
    boot();
  }
  bool boot() {
    records = Records();
    keys = KeyRing();
    link = Link();
    if (records.open(port, 0) != Error::none) return false;
    keys.begin(port, config, records);
    link.begin(port, config, records, keys);
    return true;
  }
  bool holds(uint8_t id) const { return keys.linkKey(id) != nullptr; }
  // The key under this id is the one that netkey() makes.
  bool isRight(uint8_t id) const {
    uint8_t key[networkKeyBytes];
    linkKey(port, Knet(id).bytes, config.networkNumber, id, key);
    return holds(id) && memcmp(keys.linkKey(id), key, sizeof key) == 0;
  }
  Error adopt(uint8_t id, uint64_t nowUs) { return keys.adopt(id, Knet(id).bytes, nowUs); }

  Device device;
  Port port;
  Config config = {};
  Records records;
  KeyRing keys;
  Link link;
  NetworkClock clock;
};

Error open(Bench& bench, uint8_t* frame, size_t length, const uint8_t to[macBytes]) {
  ReceivedFrame received{};
  return bench.link.open(bench.config.mac, to, frame, length, received);
}

}  // namespace

TEST(aKeyFromM2IsInUseAtOnceAndAfterAReboot) {
  Bench bench;
  CHECK(!bench.keys.hasKey() && !bench.holds(3) && bench.holds(joinKeyId));
  CHECK_EQUAL(bench.adopt(3, 1 * s), Error::none);
  CHECK(bench.keys.keyId() == 3 && bench.isRight(3));
  CHECK(bench.boot());
  CHECK(bench.keys.keyId() == 3 && bench.isRight(3));
  const uint64_t before = bench.device.operations();
  CHECK_EQUAL(bench.adopt(3, 1 * s), Error::none);
  CHECK_EQUAL(bench.device.operations(), before);
}

TEST(underSuiteNoneOnlyTheConfiguredKeyCounts) {
  Bench bench(suiteNone);
  bench.config.keyId = 1;
  CHECK(bench.boot());
  CHECK_EQUAL(bench.adopt(3, 1 * s), Error::none);
  CHECK_EQUAL(bench.keys.announce(netkey(2, 0), 1 * s, bench.clock), Error::suiteRefused);
  CHECK(bench.keys.keyId() == 1 && !bench.holds(2) && !bench.holds(3));
}

TEST(anAnnouncedKeyIsTakenAtOnceAndUsedInItsTime) {
  Bench bench;
  CHECK_EQUAL(bench.adopt(3, 1 * s), Error::none);
  CHECK_EQUAL(bench.keys.announce(netkey(4, 100), 10 * s, bench.clock), Error::none);
  CHECK(bench.keys.keyId() == 3 && bench.isRight(3) && bench.isRight(4));
  CHECK(!bench.keys.tick(110 * s - 1, bench.clock));
  CHECK(bench.keys.tick(110 * s, bench.clock));
  CHECK(bench.keys.keyId() == 4 && bench.isRight(3) && bench.isRight(4));
  CHECK_EQUAL(bench.keys.nextUs(), 110 * s + KeyRing::graceUs);
  CHECK(!bench.keys.tick(110 * s + KeyRing::graceUs, bench.clock));
  CHECK(!bench.holds(3) && bench.isRight(4));
  CHECK_EQUAL(bench.keys.nextUs(), never);
  CHECK(bench.boot());
  CHECK(bench.keys.keyId() == 4 && !bench.holds(3));
}

TEST(keysThatCannotBeToldApartOrLieTooFarAheadAreRefused) {
  Bench bench;
  CHECK_EQUAL(bench.adopt(3, 1 * s), Error::none);
  NetworkKeySection other = netkey(3, 100);
  CHECK_EQUAL(bench.keys.announce(other, 1 * s, bench.clock), Error::none);  // the present one, said again
  other.knet[0] ^= 1;
  CHECK_EQUAL(bench.keys.announce(other, 1 * s, bench.clock), Error::badField);
  CHECK_EQUAL(bench.keys.announce(netkey(4, KeyRing::announcedMaxS + 1), 1 * s, bench.clock), Error::badField);
  CHECK(bench.isRight(3) && !bench.holds(4));
  for (uint8_t id = 4; id <= keyIdMax; id++) CHECK(!bench.holds(id));
}

TEST(aRebootBeforeTheSwitchForgetsNothing) {
  Bench bench;
  CHECK_EQUAL(bench.adopt(3, 1 * s), Error::none);
  bench.clock.set(utcS * s, 1 * s);
  CHECK_EQUAL(bench.keys.announce(netkey(4, 100), 1 * s, bench.clock), Error::none);
  CHECK(bench.boot());
  bench.clock = NetworkClock();
  CHECK(!bench.keys.tick(1 * s, bench.clock));  // what time it is, nobody knows yet
  CHECK(bench.keys.keyId() == 3 && bench.isRight(4));
  bench.clock.set((utcS + 60) * s, 5 * s);
  CHECK(!bench.keys.tick(5 * s, bench.clock));
  CHECK(!bench.keys.tick(44 * s, bench.clock));
  CHECK(bench.keys.tick(45 * s, bench.clock));
  CHECK_EQUAL(bench.keys.keyId(), 4);
}

TEST(aClockThatJumpsMovesNoSwitch) {
  Bench bench;
  CHECK_EQUAL(bench.adopt(3, 1 * s), Error::none);
  bench.clock.set(utcS * s, 1 * s);
  CHECK_EQUAL(bench.keys.announce(netkey(4, 1000), 1 * s, bench.clock), Error::none);
  bench.clock.set((uint64_t{utcS} + 10u * 365 * 24 * 3600) * s, 2 * s);
  CHECK(!bench.keys.tick(2 * s, bench.clock));
  bench.clock.set((uint64_t{utcS} - 10u * 365 * 24 * 3600) * s, 3 * s);
  CHECK(bench.keys.tick(1001 * s, bench.clock));
}

TEST(M2OverridesWhatWasAnnounced) {
  Bench bench;
  CHECK_EQUAL(bench.adopt(3, 1 * s), Error::none);
  CHECK_EQUAL(bench.keys.announce(netkey(4, 100), 1 * s, bench.clock), Error::none);
  CHECK_EQUAL(bench.adopt(3, 2 * s), Error::none);
  CHECK(bench.holds(4));  // the head-end has not switched yet either
  CHECK_EQUAL(bench.adopt(6, 3 * s), Error::none);  // slept through two rotations
  CHECK(bench.keys.keyId() == 6 && bench.isRight(3) && !bench.holds(4));
  CHECK_EQUAL(bench.keys.announce(netkey(7, 100), 4 * s, bench.clock), Error::none);
  CHECK_EQUAL(bench.adopt(7, 5 * s), Error::none);
  CHECK(bench.keys.keyId() == 7 && bench.isRight(6) && !bench.holds(3));
  CHECK(bench.boot());
  CHECK_EQUAL(bench.keys.keyId(), 7);
}

// Power fails in every operation of a rotation: afterwards the node holds the old key, the new one, or both, and is never left with none.
TEST(aRotationSurvivesAPowerCutInEveryOperation) {
  for (unsigned cut = 0; cut < cuts; cut++) {
    for (uint64_t operation = 0;; operation++) {
      check::context("cut kind * 1000 + operation", cut * 1000 + operation);
      Bench bench(suiteEcc, operation + 1);
      CHECK_EQUAL(bench.adopt(3, 1 * s), Error::none);
      bench.clock.set(utcS * s, 1 * s);
      bench.device.cutPower(operation, static_cast<Cut>(cut));
      const Error announced = bench.keys.announce(netkey(4, 100), 1 * s, bench.clock);
      if (announced == Error::none) bench.keys.tick(101 * s, bench.clock);
      const bool survived = !bench.device.isDead();
      bench.device.restore();
      CHECK(bench.boot());
      bench.clock.set((utcS + 200) * s, 1 * s);
      bench.keys.tick(1 * s, bench.clock);
      CHECK(bench.keys.hasKey() && bench.isRight(bench.keys.keyId()));
      if (announced == Error::none) CHECK_EQUAL(bench.keys.keyId(), 4);
      if (survived) {
        CHECK(operation >= 3);
        break;
      }
    }
  }
}

TEST(underTheJoinKeyNothingPassesButJoinFrames) {
  Bench bench;
  CHECK_EQUAL(bench.adopt(3, 1 * s), Error::none);
  const uint8_t to[macBytes] = {1, 2, 3, 4, 5, 6};
  for (uint8_t type = static_cast<uint8_t>(FrameType::beacon); type <= static_cast<uint8_t>(FrameType::flood); type++) {
    for (uint8_t keyId = 0; keyId <= keyIdMax; keyId++) {
      check::context("type * 100 + key id", type * 100u + keyId);
      uint8_t frame[frameBytesMax] = {};
      const size_t length = linkHeaderBytes + 20;
      writeFrameHeader(frame, static_cast<FrameType>(type), keyId, 9);
      uint8_t key[networkKeyBytes] = {};
      if (bench.holds(keyId)) memcpy(key, bench.keys.linkKey(keyId), sizeof key);
      frameMac(bench.port, key, bench.config.mac, to, bench.config.networkNumber, frame, length, frame + length);
      const bool isJoin = static_cast<FrameType>(type) == FrameType::join;
      const Error expected = isJoin != (keyId == joinKeyId) ? Error::badField : isJoin || keyId == 3 ? Error::none : Error::noKey;
      CHECK_EQUAL(open(bench, frame, length + linkMacBytes, to), expected);
    }
  }
}

TEST(linkCountersGoOnAboveEverythingThatMayHaveBeenSent) {
  Bench bench;
  CHECK_EQUAL(bench.adopt(3, 1 * s), Error::none);
  uint32_t last = 0;
  for (unsigned life = 0; life < 20; life++) {
    for (unsigned i = 0; i < 3000; i++) {
      uint8_t frame[frameBytesMax] = {};
      size_t length = 0;
      CHECK_EQUAL(bench.link.seal(FrameType::data, bench.config.mac, frame, 4, length), Error::none);
      CHECK(bench.link.counter() > last);
      last = bench.link.counter();
    }
    CHECK(bench.boot());
  }
}

TEST(aLostRecordOfTheLinkCounterRepeatsNoNumber) {
  Bench bench;
  CHECK_EQUAL(bench.adopt(3, 1 * s), Error::none);
  uint8_t frame[frameBytesMax] = {};
  size_t length = 0;
  for (unsigned i = 0; i < 5000; i++) CHECK_EQUAL(bench.link.seal(FrameType::data, bench.config.mac, frame, 4, length), Error::none);
  const uint32_t last = bench.link.counter();
  // Slot 0 is the key's, 1 and 2 are the two blocks: the second is damaged.
  bench.device.damage(16 + 2 * 40 + 5, 0x40);
  CHECK(bench.boot());
  CHECK_EQUAL(bench.link.seal(FrameType::data, bench.config.mac, frame, 4, length), Error::none);
  CHECK(bench.link.counter() > last);
}

TEST(aLinkCounterAtItsEndSendsNothingMore) {
  Bench bench;
  CHECK_EQUAL(bench.adopt(3, 1 * s), Error::none);
  uint8_t end[4];
  Writer(end, sizeof end).u32(UINT32_MAX - 4 * 4096);
  CHECK_EQUAL(bench.records.write(RecordKey::linkCounter, end, sizeof end), Error::none);
  CHECK(bench.boot());
  uint8_t frame[frameBytesMax] = {};
  size_t length = 0;
  uint32_t sent = 0;
  uint32_t last = 0;
  while (bench.link.seal(FrameType::data, bench.config.mac, frame, 4, length) == Error::none && sent < 20000) {
    CHECK(bench.link.counter() > last);
    last = bench.link.counter();
    sent++;
  }
  CHECK(sent > 0 && sent < 20000);
  for (unsigned life = 0; life < 3; life++) {
    CHECK_EQUAL(bench.link.seal(FrameType::data, bench.config.mac, frame, 4, length), Error::counterSpent);
    CHECK(bench.boot());
  }
}
