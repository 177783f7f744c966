// Items on their way up: the queue of a relay and, with custody, of a hub or gateway.
#pragma once
#include "wattmesh/arena.hpp"
#include "wattmesh/clock.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/item.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/stamp.hpp"

namespace wattmesh {

struct QueuedItem : Packed {  // the item as it was received
  enum class State : uint8_t {
    empty,
    waiting,   // to be sent from `dueUs` on
    inFlight,  // at the radio
    handedOn,  // heard by the next hop (or given to the host): kept until custody is confirmed, sent again at `dueUs`
    flooding,  // to be broadcast at `dueUs`, in mode "flooding"
  };
  uint16_t origin = 0;      // short id, 0 not joined
  State state = State::empty;
  bool own : 1;             // made by this node
  bool uncustodied : 1;     // M1 or an empty answer: nobody's custody
  bool urgent : 1;
  bool floods : 1;          // the bytes are a FLOOD body, `origin` and `counter` those of the flood
  bool starts : 1;          // and this node is its origin
  bool spooled : 1;         // a copy of what is in the spool, with this number there
  uint8_t copies = 0;       // of it that were heard
  uint8_t attempts = 0;
  uint8_t session = 0;
  int8_t rssi = 0;
  uint16_t spoolNumber = 0;
  uint32_t counter = 0;
  uint32_t upNumber = 0;    // gateways: number of the UP envelope, 0 none yet
  Stamp receivedUs;  // 0: not known any more
  Stamp dueUs;

  QueuedItem() : own(false), uncustodied(false), urgent(false), floods(false), starts(false), spooled(false) {}
};

class Queue {
 public:
  // `memory` must outlive the queue; queueFramesMax items of the usual length fit into much less than as many of the longest.
  explicit Queue(Room memory) : arena_(memory, slots_, sizeof slots_[0], queueFramesMax) {}

  // Takes a copy, which must not lie in the queue; nullptr: the queue is full, or the item does not fit a frame any more.
  QueuedItem* push(const Item& item, uint64_t nowUs);
  // Takes a copy of a flood, to be broadcast at once; nullptr: the queue is full.
  QueuedItem* pushFlood(const Flood& flood, uint64_t nowUs);
  // Frees handed-on packets that a custodian now keeps. True when one was there.
  bool release(uint16_t origin, uint8_t session, uint32_t counter);
  QueuedItem* byUpNumber(uint32_t number);
  bool holdsOwn() const;
  // This node's report that waits to be sent; nullptr: none does.
  QueuedItem* ownReport();
  // The same packet waits already.
  bool holds(const Item& item) const;
  // Drops this node's own packets, one at the radio when it comes back: their session is gone, and the log still holds the rows.
  void dropOwn();
  size_t count() const;
  // More than half full, by number or by length.
  bool congested() const;
  // Of what others hand over, so many bytes more would be taken.
  bool hasRoom(size_t length) const;

  QueuedItem* begin() { return slots_; }
  QueuedItem* end() { return slots_ + queueFramesMax; }

 private:
  QueuedItem* place(size_t length, bool forOthers);
  size_t bytes() const;

  QueuedItem slots_[queueFramesMax];
  Arena arena_;
};

// Packets seen lately: a repeat is confirmed again but not queued twice.
class DuplicateCache {
 public:
  bool contains(const uint8_t* packet, size_t length) const;
  void add(const uint8_t* packet, size_t length);

  static uint32_t markOf(const uint8_t* packet, size_t length);

 private:
  uint8_t next_ = 0;
  uint32_t marks_[duplicateCacheMax] = {};
};

// Packets that a relay took on in the last 8 s. Where only the radio's acknowledgement was lost a packet comes again, in a moment and perhaps by
// another way; what comes later was lost further up, and goes on. Marks of two bytes and times of one do: whoever is taken for another, once in
// thousands of packets, is asked for its rows again.
class JustPassed {
 public:
  bool contains(const uint8_t* packet, size_t length, uint64_t nowUs) const;
  void add(const uint8_t* packet, size_t length, uint64_t nowUs);

 private:
  static constexpr unsigned unitShift = 20;  // of times: about a second
  static constexpr uint8_t unitsMax = 8;
  static uint16_t markOf(const uint8_t* packet, size_t length) { return static_cast<uint16_t>(DuplicateCache::markOf(packet, length) >> 16); }
  static uint8_t unitOf(uint64_t nowUs) { return static_cast<uint8_t>(nowUs >> unitShift); }

  uint8_t next_ = 0;
  uint8_t units_[justPassedMax] = {};
  uint16_t marks_[justPassedMax] = {};  // 0: most likely none
};

}  // namespace wattmesh
