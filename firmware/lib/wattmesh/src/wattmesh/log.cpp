#include "wattmesh/log.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/flash.hpp"

namespace wattmesh {

namespace {

constexpr uint8_t magic[4] = {'W', 'M', 'l', '1'};
constexpr size_t headerFieldBytes = logHeaderBytes - 4;

uint32_t headerCrc(const uint8_t* header) { return crc32(header, headerFieldBytes, crc32(magic, sizeof magic)); }

}  // namespace

uint32_t Log::sectorAddress(uint16_t sector) const { return address_ + sector * static_cast<uint32_t>(sectorBytes); }

uint32_t Log::slotAddress(uint16_t sector, uint16_t slot) const {
  return sectorAddress(sector) + static_cast<uint32_t>(logHeaderBytes + slot * logSlotBytes);
}

uint16_t Log::before(uint16_t sector) const { return static_cast<uint16_t>((sector == 0 ? sectors_ : sector) - 1); }

uint16_t Log::after(uint16_t sector) const { return static_cast<uint16_t>(sector + 1 == sectors_ ? 0 : sector + 1); }

Error Log::open(const Port& port, uint32_t address, uint32_t bytes) {
  *this = Log();
  port_ = &port;
  address_ = address;
  const uint32_t sectors = bytes / static_cast<uint32_t>(sectorBytes);
  if (sectors < logSectorsMin || sectors > logSectorsMax || address % sectorBytes != 0) return Error::badField;
  sectors_ = static_cast<uint16_t>(sectors);
  bool found = false;
  Error error = findHead(found);
  if (error != Error::none) return error;
  if (!found) return startEmpty();
  error = findTail();
  return error == Error::none ? scanHead() : error;
}

Error Log::readHeader(uint16_t sector, Header& header, bool& isValid) const {
  uint8_t bytes[logHeaderBytes];
  if (!port_->nvRead(port_->context, sectorAddress(sector), bytes, sizeof bytes)) return Error::nvRead;
  Reader reader(bytes, sizeof bytes);
  reader.copy(header.logId, logIdBytes);
  header.sequence = reader.u32();
  header.first = reader.u32();
  isValid = reader.u32() == headerCrc(bytes) && header.first != 0;
  return Error::none;
}

// The head is the sector started last.
Error Log::findHead(bool& found) {
  for (uint16_t sector = 0; sector < sectors_; sector++) {
    Header header;
    bool isValid = false;
    const Error error = readHeader(sector, header, isValid);
    if (error != Error::none) return error;
    if (!isValid || (found && header.sequence < sequence_)) continue;
    found = true;
    head_ = sector;
    sequence_ = header.sequence;
    firstSeq_[sector] = header.first;
    memcpy(logId_, header.logId, logIdBytes);
  }
  return Error::none;
}

// The tail is the last sector that continues the head's log backwards without a gap.
Error Log::findTail() {
  tail_ = head_;
  uint32_t sequence = sequence_;
  while (before(tail_) != head_) {
    const uint16_t sector = before(tail_);
    Header header;
    bool isValid = false;
    const Error error = readHeader(sector, header, isValid);
    if (error != Error::none) return error;
    sequence--;
    if (!isValid || header.sequence != sequence || header.first > firstSeq_[tail_] || memcmp(header.logId, logId_, logIdBytes) != 0) break;
    firstSeq_[sector] = header.first;
    tail_ = sector;
  }
  return Error::none;
}

// Finds the first free slot of the head and the next seq.
Error Log::scanHead() {
  next_ = firstSeq_[head_];
  Row last{};
  for (uint16_t slot = 0; slot < logSlotsPerSector; slot++) {
    Slot state;
    Row row;
    Error error = readSlot(head_, slot, state, row);
    if (error == Error::none && state == Slot::torn) error = wipeTornSlot(slot);
    if (error != Error::none) return error;
    if (state == Slot::blank) continue;
    slot_ = static_cast<uint16_t>(slot + 1);
    if (state != Slot::row || row.seq < next_) continue;
    next_ = row.seq + 1;
    last = row;
  }
  if (last.seq != 0) traceRow(last);
  return Error::none;
}

// A write cut off may leave cells between 0 and 1, which read differently each time: all zeros stay what they are.
Error Log::wipeTornSlot(uint16_t slot) {
  uint8_t bytes[logSlotBytes];
  const uint32_t address = slotAddress(head_, slot);
  if (!port_->nvRead(port_->context, address, bytes, sizeof bytes)) return Error::nvRead;
  if (allBytes(bytes, sizeof bytes, 0)) return Error::none;
  memset(bytes, 0, sizeof bytes);
  return port_->nvWrite(port_->context, address, bytes, sizeof bytes) ? Error::none : Error::nvWrite;
}

Error Log::startEmpty() {
  port_->random(port_->context, logId_, logIdBytes);
  return startSector(0, 1);
}

// Makes `sector` the head: its first row will be next_. What it held before is invalid from the first write on.
Error Log::startSector(uint16_t sector, uint32_t sequence) {
  uint8_t header[logHeaderBytes] = {};
  if (!port_->nvWrite(port_->context, sectorAddress(sector), header, sizeof header)) return Error::nvWrite;
  if (!port_->nvErase(port_->context, sectorAddress(sector))) return Error::nvWrite;
  Writer writer(header, sizeof header);
  writer.bytes(logId_, logIdBytes);
  writer.u32(sequence);
  writer.u32(next_);
  writer.u32(headerCrc(header));
  const Error error = writeVerified(*port_, sectorAddress(sector), header);
  if (error != Error::none) return error;
  head_ = sector;
  slot_ = 0;
  sequence_ = sequence;
  firstSeq_[sector] = next_;
  return Error::none;
}

// Goes on to the next sector; a full log gives up its oldest rows.
Error Log::advance() {
  const uint16_t sector = after(head_);
  if (sector == tail_) {
    const uint32_t last = firstSeq_[after(tail_)] - 1;
    if (last >= firstSeq_[tail_]) {
      uint8_t body[logIdBytes + 8];
      Writer writer(body, sizeof body);
      writer.bytes(logId_, logIdBytes);
      writer.u32(firstSeq_[tail_]);
      writer.u32(last);
      port_->trace(port_->context, Trace::rowOverwritten, body, sizeof body);
    }
    tail_ = after(tail_);
  }
  return startSector(sector, sequence_ + 1);
}

Error Log::append(Row& row) {
  if (broken_) return Error::nvWrite;
  row.seq = next_;
  if (!isValidRow(row)) return Error::badField;
  // Until the write verifies, the log counts as broken.
  broken_ = true;
  Error error = slot_ == logSlotsPerSector ? advance() : Error::none;
  if (error == Error::none) error = writeSlot(row);
  if (error != Error::none) return Error::nvWrite;
  broken_ = false;
  slot_++;
  next_++;
  traceRow(row);
  return Error::none;
}

Error Log::writeSlot(const Row& row) {
  uint8_t bytes[logSlotBytes];
  Writer writer(bytes, sizeof bytes);
  writeRow(writer, row);
  writer.u32(crc32(bytes, rowBytes));
  return writeVerified(*port_, slotAddress(head_, slot_), bytes);
}

Error Log::readSlot(uint16_t sector, uint16_t slot, Slot& state, Row& row) const {
  uint8_t bytes[logSlotBytes];
  if (!port_->nvRead(port_->context, slotAddress(sector, slot), bytes, sizeof bytes)) return Error::nvRead;
  Reader reader(bytes, sizeof bytes);
  readRow(reader, row);
  if (reader.u32() == crc32(bytes, rowBytes)) {
    state = Slot::row;
  } else {
    state = allBytes(bytes, sizeof bytes, 0xff) ? Slot::blank : Slot::torn;
  }
  return Error::none;
}

// The newest sector that starts at or before `seq`, which is held.
uint16_t Log::sectorOf(uint32_t seq) const {
  uint16_t sector = head_;
  while (firstSeq_[sector] > seq) sector = before(sector);
  return sector;
}

Error Log::read(uint32_t seq, Row& row) {
  if (seq < oldest() || seq >= next_) return Error::badField;
  const uint16_t sector = sectorOf(seq);
  // Slots torn before it move a row towards the end; the last row read says by how much at least.
  uint32_t slot = seq - firstSeq_[sector];
  if (hintSeq_ >= firstSeq_[sector] && hintSeq_ < seq) slot = hintSlot_ + (seq - hintSeq_);
  const uint32_t end = sector == head_ ? slot_ : static_cast<uint32_t>(logSlotsPerSector);
  for (; slot < end; slot++) {
    Slot state;
    const Error error = readSlot(sector, static_cast<uint16_t>(slot), state, row);
    if (error != Error::none) return error;
    if (state != Slot::row || row.seq < seq) continue;
    if (row.seq > seq) break;
    hintSeq_ = seq;
    hintSlot_ = static_cast<uint16_t>(slot);
    return Error::none;
  }
  return Error::nvCorrupt;
}

void Log::traceRow(const Row& row) const {
  uint8_t body[logIdBytes + rowBytes];
  Writer writer(body, sizeof body);
  writer.bytes(logId_, logIdBytes);
  writeRow(writer, row);
  port_->trace(port_->context, Trace::rowCommitted, body, sizeof body);
}

}  // namespace wattmesh
