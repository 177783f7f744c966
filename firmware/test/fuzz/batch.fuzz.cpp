// Batches of readings: whatever the reader takes, the writer writes again with the same meaning, in no more bytes; and whatever rows
// the writer takes, the reader gives back.
#include "demand.hpp"
#include "input.hpp"
#include "wattmesh/batch.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/sections.hpp"

using namespace wattmesh;
using namespace fuzz;

namespace {

Bytes rowBytesOf(const Row& row) {
  Bytes bytes(rowBytes);
  Writer writer(bytes.data(), bytes.size());
  writeRow(writer, row);
  DEMAND(writer.ok());
  return bytes;
}

// Head and rows of a body; the error that the first fault has.
Error readAll(const Bytes& body, BatchHead& head, std::vector<Row>& rows) {
  BatchReader reader(body.data(), body.size());
  Error error = reader.open(head);
  for (unsigned i = 0; error == Error::none && i < head.count; i++) {
    Row row{};
    error = reader.next(row);
    if (error == Error::none) rows.push_back(row);
  }
  return error == Error::none ? reader.end() : error;
}

void demandSame(const std::vector<Row>& a, const std::vector<Row>& b, size_t count) {
  DEMAND(a.size() >= count && b.size() == count);
  for (size_t i = 0; i < count; i++) DEMAND(rowBytesOf(a[i]) == rowBytesOf(b[i]));
}

// Writes rows into exactly `capacity` bytes and reads them back. Returns how many fitted.
size_t roundTrip(const BatchHead& head, const std::vector<Row>& rows, size_t capacity, size_t& length) {
  Bytes section(capacity);
  BatchWriter writer(section.data(), section.size(), head.logId, head.oldest, head.first);
  size_t written = 0;
  while (written < rows.size() && writer.add(rows[written])) written++;
  DEMAND(writer.count() == written);
  length = writer.finish();
  DEMAND(length <= capacity);
  if (length == 0) {
    DEMAND(capacity < sectionHeaderBytes + batchHeadBytes || (written == 0 && head.first == 0));
    return 0;
  }
  section.resize(length);
  DEMAND(checkUpSections(section.data(), section.size()) == Error::none);
  BatchHead again{};
  std::vector<Row> read;
  DEMAND(readAll(Bytes(section.begin() + sectionHeaderBytes, section.end()), again, read) == Error::none);
  DEMAND(memcmp(again.logId, head.logId, logIdBytes) == 0 && again.oldest == head.oldest);
  DEMAND(again.first == (written > 0 ? rows[0].seq : head.first));
  demandSame(rows, read, written);
  return written;
}

void judgeBody(const Bytes& body, size_t capacity) {
  BatchHead head{};
  std::vector<Row> rows;
  const Error error = readAll(body, head, rows);
  Bytes section = {sectionReadings, static_cast<uint8_t>(body.size())};
  section.insert(section.end(), body.begin(), body.end());
  DEMAND(checkUpSections(section.data(), section.size()) == error);
  if (error != Error::none) return;
  DEMAND(rows.size() == head.count && rows.size() <= batchRowsMax);
  for (const Row& row : rows) DEMAND(isValidRow(row));
  size_t length = 0;
  // Times that wrap are read, but no meter writes them; what does not wrap comes back whole.
  const size_t written = roundTrip(head, rows, sectionHeaderBytes + sectionBodyBytesMax, length);
  DEMAND(written == rows.size());
  DEMAND(length <= section.size());
  (void)roundTrip(head, rows, capacity, length);
}

// Random rows never belong together: with bit 0 of its seq a row is made the next one, except for what bits 1 to 3 leave as it is.
void follow(const Row& before, Row& row) {
  const uint32_t bits = row.seq;
  if ((bits & 0x01) == 0) return;
  row.seq = before.seq + 1;
  row.t = before.t + before.interval;
  if ((bits & 0x02) == 0) row.interval = before.interval;
  if ((bits & 0x04) == 0) row.quality = before.quality;
  if ((bits & 0x08) == 0) row.registers.mask = before.registers.mask;
}

void judgeRows(Input& input, size_t capacity) {
  BatchHead head{};
  memcpy(head.logId, "log1", logIdBytes);
  head.oldest = 1;
  std::vector<Row> rows;
  constexpr size_t rowsMax = 80;
  while (!input.empty() && rows.size() < rowsMax) {
    const Bytes bytes = input.take(rowBytes);
    if (bytes.size() < rowBytes) break;
    Row row{};
    Reader reader(bytes.data(), bytes.size());
    readRow(reader, row);
    if (!rows.empty()) follow(rows.back(), row);
    if (row.seq == 0) row.seq = 1;
    rows.push_back(row);
  }
  head.first = rows.empty() ? 1 : rows[0].seq;
  size_t length = 0;
  (void)roundTrip(head, rows, capacity, length);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t length) {
  Input input(data, length);
  const uint8_t mode = input.u8();
  const size_t capacity = input.u16() % (sectionHeaderBytes + sectionBodyBytesMax + 10);
  if ((mode & 1) != 0) {
    judgeRows(input, capacity);
  } else {
    judgeBody(input.take(sectionBodyBytesMax), capacity);
  }
  return 0;
}
