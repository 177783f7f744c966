// A meter: takes a row of its registers at every interval boundary, keeps it in the log, and offers what is not done yet.
#pragma once
#include "wattmesh/batch.hpp"
#include "wattmesh/clock.hpp"
#include "wattmesh/config.hpp"
#include "wattmesh/delivery.hpp"
#include "wattmesh/log.hpp"

namespace wattmesh {

class Meter {
 public:
  // Mounts the log in `bytes` of NV at `address`. `port` and `config` must outlive the meter.
  [[nodiscard]] Error begin(const Port& port, const Config& config, Records& records, uint16_t bootCount, uint32_t address, uint32_t bytes);

  // Takes the row that is due, and watches whether acknowledgements make progress. `inexact`: the clock's rate is not known yet. Error: the
  // log could not be written.
  [[nodiscard]] Error tick(uint64_t nowUs, const NetworkClock& clock, bool grounded, bool inexact = false);
  uint64_t nextUs(uint64_t nowUs, const NetworkClock& clock) const;

  // Writes a READINGS section of the rows next in turn (none: an empty batch), and before it LOST for those that NV has lost. Returns the
  // bytes, 0 when they do not fit.
  size_t write(uint8_t* out, size_t capacity);
  // What was written last went out under `counter`.
  void sent(uint32_t counter, uint64_t nowUs);
  bool hasRows() const { return delivery_.next(log_) < log_.next(); }
  // Rows are left that what was written last did not hold.
  bool moreRows() const { return writtenLast_ + 1 < log_.next(); }
  // A custodian keeps what was written last.
  bool handedOn() const { return delivery_.next(log_) > writtenLast_; }
  bool waiting() const { return delivery_.waiting(log_); }

  // Pushing: rows wait and the poll of this cycle is late, or the session is new.
  bool pushDue(uint64_t nowUs) const;
  uint64_t pushUs() const { return pushUs_; }
  void polled(uint64_t nowUs);
  void pushed(uint64_t nowUs);
  // Everything that waits goes out without waiting for a poll.
  void push(uint64_t nowUs) { pushUs_ = nowUs; }
  // A session begins; `acknowledged` is the cumulative mark in M2. Error: a row could not be written again.
  [[nodiscard, gnu::noinline]] Error joined(uint32_t acknowledged, uint64_t nowUs);

  // Through deep sleep; the rows are in the log.
  void pass(SleepState& state);
  // UTC of a row that this log holds, ms; 0: it holds no such row.
  uint64_t measuredMs(const uint8_t logId[logIdBytes], uint32_t seq);

  const Log& log() const { return log_; }
  Delivery& delivery() { return delivery_; }
  uint16_t registerMask() const { return mask_; }

 private:
  [[nodiscard]] Error takeRow(uint32_t boundaryS, bool inexact);
  void watch(uint64_t nowUs, bool grounded);
  [[nodiscard]] Error leaveUsedSeqs(uint32_t acknowledged);
  void expect(uint64_t nowUs, uint64_t paceS);
  uint64_t cycleUs() const { return config_->cycleS() * usPerS; }

  const Port* port_ = nullptr;
  const Config* config_ = nullptr;
  // What pass() keeps, as far as mask_; two times.
  uint64_t watchUs_ = 0;     // since when the cumulative mark has stood where it is, later by all time without a parent
  uint64_t lastWatchUs_ = 0;
  uint32_t watched_ = 0;     // that mark
  uint32_t lastRowS_ = 0;    // UTC of the last row: a clock that steps back a little must not make a row twice
  uint32_t bootSeq_ = 0;     // first seq of this life; 0: a session has begun since
  uint32_t nextRowS_ = 0;    // 0: not known yet
  uint16_t mask_ = 0;

  uint16_t paceS_ = 0;       // from the last poll or push to the next push
  uint32_t writtenFirst_ = 0;
  uint32_t writtenLast_ = 0; // below first: no rows
  uint64_t pushUs_ = 0;
  Delivery delivery_;
  Log log_;
};

}  // namespace wattmesh
