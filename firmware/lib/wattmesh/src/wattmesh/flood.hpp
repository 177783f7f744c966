// The traditional mesh, mode "flooding": every packet is broadcast by everybody who hears it for the first time, unless enough neighbours were
// heard doing so before (the counter-based scheme of Ni et al., "The broadcast storm problem in a mobile ad hoc network", 1999; PROTOCOL.md,
// section 2.8). Packets wait in the node's queue. Pure: no port, no time of its own.
#pragma once
#include "wattmesh/control.hpp"
#include "wattmesh/queue.hpp"

namespace wattmesh {

class Flooding {
 public:
  // Of the floods known lately.
  static constexpr size_t memoryBytes = 512;
  static constexpr uint8_t ttlMax = hopsMax;
  // Who has heard a packet this often by its turn keeps quiet.
  static constexpr uint8_t copiesEnough = 3;
  // Turns are drawn from this long.
  static constexpr uint64_t spreadUs = 60 * usPerMs;
  // After a packet was sent it is sent again, at most so often in all, unless somebody is heard who repeats it: one neighbour for its origin,
  // for a relay another one than whom it has it from. Between two sends a node listens for this long, and up to `spreadUs` longer.
  static constexpr uint8_t originSendsMax = 3;
  static constexpr uint8_t relaySendsMax = 2;
  static constexpr uint64_t listenUs = 250 * usPerMs;

  // Numbers go on from `number`: drawn at each boot, since neighbours remember those of the life before.
  void begin(uint16_t number) { number_ = number; }

  // Remembers floods in `memory`, of none so far; without memory, none.
  void use(Room memory);
  bool remembers() const { return seenMax_ > 0; }

  // Puts a packet into the mesh in the name of `origin`. nullptr: the queue is full.
  QueuedItem* start(uint16_t origin, Direction direction, const uint8_t* packet, size_t length, Queue& queue, uint64_t nowUs);
  // A copy was heard: true for the first one.
  bool heard(const Flood& flood, Queue& queue);
  // This node's turn to repeat what it heard comes at `dueUs`. False: the queue is full.
  bool repeat(const Flood& flood, Queue& queue, uint64_t nowUs, uint64_t dueUs);

  // What is to be broadcast now, nullptr: nothing. Drops what enough others have repeated.
  QueuedItem* due(Queue& queue, uint64_t nowUs);
  // The frame under way went out; the node listens until `againUs` for somebody to repeat it.
  void sent(Queue& queue, uint64_t againUs);
  // The radio did not take it.
  void refused(QueuedItem& slot, uint64_t againUs);
  uint64_t nextUs(Queue& queue) const;

 private:
  // Floods known lately, in a ring.
  struct Seen {
    uint16_t origin;  // 0: free
    uint16_t number;
  };

  bool seen(uint16_t origin, uint16_t number) const;
  void remember(uint16_t origin, uint16_t number);

  uint8_t next_ = 0;
  uint8_t seenMax_ = 0;
  uint16_t number_ = 0;
  Seen* seen_ = nullptr;
};

}  // namespace wattmesh
