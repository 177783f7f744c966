#include "wattmesh/queue.hpp"

#include "wattmesh/bytes.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/packet.hpp"

namespace wattmesh {

namespace {
// Of an item in a queue, which shares nothing with another.
size_t itemBytes(const Item& item) { return 2 + 2u * item.hops + (item.isAnswer ? 2 : 0) + item.packetLength; }
}  // namespace

QueuedItem* Queue::push(const Item& item, uint64_t nowUs) {
  PacketHeader header{};
  const bool empty = item.packetLength == 0;
  if (!empty && decodePacketHeader(item.packet, item.packetLength, header) != Error::none) return nullptr;
  const size_t bytes = itemBytes(item);
  // A node that has to join again sends nothing of others before: its own handshake must find room.
  QueuedItem* slot = bytes > bodyBytesMax ? nullptr : place(bytes, item.hops > 0);
  if (slot == nullptr) return nullptr;
  Writer writer(slot->bytes, bytes);
  if (!encodeItem(writer, item)) return nullptr;
  slot->state = QueuedItem::State::waiting;
  slot->uncustodied = empty || header.type == packetM1;
  slot->urgent = item.urgent;
  slot->origin = item.hops > 0 ? item.route[0] : 0;
  slot->session = header.session;
  slot->counter = header.counter;
  slot->receivedUs = nowUs;
  slot->dueUs = nowUs;
  return slot;
}

QueuedItem* Queue::pushFlood(const Flood& flood, uint64_t nowUs) {
  const size_t bytes = floodHeaderBytes + flood.packetLength;
  QueuedItem* slot = bytes > bodyBytesMax ? nullptr : place(bytes, false);
  if (slot == nullptr || encodeFlood(flood, slot->bytes, bytes) == 0) return nullptr;
  slot->state = QueuedItem::State::flooding;
  slot->floods = true;
  slot->origin = flood.origin;
  slot->counter = flood.number;
  slot->receivedUs = nowUs;
  slot->dueUs = nowUs;
  return slot;
}

// A free slot, as new, with room for so many bytes; nullptr: there is none, or for others only what is kept for this node's own.
QueuedItem* Queue::place(size_t length, bool forOthers) {
  if (forOthers && !hasRoom(length)) return nullptr;
  QueuedItem* place = nullptr;
  for (QueuedItem& slot : slots_) {
    if (slot.state != QueuedItem::State::empty) continue;
    slot.length = 0;
    if (place == nullptr) place = &slot;
  }
  if (place == nullptr || arena_.room(length) == nullptr) return nullptr;
  *place = QueuedItem{};
  arena_.keep(*place, length);
  return place;
}

bool Queue::release(uint16_t origin, uint8_t session, uint32_t counter) {
  for (QueuedItem& slot : slots_) {
    if (slot.state != QueuedItem::State::handedOn || slot.origin != origin || slot.session != session || slot.counter != counter) {
      continue;
    }
    slot.state = QueuedItem::State::empty;
    return true;
  }
  return false;
}

QueuedItem* Queue::byUpNumber(uint32_t number) {
  for (QueuedItem& slot : slots_) {
    if (slot.state == QueuedItem::State::handedOn && slot.upNumber == number) return &slot;
  }
  return nullptr;
}

bool Queue::holdsOwn() const {
  for (const QueuedItem& slot : slots_) {
    const bool unsent = slot.state == QueuedItem::State::flooding && slot.attempts == 0;
    if (slot.own && (unsent || slot.state == QueuedItem::State::waiting || slot.state == QueuedItem::State::inFlight)) return true;
  }
  return false;
}

QueuedItem* Queue::ownReport() {
  for (QueuedItem& slot : slots_) {
    if (slot.own && !slot.uncustodied && slot.state == QueuedItem::State::waiting) return &slot;
  }
  return nullptr;
}

bool Queue::holds(const Item& item) const {
  for (const QueuedItem& slot : slots_) {
    if (slot.state == QueuedItem::State::empty || slot.floods || slot.origin != item.route[0] || slot.length < item.packetLength) continue;
    Item held{};
    Reader reader(slot.bytes, slot.length);
    if (decodeItem(reader, held) != Error::none || held.packetLength != item.packetLength) continue;
    if (memcmp(held.packet, item.packet, item.packetLength) == 0) return true;
  }
  return false;
}

void Queue::dropOwn() {
  for (QueuedItem& slot : slots_) {
    if (!slot.own) continue;
    if (slot.state == QueuedItem::State::inFlight) {
      slot.attempts = UINT8_MAX;
    } else {
      slot.state = QueuedItem::State::empty;
    }
  }
}

bool Queue::hasRoom(size_t length) const {
  return count() + queueOwnReserve < queueFramesMax && bytes() + length + queueOwnReserveBytes <= arena_.capacity();
}

bool Queue::congested() const { return count() > queueFramesMax / 2 || bytes() > arena_.capacity() / 2; }

size_t Queue::bytes() const {
  size_t bytes = 0;
  for (const QueuedItem& slot : slots_) bytes += slot.state == QueuedItem::State::empty ? 0 : slot.length;
  return bytes;
}

size_t Queue::count() const {
  size_t count = 0;
  for (const QueuedItem& slot : slots_) count += slot.state == QueuedItem::State::empty ? 0 : 1;
  return count;
}

// The CRC of the packet, not of its header alone: session ids come again, and then counters do too. The last bytes are left out, since the
// CRC of something that ends in its own CRC (suite 0x00) is always the same. 0 marks an empty place.
uint32_t DuplicateCache::markOf(const uint8_t* packet, size_t length) {
  constexpr size_t ownCrcBytes = 4;
  return crc32(packet, length > ownCrcBytes ? length - ownCrcBytes : length) | 1u;
}

bool DuplicateCache::contains(const uint8_t* packet, size_t length) const {
  const uint32_t mark = markOf(packet, length);
  for (const uint32_t known : marks_) {
    if (known == mark) return true;
  }
  return false;
}

void DuplicateCache::add(const uint8_t* packet, size_t length) {
  marks_[next_] = markOf(packet, length);
  next_ = static_cast<uint8_t>((next_ + 1) % duplicateCacheMax);
}

bool JustPassed::contains(const uint8_t* packet, size_t length, uint64_t nowUs) const {
  const uint16_t mark = markOf(packet, length);
  for (size_t i = 0; i < justPassedMax; i++) {
    if (marks_[i] == mark && static_cast<uint8_t>(unitOf(nowUs) - units_[i]) <= unitsMax) return true;
  }
  return false;
}

void JustPassed::add(const uint8_t* packet, size_t length, uint64_t nowUs) {
  marks_[next_] = markOf(packet, length);
  units_[next_] = unitOf(nowUs);
  next_ = static_cast<uint8_t>((next_ + 1) % justPassedMax);
}

}  // namespace wattmesh
