#include <cstring>
#include <set>

#include "check.hpp"
#include "device.hpp"
#include "wattmesh/bytes.hpp"
#include "wattmesh/log.hpp"

using namespace wattmesh;

namespace {

constexpr uint32_t sectors = 3;
constexpr uint32_t bytes = sectors * static_cast<uint32_t>(sectorBytes);
constexpr uint32_t fullRows = sectors * static_cast<uint32_t>(logSlotsPerSector);

// Rows that never come twice: each attempt to append has a number of its own.
class Rows {
 public:
  Row next() {
    attempt_++;
    Row row{};
    row.t = 1700000000 + 60 * attempt_;
    row.interval = 60;
    row.registers.mask = 0x05;
    row.registers.importDwh = attempt_;
    row.registers.powerDw = static_cast<int32_t>(attempt_ % 97) - 40;
    return row;
  }

 private:
  uint32_t attempt_ = 0;
};

uint32_t idOf(const Log& log) { return Reader(log.logId(), logIdBytes).u32(); }

// As in a trace.
std::vector<uint8_t> bodyOf(const Log& log, const Row& row) {
  std::vector<uint8_t> body(logIdBytes + rowBytes);
  Writer writer(body.data(), body.size());
  writer.bytes(log.logId(), logIdBytes);
  writeRow(writer, row);
  return body;
}

// Every row that was ever committed is held with its content, or was overwritten; nothing else is held.
void checkHeld(Log& log, const Device& device) {
  const uint32_t logId = idOf(log);
  CHECK(log.oldest() >= 1 && log.oldest() <= log.next());
  for (uint32_t seq = log.oldest(); seq < log.next(); seq++) {
    Row row;
    CHECK_EQUAL(log.read(seq, row), Error::none);
    CHECK_EQUAL(row.seq, seq);
    const auto known = device.committed.find({logId, seq});
    CHECK(known != device.committed.end());
    if (known != device.committed.end()) CHECK(known->second == bodyOf(log, row));
  }
  for (const auto& entry : device.committed) {
    CHECK_EQUAL(entry.first.logId, logId);
    const bool isHeld = entry.first.seq >= log.oldest() && entry.first.seq < log.next();
    CHECK(isHeld || device.overwritten.count(entry.first) > 0);
  }
  CHECK(!device.changed);
  CHECK(!device.broke());
}

// Appends until `count` rows are committed or power fails.
void fill(Log& log, Rows& rows, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    Row row = rows.next();
    if (log.append(row) != Error::none) return;
  }
}

}  // namespace

TEST(logFitsItsRam) { CHECK(sizeof(Log) <= 700); }

TEST(logStartsEmptyAndKeepsItsIdentity) {
  Device device(sectors);
  const Port port = device.port();
  Log log;
  CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  CHECK_EQUAL(log.oldest(), 1);
  CHECK_EQUAL(log.next(), 1);
  const uint32_t logId = idOf(log);
  Log again;
  CHECK_EQUAL(again.open(port, 0, bytes), Error::none);
  CHECK_EQUAL(idOf(again), logId);
  Row row{};
  CHECK_EQUAL(again.read(1, row), Error::badField);
  CHECK_EQUAL(again.append(row), Error::badField);  // an interval of 0
  row.interval = 60;
  row.registers.mask = 1;
  row.registers.importDwh = uint64_t{1} << 48;
  CHECK_EQUAL(again.append(row), Error::badField);
  row.registers.importDwh--;
  CHECK_EQUAL(again.append(row), Error::none);
  CHECK_EQUAL(row.seq, 1);
  Row held{};
  CHECK_EQUAL(again.read(1, held), Error::none);
  CHECK_EQUAL(held.registers.importDwh, row.registers.importDwh);
}

