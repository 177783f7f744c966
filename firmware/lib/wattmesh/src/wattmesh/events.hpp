// What is told at once, and again until the head-end has it (PROTOCOL.md, section 4.3).
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/sections.hpp"
#include "wattmesh/token_bucket.hpp"

namespace wattmesh {

class Events {
 public:
  // Takes an event that happens now. One too many is only counted, and told as EventCode::suppressed.
  void raise(EventCode code, int16_t value, uint64_t nowUs);
  // When a packet with what waits is due; never: nothing waits.
  uint64_t nextUs() const { return count_ == 0 ? never : dueUs_; }
  // Tells how many were suppressed, once there is room for that.
  void tick(uint64_t nowUs);
  // Everything that waits goes anew: there is another session.
  void again(uint64_t nowUs);
  // Writes what waits; all of it fits any packet.
  void write(Writer& writer, const NetworkClock& clock);
  // Whether what write() wrote last is on its way.
  void told(bool sent, uint64_t nowUs);
  // The head-end has this one.
  void seen(const Event& event);
  // Through deep sleep; there is room for four that wait.
  void pass(SleepState& state);

 private:
  static constexpr uint8_t told_ = 0x80;  // of a code

  struct Waiting {
    uint64_t at;  // local time; once it was told network time, ms, which is part of its identity
    int16_t value;
    uint8_t code;  // with told_, once it was

    Event event() const { return Event{static_cast<uint8_t>(code & ~told_), at, value}; }
  };

  uint64_t toldAtMs(uint64_t utcMs);

  uint64_t dueUs_ = 0;
  uint64_t lastMs_ = 0;  // that was told
  // What pass() keeps as it lies here.
  uint16_t pauseS_ = 0;
  int16_t suppressed_ = 0;
  uint8_t count_ = 0;
  TokenBucket bucket_ = TokenBucket::oneIn(eventPeriodS * usPerS, eventsMax);
  Waiting waiting_[eventsMax] = {};
};

}  // namespace wattmesh
