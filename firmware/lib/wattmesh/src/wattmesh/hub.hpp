// A hub's members: polled in turn, with custody and held acknowledgements riding on the polls (PROTOCOL.md, section 4.1).
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/config.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/routed.hpp"

namespace wattmesh {

// What carries a hub's words down: the node.
class Downward {
 public:
  // Sends sections to a node below; false: no route or no room now.
  virtual bool sendRouted(uint16_t target, const uint8_t* sections, size_t length) = 0;
  // Hops to a node below, 0: no route known.
  virtual size_t hopsTo(uint16_t target) const = 0;

 protected:
  ~Downward() = default;
};

class Hub {
 public:
  void begin(const Port& port, const Config& config);

  // An item whose custodian is its origin came in: it is a member. `more`: rows wait there.
  void heard(uint16_t shortId, bool isAnswer, uint16_t poll, bool more, uint64_t nowUs);
  // A node's packet came through another hub: it is no member any more.
  void left(uint16_t shortId);
  // Keeps a packet for a member until its next poll was answered; false: no such member, or the packet is too long.
  bool hold(uint16_t shortId, const uint8_t* packet, size_t length);
  // Custody of a packet is to be confirmed to `target`, its custodian so far.
  void owe(uint16_t target, const CustodyEntry& entry, uint64_t nowUs);

  void tick(uint64_t nowUs, Downward& downward);
  uint64_t nextUs() const;
  size_t members() const;

 private:
  static constexpr size_t heldBytesMax = 128;
  static constexpr size_t debtsMax = 96;

  struct Member {
    uint16_t shortId = 0;  // 0: free
    uint8_t misses = 0;
    uint8_t again = 0;     // polls already repeated in this round because more rows wait
    bool repeated = false; // the next poll is such a repetition
    uint64_t dueUs = 0;
    uint64_t regularUs = 0; // of a repetition: when the regular poll was due
    uint64_t heardUs = 0;
    uint16_t heldInPoll = 0;  // number of the poll that carried what is held, 0 none
    uint8_t heldLength = 0;
    uint8_t held[heldBytesMax] = {};
  };
  struct Debt {
    uint16_t target = 0;  // 0: free
    CustodyEntry entry = {};
    uint16_t poll = 0;    // rides on this poll, 0 none yet
    uint64_t dueUs = 0;
  };

  Member* find(uint16_t shortId);
  Member* admit(uint16_t shortId, uint64_t nowUs);
  void poll(Member& member, uint64_t nowUs, Downward& downward);
  void missed(Member& member, uint64_t nowUs);
  void settleDebts(uint16_t poll, bool answered);
  void payDebts(uint64_t nowUs, Downward& downward);
  uint64_t cycleUs() const { return config_->pollCycleS * usPerS; }

  const Config* config_ = nullptr;
  Member members_[membersMax];
  Debt debts_[debtsMax];
  uint16_t number_ = 0;       // of the last poll
  uint16_t outstanding_ = 0;  // short id of the member whose answer is awaited, 0 none
  uint64_t deadlineUs_ = 0;
  size_t turn_ = 0;
};

}  // namespace wattmesh
