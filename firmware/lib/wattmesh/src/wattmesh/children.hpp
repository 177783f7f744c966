// What a router keeps for the battery leaves that hang on it until they wake (PROTOCOL.md, section 2.11). Pure: no port, no time of its own.
#pragma once
#include "wattmesh/arena.hpp"
#include "wattmesh/bytes.hpp"
#include "wattmesh/item.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/routed.hpp"

namespace wattmesh {

class Children {
 public:
  // A leaf has reported here. When there are too many, the one that was silent longest leaves.
  void heard(uint16_t shortId, uint64_t nowUs);
  // It reported here within the last hours.
  bool has(uint16_t shortId, uint64_t nowUs) const;
  // When it is to wake: the leaves of one parent are spread evenly over their cycle, and those of two parents begin elsewhere. In 1/65536.
  uint16_t phase(uint16_t shortId, uint16_t parent) const;

  // Custody of a leaf's packet, as a hub confirmed it. Nothing happens when the leaf is none of ours.
  void owe(const CustodyEntry& entry);
  // Keeps a packet for a leaf, the last two of each. False: it is no leaf of ours, there is no room, or the packet is too long.
  bool hold(uint16_t shortId, const uint8_t* packet, size_t length, uint64_t nowUs);

  // Lends the memory of the packets to who has use for it where no leaf sleeps; the packets are forgotten, and none is held until
  // takeBack().
  Room lend();
  void takeBack() { lent_ = false; }

  // Writes what waits for a leaf, as far as there is room.
  void write(uint16_t shortId, Writer& writer);
  // Whether the frame with what was written arrived: if so, it is forgotten.
  void delivered(uint16_t shortId, bool ok);

 private:
  struct Child {
    uint16_t shortId = 0;  // 0: free
    uint8_t session = 0;
    bool owed : 1;
    bool written : 1;
    uint32_t counter = 0;
    uint32_t heardS = 0;

    Child() : owed(false), written(false) {}
  };
  struct Held : Packed {
    uint16_t child = 0;  // 0: free
    uint16_t order = 0;
    bool written = false;
  };

  Child* find(uint16_t shortId);
  Held* place(uint16_t shortId, uint64_t nowUs);

  Child children_[childrenMax];
  Held held_[childPacketsMax];
  uint16_t order_ = 0;
  bool lent_ = false;
  alignas(uint32_t) uint8_t memory_[childBytes];
  Arena arena_{Room{memory_, sizeof memory_}, held_, sizeof held_[0], childPacketsMax};
};

}  // namespace wattmesh
