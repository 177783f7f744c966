// Byte strings of differing lengths in one block of memory, which frees most of what slots of the greatest length would take. Room is given
// away from the front to the end; when the end is reached, what is still there closes up.
#pragma once
#include <cstddef>
#include <cstdint>

namespace wattmesh {

// A byte string in an arena, the first member of what it belongs to. It moves when another one is put there: no pointer to it may last.
struct Packed {
  uint8_t* bytes = nullptr;
  uint16_t length = 0;  // 0: none
};

// Memory that somebody else owns.
struct Room {
  uint8_t* bytes;
  size_t length;
};

class Arena {
 public:
  // All that keep bytes here: `count` structs of `stride` bytes, each of which begins with a Packed. They and `memory` must outlive the arena.
  Arena(Room memory, Packed* owners, size_t stride, size_t count)
      : memory_(memory), end_(memory.bytes), owners_(owners), stride_(stride), count_(count) {}

  // Room for so many bytes, to be written at once; nullptr: there is none. keep() makes them somebody's.
  uint8_t* room(size_t length);
  void keep(Packed& owner, size_t length);
  size_t capacity() const { return memory_.length; }

 private:
  Packed* at(size_t index) const { return reinterpret_cast<Packed*>(reinterpret_cast<uint8_t*>(owners_) + index * stride_); }
  bool fits(size_t length) const { return length <= static_cast<size_t>(memory_.bytes + memory_.length - end_); }
  void close();

  Room memory_;
  uint8_t* end_;  // of what was given away
  Packed* owners_;
  size_t stride_;
  size_t count_;
};

}  // namespace wattmesh
