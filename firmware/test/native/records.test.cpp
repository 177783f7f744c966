#include <cstring>

#include "check.hpp"
#include "device.hpp"
#include "wattmesh/bytes.hpp"
#include "wattmesh/records.hpp"

using namespace wattmesh;

namespace {

// Values that only grow, as counters do; the highest committed and the highest tried, per key.
class Counters {
 public:
  // False: power failed.
  bool raise(Records& records, RecordKey key) {
    const size_t index = static_cast<size_t>(key);
    tried_[index]++;
    uint8_t bytes[recordBytesMax] = {};
    Writer(bytes, sizeof bytes).u32(tried_[index]);
    const Error error = records.write(key, bytes, lengthOf(key));
    if (error == Error::none) committed_[index] = tried_[index];
    return error == Error::none;
  }

  // Each value is the last that was committed, or the one that power failed in.
  void check(const Records& records) {
    for (uint8_t key = 1; key <= recordKeyMax; key++) {
      uint8_t bytes[recordBytesMax] = {};
      const bool isThere = records.read(static_cast<RecordKey>(key), bytes, lengthOf(static_cast<RecordKey>(key)));
      const uint32_t value = isThere ? Reader(bytes, sizeof bytes).u32() : 0;
      CHECK(value == committed_[key] || value == tried_[key]);
      committed_[key] = value;
      tried_[key] = value;
    }
  }

 private:
  static size_t lengthOf(RecordKey key) { return key == RecordKey::identity ? recordBytesMax : 4 + static_cast<size_t>(key); }

  uint32_t committed_[recordKeyMax + 1] = {};
  uint32_t tried_[recordKeyMax + 1] = {};
};

RecordKey someKey(check::Random& random) { return static_cast<RecordKey>(1 + random.below(recordKeyMax)); }

// Raises counters until power fails or `count` were raised.
void raiseMany(Records& records, Counters& counters, check::Random& random, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    if (!counters.raise(records, someKey(random))) return;
  }
}

constexpr uint32_t address = static_cast<uint32_t>(sectorBytes);  // not the start: addresses must be honoured
constexpr uint32_t sectors = 1 + recordSectors;

}  // namespace

TEST(recordsKeepWhatWasWritten) {
  Device device(sectors);
  const Port port = device.port();
  Records records;
  CHECK_EQUAL(records.open(port, address), Error::none);
  uint8_t out[recordBytesMax] = {};
  CHECK(!records.read(RecordKey::handshake, out, 4));
  const uint8_t value[4] = {1, 2, 3, 4};
  CHECK_EQUAL(records.write(RecordKey::handshake, value, 4), Error::none);
  Records again;
  CHECK_EQUAL(again.open(port, address), Error::none);
  CHECK(again.read(RecordKey::handshake, out, 4));
  CHECK(memcmp(out, value, 4) == 0);
  CHECK(!again.read(RecordKey::handshake, out, 5));
  CHECK(!again.read(RecordKey::bootCount, out, 2));
  CHECK_EQUAL(again.write(RecordKey::handshake, value, 0), Error::badField);
  CHECK_EQUAL(again.write(RecordKey::handshake, value, recordBytesMax + 1), Error::badField);
}

TEST(recordsDoNotWriteWhatIsThereAlready) {
  Device device(sectors);
  const Port port = device.port();
  Records records;
  CHECK_EQUAL(records.open(port, address), Error::none);
  const uint8_t value[4] = {1, 2, 3, 4};
  CHECK_EQUAL(records.write(RecordKey::linkCounter, value, 4), Error::none);
  const uint64_t before = device.operations();
  CHECK_EQUAL(records.write(RecordKey::linkCounter, value, 4), Error::none);
  CHECK_EQUAL(device.operations(), before);
}

TEST(recordsKeepTheOldValueWhenTheNewOneIsDamaged) {
  Device device(sectors);
  const Port port = device.port();
  Records records;
  CHECK_EQUAL(records.open(port, address), Error::none);
  const uint8_t older[4] = {1};
  const uint8_t newer[4] = {2};
  CHECK_EQUAL(records.write(RecordKey::handshake, older, 4), Error::none);
  CHECK_EQUAL(records.write(RecordKey::handshake, newer, 4), Error::none);
  device.damage(address + 16 + 40 + 4, 0x40);
  CHECK_EQUAL(records.open(port, address), Error::none);
  uint8_t out[4] = {};
  CHECK(records.read(RecordKey::handshake, out, 4));
  CHECK_EQUAL(out[0], 1);
}

