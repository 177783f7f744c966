#include <cstring>

#include "check.hpp"
#include "wattmesh/batch.hpp"

using namespace wattmesh;

namespace {

constexpr uint8_t logId[4] = {1, 2, 3, 4};
constexpr size_t plainBytesBesideFullRoute = 163;

Row rowAt(uint32_t seq) {
  Row row{};
  row.seq = seq;
  row.t = 1700000000 + 60 * seq;
  row.interval = 60;
  row.registers.mask = 0x05;
  row.registers.importDwh = 123456789 + 83 * uint64_t{seq};
  row.registers.powerDw = 5000 + static_cast<int32_t>(seq % 7) * 30;
  return row;
}

bool same(const Row& a, const Row& b) {
  bool equal = a.seq == b.seq && a.t == b.t && a.interval == b.interval && a.quality == b.quality && a.registers.mask == b.registers.mask;
  for (unsigned bit = 0; bit < registersMax; bit++) {
    if ((a.registers.mask >> bit & 1) != 0) equal = equal && registerValue(a.registers, bit) == registerValue(b.registers, bit);
  }
  return equal;
}

Row randomRow(check::Random& random, uint16_t mask) {
  Row row{};
  row.interval = static_cast<uint16_t>(1 + random.below(65535));
  row.registers.mask = mask;
  row.registers.importDwh = random.next() >> 16;
  row.registers.exportDwh = random.next() >> 16;
  row.registers.powerDw = static_cast<int32_t>(random.next());
  row.registers.voltageDv = static_cast<uint16_t>(random.next());
  row.registers.currentCa = static_cast<uint16_t>(random.next());
  row.registers.frequencyChz = static_cast<uint16_t>(random.next());
  row.registers.powerFactorPct = static_cast<int8_t>(random.next());
  return row;
}

}  // namespace

TEST(batchHoldsHalfAnHourOfEnergyAndPowerBesideAFullRoute) {
  uint8_t out[plainBytesBesideFullRoute];
  BatchWriter writer(out, sizeof out, logId, 1);
  uint32_t seq = 1;
  while (writer.add(rowAt(seq))) seq++;
  CHECK(writer.count() >= 32);
  CHECK(writer.finish() <= sizeof out);
}

TEST(batchReadsBackWhatWasWritten) {
  check::Random random(3);
  for (int round = 0; round < 2000; round++) {
    check::context("round", static_cast<unsigned long long>(round));
    const uint16_t mask = static_cast<uint16_t>(random.below(128));
    uint8_t out[300];
    const size_t capacity = 24 + random.below(270);
    BatchWriter writer(out, capacity, logId, 7, 9);
    Row rows[batchRowsMax + 1];
    Row row = randomRow(random, mask);
    row.seq = 9;
    row.t = static_cast<uint32_t>(random.next());
    size_t count = 0;
    while (count <= batchRowsMax && writer.add(row)) {
      rows[count++] = row;
      const Row before = row;
      row = randomRow(random, mask);
      row.seq = before.seq + 1;
      row.interval = before.interval;
      row.t = before.t + before.interval;
    }
    CHECK_EQUAL(writer.count(), count);
    const size_t length = writer.finish();
    CHECK(length >= 24 && length <= capacity && length <= 257);
    CHECK_EQUAL(out[0], 0x01);
    CHECK_EQUAL(out[1], length - 2);
    BatchReader reader(out + 2, length - 2);
    BatchHead head{};
    CHECK_EQUAL(reader.open(head), Error::none);
    CHECK_EQUAL(head.oldest, 7);
    CHECK_EQUAL(head.first, 9);
    CHECK_EQUAL(head.count, count);
    for (size_t i = 0; i < head.count; i++) {
      Row read{};
      CHECK_EQUAL(reader.next(read), Error::none);
      CHECK(same(read, rows[i]));
    }
    CHECK_EQUAL(reader.end(), Error::none);
  }
}

TEST(batchTakesOnlyRowsThatBelong) {
  uint8_t out[257];
  BatchWriter writer(out, sizeof out, logId, 1);
  CHECK(writer.add(rowAt(5)));
  Row row = rowAt(7);
  CHECK(!writer.add(row));  // a seq is missing
  row = rowAt(6);
  row.t++;
  CHECK(!writer.add(row));  // not evenly spaced
  row = rowAt(6);
  row.interval = 61;
  CHECK(!writer.add(row));
  row = rowAt(6);
  row.quality = qualityClock;
  CHECK(!writer.add(row));
  row = rowAt(6);
  row.registers.mask = 0x01;
  CHECK(!writer.add(row));
  row = rowAt(6);
  row.registers.importDwh = uint64_t{1} << 48;
  CHECK(!writer.add(row));
  CHECK_EQUAL(writer.count(), 1);
  CHECK(writer.add(rowAt(6)));
  CHECK_EQUAL(writer.count(), 2);
}

TEST(batchEndsAt64Rows) {
  uint8_t out[257];
  BatchWriter writer(out, sizeof out, logId, 1);
  Row row = rowAt(1);
  for (uint32_t seq = 1; seq <= batchRowsMax; seq++) {
    row.seq = seq;
    row.t = 1700000000 + 60 * seq;
    CHECK(writer.add(row));
  }
  row.seq++;
  row.t += 60;
  CHECK(!writer.add(row));
}

TEST(batchMayBeEmpty) {
  uint8_t out[24];
  BatchWriter writer(out, sizeof out, logId, 41, 41);
  CHECK_EQUAL(writer.finish(), 24);
  BatchReader reader(out + 2, 22);
  BatchHead head{};
  CHECK_EQUAL(reader.open(head), Error::none);
  CHECK_EQUAL(head.first, 41);
  CHECK_EQUAL(head.count, 0);
  CHECK_EQUAL(reader.end(), Error::none);
  BatchWriter nameless(out, sizeof out, logId, 41);
  CHECK_EQUAL(nameless.finish(), 0);
  BatchWriter cramped(out, 23, logId, 41, 41);
  CHECK(!cramped.add(rowAt(41)));
  CHECK_EQUAL(cramped.finish(), 0);
}

TEST(batchRefusesVarintsBeyondTheirRange) {
  // A batch of one row with the import register alone, then its varint.
  uint8_t body[40] = {};
  BatchHead head{};
  head.oldest = head.first = head.interval = 1;
  head.count = 1;
  head.mask = 1;
  Writer writer(body, sizeof body);
  writeBatchHead(writer, head);
  struct Case {
    uint8_t bytes[11];
    size_t length;
    Error error;
  };
  const Case cases[] = {
      {{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, 7, Error::none},      // 2^48 - 1
      {{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}, 8, Error::badField},  // 2^48
      {{0x01}, 1, Error::badField},                                            // -1
      {{0x80, 0x00}, 2, Error::none},                                          // 0, longer than needed
      {{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02}, 10, Error::badField},
      {{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 11, Error::badField},
      {{0x80, 0x80}, 2, Error::badLength},
      {{0}, 0, Error::badLength},
  };
  for (const Case& one : cases) {
    check::context("varint of bytes", one.length);
    memcpy(body + batchHeadBytes, one.bytes, one.length);
    BatchReader reader(body, batchHeadBytes + one.length);
    Row row{};
    CHECK_EQUAL(reader.open(head), Error::none);
    CHECK_EQUAL(reader.next(row), one.error);
  }
}
