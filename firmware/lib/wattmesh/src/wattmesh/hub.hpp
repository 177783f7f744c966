// A hub's members: polled in rounds, the deepest first, with custody and held packets riding on the polls (PROTOCOL.md, section 4.1). One poll
// asks as many members of a branch as its frame has room for, and their answers travel as one.
#pragma once
#include "wattmesh/arena.hpp"
#include "wattmesh/clock.hpp"
#include "wattmesh/config.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/poll_timer.hpp"
#include "wattmesh/poll_tree.hpp"
#include "wattmesh/routed.hpp"

namespace wattmesh {

// What carries a hub's words down: the node.
class Downward {
 public:
  // Sends sections to a node below; false: no route or no room now.
  virtual bool sendRouted(uint16_t target, const uint8_t* sections, size_t length) = 0;
  // Sends them to everybody in reach: a poll of those who hang on this hub itself, which is the first in its tree.
  virtual bool call(const uint8_t* sections, size_t length) = 0;
  // Short ids from the first hop to a node below, which is the last; their number, 0: no route known.
  virtual size_t pathTo(uint16_t target, uint16_t path[hopsMax]) const = 0;
  // Through whom a node below sends, 0: unknown.
  virtual uint16_t parentOf(uint16_t node) const = 0;

 protected:
  ~Downward() = default;
};

struct Member : Packed {  // the packet that is held for it
  uint16_t shortId = 0;  // 0: free
  uint16_t branch = 0;   // the hub's neighbour that it came through
  uint16_t inPoll = 0;   // number of the poll that carried what is owed and held, 0 none
  uint16_t asked = 0;    // number of the poll whose answer is awaited, 0 none
  PollTimer timer;
  uint8_t hops = 0;      // from the hub, as its last packet told
  uint8_t misses = 0;    // polls in a row without an answer
  uint8_t skips = 0;     // rounds to come without a poll
  uint8_t again = 0;     // polls repeated in this round because more rows wait
  bool pending = false;  // to be polled in this round
  bool sleeps = false;   // a battery leaf: never polled
  uint16_t via = 0;      // and its parent, 0 this hub
  // What the next poll brings: custody of the member's last packet, which covers all before it, and the held packet.
  bool owed = false;
  uint8_t owedSession = 0;
  uint32_t owedCounter = 0;
  RoughTime heardUs;
  RoughTime waitsUs;     // since when something waits here

  bool holds() const { return length > 0; }
};

class Hub {
 public:
  // `members` and the memory of held packets must outlive the hub.
  Hub(Member* members, size_t capacity, Room held) : members_(members), capacity_(capacity), held_(held, members, sizeof(Member), capacity) {}
  void begin(const Port& port, const Config& config);

  // A member reported as a battery leaf does, to its parent `via`; 0: to this hub.
  void sleeps(uint16_t shortId, uint16_t via);
  // An item whose custodian is its origin came in over `hops`: it is a member. `more`: rows wait there.
  void heard(uint16_t shortId, uint8_t hops, uint16_t branch, bool isAnswer, uint16_t poll, bool more, uint64_t nowUs);
  // A node's packet came through another hub: it is no member any more.
  void left(uint16_t shortId);
  // Keeps a packet for a member until a poll that carried it was answered; false: no such member, or no room for the packet.
  bool hold(uint16_t shortId, const uint8_t* packet, size_t length, uint64_t nowUs);
  // When hold() took something last.
  uint64_t heldUs() const { return heldUs_; }
  // Custody of a packet is to be confirmed to `target`, its custodian so far.
  void owe(uint16_t target, const CustodyEntry& entry, uint64_t nowUs);

  // Writes what waits for a leaf that is awake, here beside the hub, and counts it as arrived.
  void writeFor(uint16_t shortId, Writer& writer);
  // Writes custody that is to be confirmed to another hub, as far as there is room: it travels with something else.
  // The hub `former` is to hear that another serves this node now.
  void tellLeft(uint16_t former, uint16_t shortId, uint64_t nowUs);
  // Writes what is to be told to another hub, as far as there is room: it travels with something else.
  void writeDebts(uint16_t hub, Writer& writer);

  void tick(uint64_t nowUs, const NetworkClock& clock, Downward& downward);
  uint64_t nextUs() const;
  size_t members() const;

 private:
  static constexpr size_t debtsMax = 48;
  // Polls that are under way together, all through one neighbour, so that their answers meet on the way back.
  static constexpr size_t groupMax = 6;

  // What another hub is to hear: custody of a packet that came through it, or that the origin is no member of it any more.
  struct Debt {
    CustodyEntry entry = {};
    uint16_t target = 0;  // 0: free
    bool isLeft = false;
    RoughTime dueUs;
  };

  // A poll whose answers are awaited.
  struct Outstanding {
    uint16_t poll = 0;  // 0: free
    uint64_t sentUs = 0;
    uint64_t deadlineUs = 0;
  };

  bool awaits() const;
  Outstanding* underWay(uint16_t poll);
  void expire(uint64_t nowUs);
  void close(uint16_t poll);
  Member* begin() const { return members_; }
  Member* end() const { return members_ + capacity_; }
  Member* find(uint16_t shortId);
  Member* admit(uint16_t shortId);
  Member* next(uint16_t branch);
  void pollGroup(uint64_t nowUs, Downward& downward);
  void beginRound(uint64_t nowUs, const NetworkClock& clock);
  bool poll(Member& member, uint64_t nowUs, Downward& downward);
  void grow(PollTree& tree, uint8_t again, uint64_t nowUs, const Downward& downward);
  size_t ridingBytes(const Member& member, uint64_t nowUs);
  bool isShared(const Member& member);
  void ask(PollTree& tree, size_t index);
  void answered(Member& member, uint16_t poll, uint64_t nowUs);
  void missed(Member& member);
  void writeOwed(Writer& writer, const uint16_t* nodes, size_t count);
  void writeHeld(Writer& writer, const uint16_t* nodes, size_t count);
  void writeForLeaves(Writer& writer, const uint16_t* path, size_t hops);
  [[gnu::noinline]] void addLeaves(PollTree& tree, Writer& writer, size_t spare);
  void waits(Member& member, uint64_t nowUs);
  void addDebt(const Debt& debt, uint64_t nowUs);
  void payDebts(uint64_t nowUs, Downward& downward);
  void payMembers(uint64_t nowUs, Downward& downward);
  // Never 0.
  uint16_t nextNumber() const { return static_cast<uint16_t>(number_ == 0xffff ? 1 : number_ + 1); }
  uint64_t cycleUs() const { return config_->pollCycleS * usPerS; }
  uint64_t payUs(const Member& member) const;

  const Config* config_ = nullptr;
  Member* members_;
  size_t capacity_;
  uint64_t heldUs_ = 0;
  uint16_t number_ = 0;       // of the last poll
  size_t groupSent_ = 0;      // polls of the present group
  uint16_t branch_ = 0;       // the neighbour that they go through
  uint8_t depth_ = 0;         // hops to the first and deepest
  uint64_t pollUs_ = 0;       // not before: the next poll
  uint64_t roundUs_ = 0;      // when the next round begins
  uint64_t timeUs_ = 0;       // not before: a round that tells the time
  uint8_t timeRounds_ = 0;    // that told it, up to some
  bool tellsTime_ = false;    // this one does
  uint8_t rounds_ = 0;        // begun, modulo 256
  uint32_t offsetMs_ = 0;     // of the rounds, so that hubs do not all begin at once
  Arena held_;
  Outstanding outstanding_[groupMax];
  Debt debts_[debtsMax];
};

}  // namespace wattmesh
