#include "wattmesh/spool.hpp"

#include "wattmesh/bytes.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/flash.hpp"

namespace wattmesh {

namespace {

constexpr size_t crcAt = spoolHeadBytes - 4;
constexpr size_t goneAt = spoolSlotBytes - 4;
constexpr uint32_t slotsPerSector = sectorBytes / spoolSlotBytes;
constexpr uint32_t slots = spoolSectors * slotsPerSector;
static_assert(spoolHeadBytes + bodyBytesMax <= goneAt, "the longest item must fit a slot");
static_assert(slots - slotsPerSector >= spoolPacketsMax, "the sector that is erased next must hold no packet");

uint32_t crcOf(const uint8_t* head, const uint8_t* item, size_t length) { return crc32(item, length, crc32(head, crcAt)); }

}  // namespace

uint32_t Spool::addressOf(uint32_t sequence) const { return address_ + sequence % slots * static_cast<uint32_t>(spoolSlotBytes); }

Error Spool::read(uint32_t sequence, SpooledItem& item, Slot& state) const {
  if (!port_->nvRead(port_->context, addressOf(sequence), item.slot, sizeof item.slot)) return Error::nvRead;
  Reader head(item.slot, spoolHeadBytes);
  const bool isItsPlace = head.u32() == sequence && item.length() <= bodyBytesMax;
  head.u32();
  if (allBytes(item.slot, spoolHeadBytes, 0xff)) {
    state = Slot::blank;
  } else if (!isItsPlace || head.u32() != crcOf(item.slot, item.item(), item.length())) {
    state = Slot::torn;
  } else {
    state = allBytes(item.slot + goneAt, spoolSlotBytes - goneAt, 0) ? Slot::gone : Slot::held;
  }
  return Error::none;
}

Error Spool::open(const Port& port, uint32_t address, uint32_t bytes) {
  *this = Spool();
  if (bytes < spoolSectors * sectorBytes || address % sectorBytes != 0) return Error::badField;
  port_ = &port;
  address_ = address;
  SpooledItem item;
  Slot state = Slot::blank;
  for (uint32_t slot = 0; slot < slots; slot++) {
    uint8_t head[4];
    if (!port.nvRead(port.context, addressOf(slot), head, sizeof head)) return Error::nvRead;
    const uint32_t sequence = Reader(head, sizeof head).u32();
    if (sequence % slots != slot || sequence < next_) continue;
    const Error error = read(sequence, item, state);
    if (error != Error::none) return error;
    if (state >= Slot::gone) next_ = sequence + 1;
  }
  first_ = next_ > spoolPacketsMax ? next_ - static_cast<uint32_t>(spoolPacketsMax) : 0;
  for (state = Slot::gone; first_ != next_; first_++) {
    const Error error = read(first_, item, state);
    if (error != Error::none) return error;
    if (state == Slot::held) break;
  }
  out_ = first_;
  // What was torn in the sector that is being filled is no place any more.
  for (; next_ % slotsPerSector != 0; next_++) {
    const Error error = read(next_, item, state);
    if (error != Error::none || state == Slot::blank) return error;
  }
  return Error::none;
}

Error Spool::append(const uint8_t* item, size_t length, int8_t rssi) {
  if (full() || length > bodyBytesMax) return Error::queueFull;
  const uint32_t address = addressOf(next_);
  if (next_ % slotsPerSector == 0 && !port_->nvErase(port_->context, address)) return Error::nvWrite;
  uint8_t head[spoolHeadBytes];
  Writer writer(head, sizeof head);
  writer.u32(next_);
  writer.u8(static_cast<uint8_t>(length));
  writer.u8(static_cast<uint8_t>(rssi));
  writer.u16(0xffff);
  writer.u32(crcOf(head, item, length));
  // Used in any case: nobody knows what a write that fails leaves behind.
  next_++;
  // The head first: a place that is not blank shows by it.
  Error error = writeVerified(*port_, address, head, sizeof head);
  for (size_t at = 0; at < length && error == Error::none; at += flashSlotBytes) {
    const size_t part = length - at < flashSlotBytes ? length - at : flashSlotBytes;
    error = writeVerified(*port_, address + static_cast<uint32_t>(spoolHeadBytes + at), item + at, part);
  }
  return error;
}

bool Spool::take(SpooledItem& item) {
  Slot state = Slot::torn;
  const Error error = read(out_, item, state);
  out_++;
  return error == Error::none && state == Slot::held;
}

void Spool::gone() {
  static constexpr uint8_t mark[spoolSlotBytes - goneAt] = {};
  // If this fails the packet is sent once more by a later life, and found to be a repeat at its end.
  (void)port_->nvWrite(port_->context, addressOf(first_) + static_cast<uint32_t>(goneAt), mark, sizeof mark);
  first_++;
}

}  // namespace wattmesh
