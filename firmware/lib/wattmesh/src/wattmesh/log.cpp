#include "wattmesh/log.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/flash.hpp"

namespace wattmesh {

namespace {

constexpr uint8_t logMagic[4] = {'W', 'M', 'l', '1'};
constexpr size_t headerFieldBytes = logHeaderBytes - 4;
constexpr uint32_t rowsPerSector = static_cast<uint32_t>(logSlotsPerSector);

uint32_t headerCrc(const uint8_t* header) { return crc32(header, headerFieldBytes, crc32(logMagic, sizeof logMagic)); }

}  // namespace

uint32_t Log::sectorAddress(uint16_t sector) const { return address_ + sector * static_cast<uint32_t>(sectorBytes); }

uint32_t Log::slotAddress(uint16_t sector, uint16_t slot) const {
  return sectorAddress(sector) + static_cast<uint32_t>(logHeaderBytes + slot * logSlotBytes);
}

uint16_t Log::before(uint16_t sector) const { return static_cast<uint16_t>((sector == 0 ? sectors_ : sector) - 1); }

uint16_t Log::after(uint16_t sector) const { return static_cast<uint16_t>(sector + 1 == sectors_ ? 0 : sector + 1); }

Error Log::open(const Port& port, uint32_t address, uint32_t bytes, Records* records, uint16_t bootCount) {
  *this = Log();
  port_ = &port;
  address_ = address;
  const uint32_t sectors = bytes / static_cast<uint32_t>(sectorBytes);
  if (sectors < logSectorsMin || sectors > logSectorsMax || address % sectorBytes != 0) return Error::badField;
  sectors_ = static_cast<uint16_t>(sectors);
  bool found = false;
  Error error = findHead(found);
  if (error == Error::none && !found) error = findLostHead(records, found);
  if (error != Error::none) return error;
  if (!found) return startEmpty(records, bootCount);
  // Should a header be damaged one day; mostly it is there already.
  error = records == nullptr ? Error::none : records->write(RecordKey::logId, logId_, logIdBytes);
  if (error == Error::none) error = followHead();
  if (error == Error::none) error = findTail();
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

// Without any header the sector of the highest seq is the head.
Error Log::findLostHead(const Records* records, bool& found) {
  if (records == nullptr || !records->read(RecordKey::logId, logId_, logIdBytes)) return Error::none;
  uint32_t highest = 0;
  for (uint16_t sector = 0; sector < sectors_; sector++) {
    uint32_t first = 0;
    uint32_t last = 0;
    const Error error = span(sector, 1, seqMax, first, last);
    if (error != Error::none) return error;
    if (last <= highest) continue;
    highest = last;
    head_ = sector;
    firstSeq_[sector] = first;
  }
  found = highest > 0;
  // Any number that lets all sectors stand before it.
  sequence_ = sectors_;
  return Error::none;
}

// Lowest and highest seq from `least` to `most` among the rows of a sector; both 0: there is none.
Error Log::span(uint16_t sector, uint32_t least, uint32_t most, uint32_t& first, uint32_t& last) const {
  first = 0;
  last = 0;
  for (uint16_t slot = 0; slot < logSlotsPerSector; slot++) {
    Slot state;
    Row row;
    const Error error = readSlot(sector, slot, state, row);
    if (error != Error::none) return error;
    if (state != Slot::row || row.seq < least || row.seq > most) continue;
    if (first == 0) first = row.seq;
    last = row.seq;
  }
  return Error::none;
}

// The sectors behind a full head belong to it when their headers are damaged and their rows go on where its own end. A sector that was
// given up holds older rows.
Error Log::followHead() {
  for (uint16_t step = 1; step < sectors_; step++) {
    Header header;
    bool isValid = false;
    bool full = false;
    Error error = readHeader(after(head_), header, isValid);
    if (error == Error::none) error = isFull(head_, full);
    if (error != Error::none || isValid || !full) return error;
    uint32_t first = 0;
    uint32_t last = 0;
    error = span(head_, firstSeq_[head_], seqMax, first, last);
    if (error != Error::none) return error;
    const uint32_t next = last == 0 ? firstSeq_[head_] : last + 1;
    // Rows at the end of the head may be damaged too.
    error = span(after(head_), next, next < seqMax - 2 * rowsPerSector ? next + 2 * rowsPerSector : seqMax, first, last);
    if (error != Error::none || first == 0) return error;
    head_ = after(head_);
    sequence_++;
    firstSeq_[head_] = first;
  }
  return Error::none;
}

// The tail is the last sector that continues the head's log backwards. Of one whose header is damaged the rows decide; where there are none
// left, the sectors before it may still be whole.
Error Log::findTail() {
  tail_ = head_;
  uint32_t newer = firstSeq_[head_];
  uint32_t sequence = sequence_;
  uint32_t reach = 2 * rowsPerSector;
  for (uint16_t sector = before(head_); sector != head_; sector = before(sector)) {
    if (--sequence == 0) break;
    Header header;
    bool isValid = false;
    Error error = readHeader(sector, header, isValid);
    if (error != Error::none) return error;
    uint32_t first = header.first;
    if (isValid && (header.sequence != sequence || first > newer || memcmp(header.logId, logId_, logIdBytes) != 0)) break;
    if (!isValid) {
      bool isGivenUp = false;
      uint32_t last = 0;
      error = sector == after(head_) ? isFull(head_, isGivenUp) : Error::none;
      if (error == Error::none && !isGivenUp) error = span(sector, newer > reach ? newer - reach : 1, newer - 1, first, last);
      if (error != Error::none) return error;
      if (isGivenUp) break;
    }
    if (first == 0) {
      firstSeq_[sector] = newer;
      reach += rowsPerSector;
      continue;
    }
    firstSeq_[sector] = first;
    newer = first;
    reach = 2 * rowsPerSector;
    tail_ = sector;
  }
  return Error::none;
}

Error Log::isFull(uint16_t sector, bool& full) const {
  Slot state;
  Row row;
  const Error error = readSlot(sector, static_cast<uint16_t>(logSlotsPerSector - 1), state, row);
  full = error == Error::none && state != Slot::blank;
  return error;
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

Error Log::startEmpty(Records* records, uint16_t bootCount) {
  port_->random(port_->context, logId_, logIdBytes);
  logId_[0] = static_cast<uint8_t>(logId_[0] ^ bootCount);
  logId_[1] = static_cast<uint8_t>(logId_[1] ^ bootCount >> 8);
  const Error error = records == nullptr ? Error::none : records->write(RecordKey::logId, logId_, logIdBytes);
  return error == Error::none ? startSector(0, 1) : error;
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
  const Error error = writeVerified(*port_, sectorAddress(sector), header, sizeof header);
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
  if (next_ > seqMax) return Error::counterSpent;
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
  return writeVerified(*port_, slotAddress(head_, slot_), bytes, sizeof bytes);
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
  const Error error = readFrom(seq, row);
  return error == Error::none && row.seq != seq ? Error::nvCorrupt : error;
}

Error Log::readFrom(uint32_t seq, Row& row) {
  const uint32_t least = seq > oldest() ? seq : oldest();
  if (least >= next_) return Error::nvCorrupt;
  uint16_t sector = sectorOf(least);
  // Slots torn before it move a row towards the end; the last row read says by how much at least.
  uint32_t slot = least - firstSeq_[sector];
  if (hintSeq_ >= firstSeq_[sector] && hintSeq_ < least) slot = hintSlot_ + (least - hintSeq_);
  for (;; sector = after(sector), slot = 0) {
    const uint32_t end = sector == head_ ? slot_ : rowsPerSector;
    for (; slot < end; slot++) {
      Slot state;
      const Error error = readSlot(sector, static_cast<uint16_t>(slot), state, row);
      if (error != Error::none) return error;
      if (state != Slot::row || row.seq < least || row.seq >= next_) continue;
      hintSeq_ = row.seq;
      hintSlot_ = static_cast<uint16_t>(slot);
      return Error::none;
    }
    if (sector == head_) return Error::nvCorrupt;
  }
}

Error Log::skipTo(uint32_t seq) {
  if (seq <= next_ || seq > seqMax) return Error::none;
  if (broken_) return Error::nvWrite;
  next_ = seq;
  broken_ = true;
  const Error error = advance();
  broken_ = error != Error::none;
  return error;
}

void Log::traceRow(const Row& row) const {
  uint8_t body[logIdBytes + rowBytes];
  Writer writer(body, sizeof body);
  writer.bytes(logId_, logIdBytes);
  writeRow(writer, row);
  port_->trace(port_->context, Trace::rowCommitted, body, sizeof body);
}

}  // namespace wattmesh
