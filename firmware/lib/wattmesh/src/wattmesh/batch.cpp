#include "wattmesh/batch.hpp"

#include "wattmesh/checks.hpp"
#include "wattmesh/sections.hpp"

namespace wattmesh {

namespace {

constexpr size_t sectionBytesMax = sectionHeaderBytes + sectionBodyBytesMax;
constexpr size_t varintBytesMax = 10;
constexpr int64_t differenceMax = int64_t{1} << 48;  // no two register values are further apart

bool hasRegister(uint16_t mask, unsigned bit) { return (mask >> bit & 1) != 0; }

Error readVarint(Reader& reader, int64_t& value) {
  const size_t start = reader.offset();
  value = reader.varint();
  if (reader.ok()) return Error::none;
  return reader.offset() - start == varintBytesMax ? Error::badField : Error::badLength;
}

}  // namespace

void writeBatchHead(Writer& writer, const BatchHead& head) {
  writer.bytes(head.logId, logIdBytes);
  writer.u32(head.oldest);
  writer.u32(head.first);
  writer.u32(head.t0);
  writer.u16(head.interval);
  writer.u8(head.count);
  writer.u8(head.quality);
  writer.u16(head.mask);
}

BatchWriter::BatchWriter(uint8_t* out, size_t capacity, const uint8_t logId[logIdBytes], uint32_t oldest, uint32_t first)
    : writer_(out, capacity < sectionBytesMax ? capacity : sectionBytesMax), head_{}, last_{} {
  memcpy(head_.logId, logId, logIdBytes);
  head_.oldest = oldest;
  head_.first = first;
  head_.interval = 1;  // 0 is refused, also in a batch without rows
  // Holds the place: finish() writes the head again with what the rows said.
  writer_.u8(sectionReadings);
  writer_.u8(0);
  writeBatchHead(writer_, head_);
}

bool BatchWriter::belongs(const Row& row) const {
  const uint32_t ageS = static_cast<uint32_t>(head_.count) * head_.interval;
  return head_.count < batchRowsMax && row.seq == head_.first + head_.count && row.t == head_.t0 + ageS &&
         row.interval == head_.interval && row.quality == head_.quality && row.registers.mask == head_.mask;
}

bool BatchWriter::add(const Row& row) {
  if (!writer_.ok() || !isValidRow(row)) return false;
  const bool isFirst = head_.count == 0;
  if (!isFirst && !belongs(row)) return false;
  const size_t start = writer_.length();
  for (unsigned bit = 0; bit < registersMax; bit++) {
    if (!hasRegister(row.registers.mask, bit)) continue;
    const int64_t value = registerValue(row.registers, bit);
    writer_.varint(isFirst ? value : value - registerValue(last_, bit));
  }
  if (!writer_.ok()) {
    writer_.rewind(start);
    return false;
  }
  if (isFirst) {
    head_.first = row.seq;
    head_.t0 = row.t;
    head_.interval = row.interval;
    head_.quality = row.quality;
    head_.mask = row.registers.mask;
  }
  head_.count++;
  last_ = row.registers;
  return true;
}

size_t BatchWriter::finish() {
  if (!writer_.ok() || head_.first == 0) return 0;
  Writer head(writer_.data(), sectionHeaderBytes + batchHeadBytes);
  head.u8(sectionReadings);
  head.u8(static_cast<uint8_t>(writer_.length() - sectionHeaderBytes));
  writeBatchHead(head, head_);
  return writer_.length();
}

Error BatchReader::open(BatchHead& head) {
  Verdict verdict(reader_);
  reader_.copy(head_.logId, logIdBytes);
  head_.oldest = reader_.u32();
  verdict.require(head_.oldest != 0);  // seqs start at 1
  head_.first = reader_.u32();
  verdict.require(head_.first != 0);
  head_.t0 = reader_.u32();
  head_.interval = reader_.u16();
  verdict.require(head_.interval != 0);
  head_.count = reader_.u8();
  verdict.require(head_.count <= batchRowsMax);
  head_.quality = reader_.u8();
  verdict.require(head_.quality <= qualityEstimated);
  head_.mask = reader_.u16();
  verdict.require((head_.mask & ~registerMaskAll) == 0);
  verdict.require(head_.count == 0 || head_.first <= UINT32_MAX - (head_.count - 1u));
  head = head_;
  return verdict.error() == Error::truncated ? Error::badLength : verdict.error();
}

Error BatchReader::next(Row& row) {
  for (unsigned bit = 0; bit < registersMax; bit++) {
    if (!hasRegister(head_.mask, bit)) continue;
    int64_t value = 0;
    const Error error = readVarint(reader_, value);
    if (error != Error::none) return error;
    if (value > differenceMax || value < -differenceMax) return Error::badField;
    if (!setRegister(last_, bit, rows_ == 0 ? value : registerValue(last_, bit) + value)) return Error::badField;
  }
  last_.mask = head_.mask;
  row.seq = head_.first + rows_;
  row.t = head_.t0 + static_cast<uint32_t>(rows_) * head_.interval;
  row.interval = head_.interval;
  row.quality = head_.quality;
  row.registers = last_;
  rows_++;
  return Error::none;
}

Error BatchReader::end() const { return reader_.remaining() > 0 ? Error::badLength : Error::none; }

}  // namespace wattmesh