// What a sector that counts has lost is found in the other one: of counters the highest, and what is not there any more.
TEST(recordsOutliveTheDamageOfASector) {
  for (unsigned part = 0; part < 3; part++) {
    check::context("part", part);
    Device device(sectors);
    const Port port = device.port();
    Records records;
    CHECK_EQUAL(records.open(port, address), Error::none);
    const uint8_t secret[recordBytesMax] = {9, 8, 7};
    CHECK_EQUAL(records.write(RecordKey::identity, secret, sizeof secret), Error::none);
    uint8_t number[4] = {};
    for (uint32_t i = 1; i <= 150; i++) {
      Writer(number, sizeof number).u32(i);
      CHECK_EQUAL(records.write(RecordKey::handshake, number, sizeof number), Error::none);
    }
    // The second sector counts now: its header, its copy of the key, or its newest number.
    const uint32_t second = address + static_cast<uint32_t>(sectorBytes);
    // 101 numbers beside the key fill the first sector; the second begins with copies of the key and of number 102.
    const uint32_t newest = 16 + 40 * (150 - 102 + 1);
    device.damage(second + (part == 0 ? 0 : part == 1 ? 16 + 4 : newest + 4), 0x01);
    for (int boot = 0; boot < 3; boot++) {
      CHECK_EQUAL(records.open(port, address), Error::none);
      uint8_t out[recordBytesMax] = {};
      CHECK(records.read(RecordKey::identity, out, sizeof out));
      CHECK(memcmp(out, secret, sizeof secret) == 0);
      CHECK(records.read(RecordKey::handshake, out, sizeof number));
      CHECK_EQUAL(Reader(out, sizeof out).u32(), part == 2 ? 149 : 150);
    }
    Writer(number, sizeof number).u32(151);
    CHECK_EQUAL(records.write(RecordKey::handshake, number, sizeof number), Error::none);
    CHECK(!device.broke());
  }
}

TEST(recordsOutliveTheirOnlyHeader) {
  Device device(sectors);
  const Port port = device.port();
  Records records;
  CHECK_EQUAL(records.open(port, address), Error::none);
  const uint8_t secret[recordBytesMax] = {9, 8, 7};
  CHECK_EQUAL(records.write(RecordKey::identity, secret, sizeof secret), Error::none);
  device.damage(address, 0xff);
  for (int boot = 0; boot < 3; boot++) {
    CHECK_EQUAL(records.open(port, address), Error::none);
    uint8_t out[recordBytesMax] = {};
    CHECK(records.read(RecordKey::identity, out, sizeof out));
    CHECK(memcmp(out, secret, sizeof secret) == 0);
  }
  CHECK(!device.broke());
}

TEST(bootCountsComeRound) {
  Device device(sectors);
  const Port port = device.port();
  Records records;
  CHECK_EQUAL(records.open(port, address), Error::none);
  for (const uint16_t count : {uint16_t{65534}, uint16_t{65535}, uint16_t{2}, uint16_t{3}}) {
    uint8_t bytes[2] = {};
    Writer(bytes, sizeof bytes).u16(count);
    CHECK_EQUAL(records.write(RecordKey::bootCount, bytes, sizeof bytes), Error::none);
    CHECK_EQUAL(records.open(port, address), Error::none);
    CHECK(records.read(RecordKey::bootCount, bytes, sizeof bytes));
    CHECK_EQUAL(Reader(bytes, sizeof bytes).u16(), count);
  }
}

// Power fails in every single operation of a journal that is compacted several times.
TEST(recordsSurviveAPowerCutInEveryOperation) {
  constexpr unsigned count = 330;
  for (unsigned cut = 0; cut < cuts; cut++) {
    for (uint64_t operation = 0;; operation += check::stride) {
      check::context("cut kind * 1000000 + operation", cut * 1000000 + operation);
      check::Random random(cut);
      Device device(sectors, operation);
      const Port port = device.port();
      Counters counters;
      Records records;
      device.cutPower(operation, static_cast<Cut>(cut));
      if (records.open(port, address) == Error::none) raiseMany(records, counters, random, count);
      if (!device.isDead()) {
        CHECK(operation > count);
        break;
      }
      device.restore();
      CHECK_EQUAL(records.open(port, address), Error::none);
      counters.check(records);
      raiseMany(records, counters, random, 150);
      CHECK(!device.isDead());
      counters.check(records);
      CHECK_EQUAL(records.open(port, address), Error::none);
      counters.check(records);
      CHECK(!device.broke());
    }
  }
}

TEST(recordsSurviveManyPowerCuts) {
  for (uint64_t seed = 1; seed <= 100; seed += check::stride) {
    check::context("seed", seed);
    check::Random random(seed);
    Device device(sectors, seed);
    const Port port = device.port();
    Counters counters;
    Records records;
    for (int life = 0; life < 80; life++) {
      device.cutPower(random.below(random.coin() ? 5 : 160), static_cast<Cut>(random.below(cuts)));
      if (records.open(port, address) == Error::none) raiseMany(records, counters, random, 200);
      device.restore();
      CHECK_EQUAL(records.open(port, address), Error::none);
      counters.check(records);
    }
    CHECK(!device.broke());
  }
}
