#include "wattmesh/children.hpp"

#include <cstring>

#include "wattmesh/clock.hpp"

namespace wattmesh {

namespace {
// Four of the longest cycles of a leaf.
constexpr uint32_t forgottenS = 3 * 3600;
constexpr size_t packetsPerChild = 2;
constexpr unsigned indexBits = 5;
static_assert(childrenMax == 1u << indexBits, "a phase for each child");
// Odd, and near the golden section of 65536: short ids that follow each other lie far apart.
constexpr uint16_t spread = 40503;

uint32_t secondsOf(uint64_t nowUs) { return static_cast<uint32_t>(nowUs / usPerS); }
}  // namespace

Children::Child* Children::find(uint16_t shortId) {
  for (Child& child : children_) {
    if (child.shortId == shortId && shortId != shortIdNone) return &child;
  }
  return nullptr;
}

void Children::heard(uint16_t shortId, uint64_t nowUs) {
  Child* child = find(shortId);
  if (child == nullptr) {
    child = &children_[0];
    for (Child& candidate : children_) {
      if (child->shortId == shortIdNone) break;
      if (candidate.shortId == shortIdNone || candidate.heardS < child->heardS) child = &candidate;
    }
    for (Held& held : held_) {
      if (held.child == child->shortId) held.child = shortIdNone;
    }
    *child = Child{};
    child->shortId = shortId;
  }
  child->heardS = secondsOf(nowUs);
}

bool Children::has(uint16_t shortId, uint64_t nowUs) const {
  const Child* child = const_cast<Children*>(this)->find(shortId);
  return child != nullptr && secondsOf(nowUs) - child->heardS < forgottenS;
}

// The index with its bits in reverse (van der Corput): however many there are, the gaps are as even as they can be.
uint16_t Children::phase(uint16_t shortId, uint16_t parent) const {
  unsigned index = 0;
  while (index < childrenMax && children_[index].shortId != shortId) index++;
  unsigned reversed = 0;
  for (unsigned bit = 0; bit < indexBits; bit++) reversed |= (index >> bit & 1u) << (15 - bit);
  return static_cast<uint16_t>(reversed + unsigned{parent} * spread);
}

void Children::owe(const CustodyEntry& entry) {
  Child* child = find(entry.origin);
  if (child == nullptr) return;
  child->owed = true;
  child->written = false;
  child->session = entry.session;
  child->counter = entry.counter;
}

// A leaf that does not come must not use up the room of the others.
Children::Held* Children::place(uint16_t shortId, uint64_t nowUs) {
  Held* free = nullptr;
  Held* oldest = nullptr;
  size_t count = 0;
  for (Held& held : held_) {
    if (!has(held.child, nowUs)) {
      free = &held;
    } else if (held.child == shortId) {
      count++;
      if (oldest == nullptr || static_cast<int16_t>(held.order - oldest->order) < 0) oldest = &held;
    }
  }
  return count == packetsPerChild ? oldest : free;
}

bool Children::hold(uint16_t shortId, const uint8_t* packet, size_t length, uint64_t nowUs) {
  Held* held = !lent_ && has(shortId, nowUs) && length <= heldBytesMax ? place(shortId, nowUs) : nullptr;
  if (held == nullptr) return false;
  *held = Held{};
  for (Held& other : held_) {
    if (!has(other.child, nowUs)) other.length = 0;
  }
  uint8_t* room = arena_.room(length);
  if (room == nullptr) return false;
  memcpy(room, packet, length);
  arena_.keep(*held, length);
  held->child = shortId;
  held->order = order_++;
  return true;
}

Room Children::lend() {
  lent_ = true;
  for (Held& held : held_) held = Held{};
  return Room{memory_, sizeof memory_};
}

void Children::write(uint16_t shortId, Writer& writer) {
  Child* child = find(shortId);
  if (child != nullptr && child->owed) {
    const CustodyEntry entry{shortId, child->session, child->counter};
    child->written = writeCustody(writer, &entry, 1);
  }
  for (Held& held : held_) {
    if (held.child == shortId) held.written = writePacketFor(writer, shortId, held.bytes, held.length);
  }
}

void Children::delivered(uint16_t shortId, bool ok) {
  Child* child = find(shortId);
  if (child != nullptr && child->written) {
    child->owed = child->owed && !ok;
    child->written = false;
  }
  for (Held& held : held_) {
    if (held.child != shortId || shortId == shortIdNone || !held.written) continue;
    if (ok) held.child = shortIdNone;
    held.written = false;
  }
}

}  // namespace wattmesh
