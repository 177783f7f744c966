// The tree of one poll while a hub puts it together: the way to a member, and others who hang on it (PROTOCOL.md, section 2.3).
#pragma once
#include "wattmesh/routed.hpp"

namespace wattmesh {

class PollTree {
 public:
  // Begins with a way: short ids from the hub's neighbour on.
  PollTree(const uint16_t* path, size_t hops);

  // Somebody whose parent is in the tree.
  void add(uint16_t shortId, size_t parent);
  void ask(size_t index);

  size_t size() const { return entries_; }
  PollEntry at(size_t index) const { return pollEntry(bytes_, index); }
  // size() when it is not there.
  size_t find(uint16_t shortId) const;
  uint8_t depth() const;
  const uint8_t* bytes() const { return bytes_; }

 private:
  void put(size_t index, const PollEntry& entry);

  size_t entries_ = 0;
  uint8_t bytes_[pollEntriesMax * pollEntryBytes];
};

// Which nodes of a poll's tree a frame is for that passes it on.
class PollPart {
 public:
  void add(size_t index) { bits_[index / 8] = static_cast<uint8_t>(bits_[index / 8] | 1u << index % 8); }
  bool holds(size_t index) const { return (bits_[index / 8] >> index % 8 & 1) != 0; }
  size_t count() const {
    size_t found = 0;
    for (size_t i = 0; i < pollEntriesMax; i++) found += holds(i) ? 1 : 0;
    return found;
  }

  uint8_t depth = 0;  // hops to the deepest of them

 private:
  uint8_t bits_[(pollEntriesMax + 7) / 8] = {};
};

}  // namespace wattmesh
