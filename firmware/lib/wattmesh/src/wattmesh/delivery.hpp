// Which rows of the log are done, which are on their way, which come next (PROTOCOL.md, section 4). Pure: no port, no time of its own.
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/log.hpp"
#include "wattmesh/sections.hpp"

namespace wattmesh {

class Delivery {
 public:
  // Seq of the next row to send, log.next() when there is none.
  uint32_t next(const Log& log) const;
  // Rows from next() to `last` went out under this counter.
  void sent(uint32_t counter, uint32_t last);
  // A custodian keeps the packet with this counter: the cursor moves on. Nothing is marked.
  void custody(uint32_t counter);
  // An acknowledgement of `epoch`; true when it changed marks.
  bool acknowledged(const AckSection& ack, uint32_t epoch, const Log& log);
  // M2: replaces all marks and forgets the owner epoch and the packets of the former session.
  void rejoined(uint32_t acknowledged, const Log& log);
  // Back to the first unmarked row: another custodian, or no progress.
  void rewind();
  // Rows were sent that are not marked yet.
  bool waiting(const Log& log) const;
  uint32_t cumulative() const { return cumulative_; }
  bool marked(uint32_t seq) const;
  // Through deep sleep.
  void pass(SleepState& state);
  // The last packets that wait for custody, where there is room: custody of others comes in vain, and their rows go again.
  void passSent(SleepState& state);

 private:
  // The first seq from `seq` on that is not marked. In a few steps, whatever seqs an earlier life has used.
  uint32_t unmarkedFrom(uint32_t seq) const;
  bool merge(uint32_t first, uint32_t last);

  struct Batch {
    uint32_t counter = 0;
    uint32_t from = 0;  // the cursor when it was sent
    uint32_t last = 0;  // 0: free
  };
  // What pass() keeps of these ends with hasEpoch_.
  uint32_t cumulative_ = 0;  // every seq <= this is done
  uint32_t epoch_ = 0;
  uint32_t cursor_ = 0;      // rows below are with a custodian
  uint32_t sentUpTo_ = 0;    // highest row ever sent in this session
  uint8_t ranges_ = 0;
  bool hasEpoch_ = false;
  uint8_t nextBatch_ = 0;
  uint32_t first_[ackRangesMax] = {};
  uint32_t last_[ackRangesMax] = {};
  Batch sent_[sentBatchesMax];
};

}  // namespace wattmesh