TEST(logRefusesImpossibleSizes) {
  Device device(sectors);
  const Port port = device.port();
  Log log;
  CHECK_EQUAL(log.open(port, 0, static_cast<uint32_t>(sectorBytes)), Error::badField);
  CHECK_EQUAL(log.open(port, 16, bytes), Error::badField);
  CHECK_EQUAL(log.open(port, 0, static_cast<uint32_t>((logSectorsMax + 1) * sectorBytes)), Error::badField);
}

TEST(logHoldsAWeekOfMinutesIn100Sectors) {
  constexpr uint32_t weekSectors = 100;
  constexpr uint32_t weekRows = 7 * 24 * 60;
  Device device(weekSectors);
  const Port port = device.port();
  Rows rows;
  Log log;
  CHECK_EQUAL(log.open(port, 0, weekSectors * static_cast<uint32_t>(sectorBytes)), Error::none);
  for (uint32_t i = 0; i < weekRows + 2500; i++) {
    Row row = rows.next();
    CHECK_EQUAL(log.append(row), Error::none);
    if (i + 1 >= weekRows) CHECK(log.next() - log.oldest() >= weekRows);
  }
  checkHeld(log, device);
  Log again;
  CHECK_EQUAL(again.open(port, 0, weekSectors * static_cast<uint32_t>(sectorBytes)), Error::none);
  CHECK_EQUAL(again.oldest(), log.oldest());
  CHECK_EQUAL(again.next(), log.next());
  checkHeld(again, device);
}

TEST(logReadsRowsInTurnWithOneReadEach) {
  Device device(sectors);
  const Port port = device.port();
  Rows rows;
  Log log;
  CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  fill(log, rows, 40);
  // Three torn slots: the rows behind them stand three slots further.
  for (int i = 0; i < 3; i++) {
    device.cutPower(0, Cut::firstHalf);
    fill(log, rows, 1);
    device.restore();
    CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  }
  fill(log, rows, 200);
  const uint64_t before = device.reads();
  for (uint32_t seq = 1; seq < log.next(); seq++) {
    Row row;
    CHECK_EQUAL(log.read(seq, row), Error::none);
  }
  const uint64_t perSector = 4;  // the first row behind torn slots
  CHECK(device.reads() - before <= log.next() + perSector * sectors);
}

TEST(logReadsAnyRowInAnyOrder) {
  Device device(sectors);
  const Port port = device.port();
  Rows rows;
  Log log;
  CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  fill(log, rows, 2 * fullRows);
  check::Random random(7);
  for (int i = 0; i < 2000; i++) {
    const uint32_t seq = log.oldest() + random.below(log.next() - log.oldest());
    Row row;
    CHECK_EQUAL(log.read(seq, row), Error::none);
    CHECK_EQUAL(row.seq, seq);
  }
}

TEST(logSaysWhichRowWasDamaged) {
  Device device(sectors);
  const Port port = device.port();
  Rows rows;
  Log log;
  CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  fill(log, rows, 10);
  device.damage(static_cast<uint32_t>(logHeaderBytes + 4 * logSlotBytes + 9), 0x10);
  Row row;
  CHECK_EQUAL(log.read(5, row), Error::nvCorrupt);
  CHECK_EQUAL(log.read(4, row), Error::none);
  CHECK_EQUAL(log.read(6, row), Error::none);
  Log again;
  CHECK_EQUAL(again.open(port, 0, bytes), Error::none);
  CHECK_EQUAL(again.next(), 11);
  CHECK_EQUAL(again.read(5, row), Error::nvCorrupt);
  CHECK_EQUAL(again.read(6, row), Error::none);
}

