#include "wattmesh/spool.hpp"

#include <cstring>
#include <deque>
#include <set>

#include "check.hpp"
#include "device.hpp"

using namespace wattmesh;

namespace {

constexpr uint32_t address = static_cast<uint32_t>(sectorBytes);  // not the start: addresses must be honoured
constexpr uint32_t bytes = static_cast<uint32_t>(spoolSectors * sectorBytes);
constexpr uint32_t lastSlot = bytes / static_cast<uint32_t>(spoolSlotBytes) - 1;

// Items that never come twice, of all lengths: each begins with its number.
class Items {
 public:
  std::vector<uint8_t> next() {
    std::vector<uint8_t> item(4 + number_ * 37 % (bodyBytesMax - 3));
    for (size_t i = 0; i < item.size(); i++) item[i] = static_cast<uint8_t>(number_ + i);
    memcpy(item.data(), &number_, sizeof number_);
    number_++;
    return item;
  }

 private:
  uint32_t number_ = 0;
};

uint32_t numberOf(const SpooledItem& held) {
  uint32_t number = 0;
  CHECK(held.length() >= sizeof number);
  memcpy(&number, held.item(), sizeof number);
  return number;
}

// A spool and what it must hold.
class Model {
 public:
  explicit Model(Device& device) : port_(device.port()) { open(); }

  void open() {
    CHECK_EQUAL(spool.open(port_, address, bytes), Error::none);
    CHECK_EQUAL(spool.out(), 0);
  }
  // False: it was refused or power failed.
  bool append() {
    const uint32_t number = number_++;
    const std::vector<uint8_t> item = items_.next();
    if (spool.append(item.data(), item.size(), static_cast<int8_t>(number)) != Error::none) return false;
    held.push_back(number);
    return true;
  }
  // The oldest that is not out. UINT32_MAX: it cannot be read.
  uint32_t take() {
    SpooledItem item;
    if (!spool.take(item)) return UINT32_MAX;
    const uint32_t number = numberOf(item);
    CHECK_EQUAL(item.rssi(), static_cast<int8_t>(number));
    return number;
  }
  void giveAway() {
    CHECK_EQUAL(take(), held.front());
    spool.gone();
    held.pop_front();
  }

  Spool spool;
  std::deque<uint32_t> held;

 private:
  Port port_;
  Items items_;
  uint32_t number_ = 0;
};

}  // namespace

TEST(spoolFitsItsRam) { CHECK(sizeof(Spool) <= sizeof(void*) + 16); }

TEST(spoolRefusesImpossibleSizes) {
  Device device(spoolSectors + 1);
  const Port port = device.port();
  Spool spool;
  CHECK_EQUAL(spool.open(port, 0, bytes - static_cast<uint32_t>(sectorBytes)), Error::badField);
  CHECK_EQUAL(spool.open(port, 16, bytes), Error::badField);
  CHECK_EQUAL(spool.open(port, 0, bytes), Error::none);
  CHECK_EQUAL(spool.count(), 0);
  CHECK(!spool.waits());
}

TEST(spoolGivesTheOldestFirstAndKeepsItUntilItIsGone) {
  Device device(spoolSectors + 1);
  Model model(device);
  for (unsigned i = 0; i < 5; i++) CHECK(model.append());
  CHECK_EQUAL(model.take(), 0);
  CHECK_EQUAL(model.spool.taken(), model.spool.oldest());
  CHECK_EQUAL(model.take(), 1);
  CHECK_EQUAL(model.spool.out(), 2);
  CHECK_EQUAL(model.spool.count(), 5);
  model.spool.gone();
  // What was out comes again after a power failure, what is gone does not.
  model.open();
  CHECK_EQUAL(model.spool.count(), 4);
  for (uint32_t number = 1; number < 5; number++) CHECK_EQUAL(model.take(), number);
  CHECK(!model.spool.waits());
  CHECK(!device.broke());
}

TEST(spoolRefusesWhenItIsFull) {
  Device device(spoolSectors + 1);
  Model model(device);
  for (unsigned i = 0; i < spoolPacketsMax; i++) CHECK(model.append());
  CHECK(model.spool.full());
  const uint64_t operations = device.operations();
  const uint8_t item[bodyBytesMax] = {};
  CHECK_EQUAL(model.spool.append(item, sizeof item, 0), Error::queueFull);
  CHECK_EQUAL(device.operations(), operations);
  model.open();
  CHECK(model.spool.full());
  model.giveAway();
  CHECK(model.append());
  CHECK(model.spool.full());
  CHECK_EQUAL(model.spool.append(item, bodyBytesMax + 1, 0), Error::queueFull);
}

