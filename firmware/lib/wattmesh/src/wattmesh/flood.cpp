#include "wattmesh/flood.hpp"

namespace wattmesh {

namespace {

// With so many heard there is nothing left to do.
uint8_t copiesWanted(const QueuedItem& slot) {
  if (slot.attempts == 0) return slot.starts ? uint8_t{UINT8_MAX} : Flooding::copiesEnough;
  return slot.starts ? 1 : 2;
}

bool isFlood(const QueuedItem& slot) { return slot.state == QueuedItem::State::flooding; }

}  // namespace

void Flooding::use(Room memory) {
  seen_ = reinterpret_cast<Seen*>(memory.bytes);
  seenMax_ = static_cast<uint8_t>((memory.length < memoryBytes ? memory.length : memoryBytes) / sizeof(Seen));
  next_ = 0;
  for (size_t i = 0; i < seenMax_; i++) seen_[i] = Seen{};
}

bool Flooding::seen(uint16_t origin, uint16_t number) const {
  for (size_t i = 0; i < seenMax_; i++) {
    if (seen_[i].origin == origin && seen_[i].number == number) return true;
  }
  return false;
}

void Flooding::remember(uint16_t origin, uint16_t number) {
  if (!remembers()) return;
  seen_[next_] = Seen{origin, number};
  next_ = static_cast<uint8_t>((next_ + 1) % seenMax_);
}

QueuedItem* Flooding::start(uint16_t origin, Direction direction, const uint8_t* packet, size_t length, Queue& queue, uint64_t nowUs) {
  number_++;
  QueuedItem* slot = queue.pushFlood(Flood{ttlMax, origin, number_, direction, packet, length}, nowUs);
  if (slot == nullptr) return nullptr;
  slot->starts = true;
  // It comes back from the neighbours.
  remember(origin, number_);
  return slot;
}

bool Flooding::heard(const Flood& flood, Queue& queue) {
  if (!seen(flood.origin, flood.number)) {
    remember(flood.origin, flood.number);
    return true;
  }
  for (QueuedItem& slot : queue) {
    if (slot.state == QueuedItem::State::empty || slot.copies == UINT8_MAX) continue;
    if (slot.floods && slot.origin == flood.origin && slot.counter == flood.number) slot.copies++;
  }
  return false;
}

bool Flooding::repeat(const Flood& flood, Queue& queue, uint64_t nowUs, uint64_t dueUs) {
  Flood mine = flood;
  mine.ttl--;
  QueuedItem* slot = queue.pushFlood(mine, nowUs);
  if (slot == nullptr) return false;
  slot->copies = 1;
  slot->dueUs = dueUs;
  return true;
}

QueuedItem* Flooding::due(Queue& queue, uint64_t nowUs) {
  for (QueuedItem& slot : queue) {
    if (!isFlood(slot) || slot.dueUs > nowUs) continue;
    if (slot.copies < copiesWanted(slot)) return &slot;
    slot.state = QueuedItem::State::empty;
  }
  return nullptr;
}

void Flooding::sent(Queue& queue, uint64_t againUs) {
  for (QueuedItem& slot : queue) {
    if (slot.state != QueuedItem::State::inFlight || !slot.floods) continue;
    slot.attempts++;
    const bool again = slot.attempts < (slot.starts ? originSendsMax : relaySendsMax);
    slot.state = again ? QueuedItem::State::flooding : QueuedItem::State::empty;
    slot.dueUs = againUs;
  }
}

void Flooding::refused(QueuedItem& slot, uint64_t againUs) {
  slot.state = QueuedItem::State::flooding;
  slot.dueUs = againUs;
}

uint64_t Flooding::nextUs(Queue& queue) const {
  uint64_t next = never;
  for (const QueuedItem& slot : queue) {
    if (isFlood(slot) && slot.dueUs < next) next = slot.dueUs;
  }
  return next;
}

}  // namespace wattmesh
