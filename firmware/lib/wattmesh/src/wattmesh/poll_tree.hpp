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

// Numbers of polls that came here lately.
class PollsSeen {
 public:
  // True: it came before. Otherwise it is remembered.
  bool repeats(uint16_t number) {
    for (const uint16_t known : numbers_) {
      if (known == number) return true;
    }
    numbers_[next_] = number;
    next_ = static_cast<uint8_t>((next_ + 1) % pollsSeenMax);
    return false;
  }

 private:
  uint16_t numbers_[pollsSeenMax] = {};  // 0: none, which no poll has
  uint8_t next_ = 0;
};

}  // namespace wattmesh