TEST(spoolGoesRoundAndWearsEvenly) {
  Device device(spoolSectors + 1);
  Model model(device);
  check::Random random(7);
  for (unsigned step = 0; step < 4000; step += check::stride) {
    check::context("step", step);
    if (random.below(20) == 0) model.open();
    if (model.held.empty() || (random.coin() && !model.spool.full())) {
      CHECK(model.append());
    } else {
      model.giveAway();
    }
    CHECK_EQUAL(model.spool.count(), model.held.size());
  }
  const std::vector<uint32_t>& erasures = device.erasures();
  CHECK_EQUAL(erasures[0], 0);
  for (size_t sector = 1; sector < erasures.size(); sector++) CHECK(erasures[1] - erasures[sector] <= 1);
  CHECK(!device.broke());
}

// Power fails in each operation in turn, in every way that it can: what was confirmed is there in its order, what has gone may come once
// more, and the spool goes on.
TEST(spoolSurvivesAPowerCutAtEveryWrite) {
  constexpr uint64_t operationsMax = 400;
  for (unsigned way = 1; way < cuts; way++) {
    for (uint64_t operation = 0; operation < operationsMax; operation += check::stride) {
      check::context("cut", way * 1000 + operation);
      Device device(spoolSectors + 1, operation + 1);
      Model model(device);
      // Near the end of the ring, so that it goes round.
      for (unsigned i = 0; i < lastSlot - 18; i++) {
        model.append();
        if (i >= 5) model.giveAway();
      }
      device.cutPower(operation, static_cast<Cut>(way));
      std::set<uint32_t> given;
      uint32_t attempted = UINT32_MAX;
      while (!device.isDead()) {
        const bool appends = model.held.size() < 20;
        const uint32_t before = model.held.empty() ? 0 : model.held.back() + 1;
        if (appends && !model.append()) attempted = before;
        if (!appends || model.held.size() % 3 == 0) {
          given.insert(model.held.front());
          model.giveAway();
        }
      }
      device.restore();
      model.open();
      std::deque<uint32_t> found;
      while (model.spool.waits()) {
        const uint32_t number = model.take();
        if (number != UINT32_MAX) found.push_back(number);
      }
      // Beside what must be there: what was being written, and what was being given away.
      while (!found.empty() && given.count(found.front()) > 0 && found.front() + 1 == model.held.front()) found.pop_front();
      if (!found.empty() && found.back() == attempted) found.pop_back();
      CHECK(found == model.held);
      CHECK(model.append());
      CHECK_EQUAL(model.take(), model.held.back());
      CHECK(!device.broke());
    }
  }
}

TEST(spoolLosesNoMoreThanWhatIsDamaged) {
  Device device(spoolSectors + 1);
  Model model(device);
  for (unsigned i = 0; i < 40; i++) CHECK(model.append());
  check::Random random(3);
  std::set<uint32_t> damaged;
  while (damaged.size() < 8) {
    const uint32_t slot = random.below(40);
    if (!damaged.insert(slot).second) continue;
    device.damage(address + slot * static_cast<uint32_t>(spoolSlotBytes) + random.below(spoolHeadBytes), static_cast<uint8_t>(1 + random.below(255)));
  }
  model.open();
  uint32_t expected = 0;
  while (model.spool.waits()) {
    const uint32_t number = model.take();
    while (damaged.count(expected) > 0) expected++;
    if (number != UINT32_MAX) CHECK_EQUAL(number, expected++);
  }
  while (damaged.count(expected) > 0) expected++;
  CHECK_EQUAL(expected, 40);
  CHECK(model.append());
  CHECK(!device.broke());
}

// What another use has left in these sectors is no packet.
TEST(spoolTakesNothingForeignForAPacket) {
  Device device(spoolSectors + 1);
  check::Random random(11);
  for (uint32_t at = address; at < address + bytes; at++) device.damage(at, static_cast<uint8_t>(random.next()));
  Model model(device);
  CHECK_EQUAL(model.spool.count(), 0);
  for (unsigned i = 0; i < 20; i++) CHECK(model.append());
  model.open();
  CHECK_EQUAL(model.spool.count(), 20);
}
