// One frame at a time to the radio: small frames waiting for their turn, and what is in the air at present.
#pragma once
#include <cstring>

#include "wattmesh/arena.hpp"
#include "wattmesh/link.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/stamp.hpp"

namespace wattmesh {

// A frame of its own (a poll, a custody confirmation, a packet on its way down), tried three times, then dropped: what it carried comes again.
struct ControlFrame : Packed {  // its body
  uint8_t to[macBytes] = {};
  FrameType type = FrameType::routed;
  uint8_t attempts : 5;
  bool once : 1;  // its receiver listens for a moment only: not tried again
  bool used : 1;
  bool inFlight : 1;
  Stamp dueUs;

  ControlFrame() : attempts(0), once(false), used(false), inFlight(false) {}
};

// Frames to everybody with something for several: polls (PROTOCOL.md, section 2.3).
inline bool isCall(const ControlFrame& frame) { return frame.type == FrameType::routed && isBroadcast(frame.to); }

class ControlQueue {
 public:
  static constexpr size_t framesMax = 8;

  // `memory` must outlive the queue.
  explicit ControlQueue(Room memory) : arena_(memory, frames_, sizeof frames_[0], framesMax) {}
  static constexpr uint8_t attemptsMax = 3;

  // Takes a copy of the body, which is not empty; false: there is no room.
  bool push(FrameType type, const uint8_t to[macBytes], const uint8_t* body, size_t length, uint64_t nowUs) {
    return place(type, to, body, length, nowUs) != nullptr;
  }
  bool pushOnce(FrameType type, const uint8_t to[macBytes], const uint8_t* body, size_t length, uint64_t nowUs) {
    ControlFrame* frame = place(type, to, body, length, nowUs);
    if (frame != nullptr) frame->once = true;
    return frame != nullptr;
  }

  // A frame of this type to this neighbour is on its way already.
  bool waits(FrameType type, const uint8_t to[macBytes]) const {
    for (const ControlFrame& frame : frames_) {
      if (frame.used && frame.type == type && memcmp(frame.to, to, macBytes) == 0) return true;
    }
    return false;
  }

  ControlFrame* due(uint64_t nowUs) {
    for (ControlFrame& frame : frames_) {
      if (frame.used && frame.dueUs <= nowUs) return &frame;
    }
    return nullptr;
  }

  ControlFrame* inFlight() {
    for (ControlFrame& frame : frames_) {
      if (frame.used && frame.inFlight) return &frame;
    }
    return nullptr;
  }

  uint64_t nextUs() const {
    uint64_t next = never;
    for (const ControlFrame& frame : frames_) {
      if (frame.used && !frame.inFlight && frame.dueUs < next) next = frame.dueUs;
    }
    return next;
  }

 private:
  ControlFrame* place(FrameType type, const uint8_t to[macBytes], const uint8_t* body, size_t length, uint64_t nowUs) {
    ControlFrame* free = nullptr;
    for (ControlFrame& frame : frames_) {
      if (frame.used) continue;
      frame.length = 0;
      if (free == nullptr) free = &frame;
    }
    uint8_t* room = free == nullptr ? nullptr : arena_.room(length);
    if (room == nullptr) return nullptr;
    *free = ControlFrame{};
    free->used = true;
    free->type = type;
    free->dueUs = nowUs;
    memcpy(free->to, to, macBytes);
    memcpy(room, body, length);
    arena_.keep(*free, length);
    return free;
  }

  ControlFrame frames_[framesMax];
  Arena arena_;
};

}  // namespace wattmesh
