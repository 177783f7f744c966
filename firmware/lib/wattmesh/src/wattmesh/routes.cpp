#include "wattmesh/routes.hpp"

#include <cstring>

namespace wattmesh {

namespace {
constexpr uint64_t joinLifeUs = 60 * usPerS;
}

const RoutePointer* Routes::find(uint16_t node) const {
  for (size_t i = 0; i < capacity_; i++) {
    if (pointers_[i].node == node && node != 0) return &pointers_[i];
  }
  return nullptr;
}

uint16_t Routes::parentOf(uint16_t node) const {
  const RoutePointer* pointer = find(node);
  return pointer == nullptr ? shortIdNone : pointer->parent;
}

void Routes::set(uint16_t node, uint16_t parent) {
  RoutePointer* place = pointers_;
  for (size_t i = 0; i < capacity_; i++) {
    if (pointers_[i].node == node) {
      place = &pointers_[i];
      break;
    }
    if (pointers_[i].used < place->used) place = &pointers_[i];
  }
  *place = RoutePointer{node, parent, ++uses_};
}

void Routes::learn(const Item& item, uint16_t self) {
  for (size_t i = 0; i < item.hops; i++) {
    if (item.route[i] != 0) set(item.route[i], i + 1 < item.hops ? item.route[i + 1] : self);
  }
}

void Routes::moved(uint16_t node, uint16_t parent) {
  if (node != 0 && parent != 0 && find(node) != nullptr) set(node, parent);
}

void Routes::forget(uint16_t node, uint16_t parent) {
  for (size_t i = 0; i < capacity_; i++) {
    if (pointers_[i].node == node && node != 0 && pointers_[i].parent == parent) pointers_[i] = RoutePointer{};
  }
}

size_t Routes::path(uint16_t self, uint16_t target, uint16_t out[hopsMax]) const {
  uint16_t reversed[hopsMax];
  size_t length = 0;
  for (uint16_t node = target; node != self;) {
    const RoutePointer* pointer = find(node);
    if (pointer == nullptr || length == hopsMax) return 0;
    reversed[length++] = node;
    node = pointer->parent;
  }
  for (size_t i = 0; i < length; i++) out[i] = reversed[length - 1 - i];
  return length;
}

uint16_t Directory::set(const uint8_t nodeId[nodeIdBytes], uint16_t shortId, uint16_t hub) {
  Entry* place = &entries_[0];
  for (Entry& entry : entries_) {
    if (entry.used != 0 && memcmp(entry.nodeId, nodeId, nodeIdBytes) == 0) {
      place = &entry;
      break;
    }
    if (entry.used < place->used) place = &entry;
  }
  const bool known = place->used != 0 && memcmp(place->nodeId, nodeId, nodeIdBytes) == 0;
  const uint16_t former = known ? place->hub : shortIdNone;
  memcpy(place->nodeId, nodeId, nodeIdBytes);
  place->shortId = shortId;
  place->hub = hub;
  place->used = ++uses_;
  return former;
}

const Directory::Entry& Directory::entry(const uint8_t nodeId[nodeIdBytes]) const {
  static constexpr Entry none;
  for (const Entry& entry : entries_) {
    if (entry.used != 0 && memcmp(entry.nodeId, nodeId, nodeIdBytes) == 0) return entry;
  }
  return none;
}

void Directory::joining(const uint8_t nodeId[nodeIdBytes], uint16_t proxy, uint64_t nowUs) {
  JoinEntry* place = &joins_[0];
  for (JoinEntry& entry : joins_) {
    if (entry.heardUs != 0 && memcmp(entry.nodeId, nodeId, nodeIdBytes) == 0) {
      place = &entry;
      break;
    }
    if (entry.heardUs < place->heardUs) place = &entry;
  }
  memcpy(place->nodeId, nodeId, nodeIdBytes);
  place->proxy = proxy;
  place->heardUs = nowUs;
}

void Directory::renewing(const uint8_t nodeId[nodeIdBytes]) {
  for (JoinEntry& entry : joins_) {
    if (memcmp(entry.nodeId, nodeId, nodeIdBytes) == 0) entry.heardUs = 0;
  }
}

bool Directory::findProxy(const uint8_t nodeId[nodeIdBytes], uint64_t nowUs, uint16_t& proxy) const {
  for (const JoinEntry& entry : joins_) {
    if (entry.heardUs == 0 || nowUs - entry.heardUs >= joinLifeUs || memcmp(entry.nodeId, nodeId, nodeIdBytes) != 0) continue;
    proxy = entry.proxy;
    return true;
  }
  return false;
}

}  // namespace wattmesh