// Any one header damaged, in a log that has just begun, is filling, or has wrapped: no row is lost, and no seq is used twice.
TEST(logLosesNoRowWithAHeader) {
  const uint32_t slots = static_cast<uint32_t>(logSlotsPerSector);
  for (const uint32_t count : {7u, slots, slots + 1, 2 * slots + 50, fullRows + 30, fullRows + 2 * slots + 5}) {
    for (uint32_t sector = 0; sector < sectors; sector++) {
      for (const uint8_t bits : {uint8_t{0x01}, uint8_t{0xff}}) {
        check::context("rows * 10 + sector", count * 10 + sector);
        Device device(sectors + recordSectors);
        const Port port = device.port();
        Records records;
        CHECK_EQUAL(records.open(port, bytes), Error::none);
        Rows rows;
        Log log;
        CHECK_EQUAL(log.open(port, 0, bytes, &records, 5), Error::none);
        fill(log, rows, count);
        const uint32_t oldest = log.oldest();
        const uint32_t next = log.next();
        device.damage(sector * static_cast<uint32_t>(sectorBytes) + 9, bits);
        for (int boot = 0; boot < 2; boot++) {
          CHECK_EQUAL(records.open(port, bytes), Error::none);
          CHECK_EQUAL(log.open(port, 0, bytes, &records, 6), Error::none);
          CHECK_EQUAL(log.next(), next);
          CHECK_EQUAL(log.oldest(), oldest);
          checkHeld(log, device);
        }
        fill(log, rows, 3 * slots);
        CHECK_EQUAL(log.next(), next + 3 * slots);
        checkHeld(log, device);
        CHECK_EQUAL(log.open(port, 0, bytes, &records, 7), Error::none);
        checkHeld(log, device);
      }
    }
  }
}

// A whole sector is garbage: the rows before and behind it are there, and reading finds its way over the hole.
TEST(logLosesOnlyTheSectorThatIsGone) {
  const uint32_t slots = static_cast<uint32_t>(logSlotsPerSector);
  Device device(sectors);
  const Port port = device.port();
  Rows rows;
  Log log;
  CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  fill(log, rows, 2 * slots + 10);
  for (uint32_t i = 0; i < sectorBytes; i++) device.damage(static_cast<uint32_t>(sectorBytes) + i, static_cast<uint8_t>(1 + i % 251));
  CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  CHECK_EQUAL(log.oldest(), 1);
  CHECK_EQUAL(log.next(), 2 * slots + 11);
  Row row{};
  CHECK_EQUAL(log.read(slots, row), Error::none);
  CHECK_EQUAL(log.read(slots + 1, row), Error::nvCorrupt);
  CHECK_EQUAL(log.readFrom(slots + 1, row), Error::none);
  CHECK_EQUAL(row.seq, 2 * slots + 1);
}

TEST(logSkipsSeqsAndEndsWhereTheyEnd) {
  Device device(sectors);
  const Port port = device.port();
  Rows rows;
  Log log;
  CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  fill(log, rows, 5);
  CHECK_EQUAL(log.skipTo(3), Error::none);
  CHECK_EQUAL(log.next(), 6);
  CHECK_EQUAL(log.skipTo(20), Error::none);
  fill(log, rows, 5);
  CHECK_EQUAL(log.next(), 25);
  for (int boot = 0; boot < 2; boot++) {
    Row row{};
    CHECK_EQUAL(log.read(5, row), Error::none);
    CHECK_EQUAL(log.read(6, row), Error::nvCorrupt);
    CHECK_EQUAL(log.readFrom(6, row), Error::none);
    CHECK_EQUAL(row.seq, 20);
    CHECK_EQUAL(log.read(24, row), Error::none);
    CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  }
  CHECK_EQUAL(log.skipTo(seqMax - 1), Error::none);
  Row row = rows.next();
  CHECK_EQUAL(log.append(row), Error::none);
  CHECK_EQUAL(log.append(row), Error::none);
  CHECK_EQUAL(row.seq, seqMax);
  for (int boot = 0; boot < 2; boot++) {
    CHECK_EQUAL(log.append(row), Error::counterSpent);
    CHECK_EQUAL(log.read(seqMax, row), Error::none);
    CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  }
}

TEST(logIdsDifferWhereTheSourceOfRandomnessIsStuck) {
  std::set<uint32_t> ids;
  for (uint16_t boot = 1; boot <= 300; boot++) {
    Device device(sectors);
    Port port = device.port();
    port.random = [](void*, uint8_t* out, size_t length) { memset(out, 0x5a, length); };
    Log log;
    CHECK_EQUAL(log.open(port, 0, bytes, nullptr, boot), Error::none);
    ids.insert(idOf(log));
  }
  CHECK_EQUAL(ids.size(), 300);
}

// Cells that a cut left between 0 and 1 may read as a valid row one day: nothing of a torn slot is left.
TEST(logWipesTornSlots) {
  Device device(sectors);
  const Port port = device.port();
  Rows rows;
  Log log;
  CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  fill(log, rows, 3);
  device.cutPower(0, Cut::allButOneByte);
  fill(log, rows, 1);
  device.restore();
  CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  for (uint32_t i = 0; i < logSlotBytes; i++) CHECK_EQUAL(device.cell(static_cast<uint32_t>(logHeaderBytes + 3 * logSlotBytes) + i), 0);
  fill(log, rows, 1);
  CHECK_EQUAL(log.next(), 5);
  checkHeld(log, device);
}

TEST(logStopsAfterAFailedWriteUntilItIsOpenedAgain) {
  Device device(sectors);
  const Port port = device.port();
  Rows rows;
  Log log;
  CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  fill(log, rows, 3);
  device.cutPower(0, Cut::all);
  Row row = rows.next();
  CHECK_EQUAL(log.append(row), Error::nvWrite);
  device.restore();
  // The row is in the flash, but nobody was told: its seq must not get another content.
  Row other = rows.next();
  CHECK_EQUAL(log.append(other), Error::nvWrite);
  CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
  CHECK_EQUAL(log.next(), 5);
  CHECK_EQUAL(log.append(other), Error::none);
  CHECK_EQUAL(other.seq, 5);
  checkHeld(log, device);
}

// Power fails in every single operation of a log that fills up, wraps and goes on, and in each of them at different points.
TEST(logSurvivesAPowerCutInEveryOperation) {
  constexpr uint32_t count = fullRows + 2 * static_cast<uint32_t>(logSlotsPerSector) + 5;
  for (unsigned cut = 0; cut < cuts; cut++) {
    for (uint64_t operation = 0;; operation += check::stride) {
      check::context("cut kind * 1000000 + operation", cut * 1000000 + operation);
      Device device(sectors, operation);
      const Port port = device.port();
      Rows rows;
      Log log;
      device.cutPower(operation, static_cast<Cut>(cut));
      if (log.open(port, 0, bytes) == Error::none) fill(log, rows, count);
      if (!device.isDead()) {
        CHECK(operation > count);
        break;
      }
      const size_t committedBefore = device.committed.size();
      device.restore();
      CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
      // The row that power failed in may be there; no other.
      CHECK(device.committed.size() <= committedBefore + 1);
      CHECK_EQUAL(log.next(), device.committed.size() + 1);
      checkHeld(log, device);
      fill(log, rows, 120);
      CHECK(!device.isDead());
      checkHeld(log, device);
    }
  }
}

// Many cuts in one life, also while the log is opened.
TEST(logSurvivesManyPowerCuts) {
  for (uint64_t seed = 1; seed <= 60; seed += check::stride) {
    check::context("seed", seed);
    check::Random random(seed);
    Device device(sectors, seed);
    const Port port = device.port();
    Rows rows;
    Log log;
    uint32_t highest = 0;
    for (int life = 0; life < 60; life++) {
      device.cutPower(random.below(random.coin() ? 4 : 150), static_cast<Cut>(random.below(cuts)));
      if (log.open(port, 0, bytes) == Error::none) fill(log, rows, 200);
      device.restore();
      CHECK_EQUAL(log.open(port, 0, bytes), Error::none);
      CHECK(log.next() > highest);
      highest = log.next() - 1;
      checkHeld(log, device);
    }
  }
}
