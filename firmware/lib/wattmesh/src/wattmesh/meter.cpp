#include "wattmesh/meter.hpp"

#include <cstring>

#include "wattmesh/sections.hpp"
#include "wattmesh/sleep_state.hpp"

namespace wattmesh {

namespace {
// By so much a poll may be late: hubs' rounds vary.
constexpr uint32_t pollLateS = 5;
constexpr uint32_t pushCycles = 2;
constexpr uint64_t watchCycles = 3;
// A clock that steps back by more than this was wrong before: rows are taken again, instead of none until it is there once more.
constexpr uint32_t stepBackMaxS = 3600;
}  // namespace

Error Meter::begin(const Port& port, const Config& config, Records& records, uint16_t bootCount, uint32_t address, uint32_t bytes) {
  port_ = &port;
  config_ = &config;
  const Error error = log_.open(port, address, bytes, &records, bootCount);
  if (error != Error::none) return error;
  bootSeq_ = log_.next();
  Row last{};
  if (log_.next() > log_.oldest() && log_.read(log_.next() - 1, last) == Error::none) lastRowS_ = last.t;
  Registers registers{};
  if (port.readRegisters(port.context, &registers)) mask_ = registers.mask;
  return Error::none;
}

Error Meter::tick(uint64_t nowUs, const NetworkClock& clock, bool grounded, bool inexact) {
  watch(nowUs, grounded);
  if (!clock.valid()) return Error::none;
  const uint32_t utcS = clock.utcS(nowUs);
  const uint32_t boundary = utcS - utcS % config_->intervalS;
  const bool passed = nextRowS_ != 0 && boundary >= nextRowS_;
  nextRowS_ = boundary + config_->intervalS;
  // Right after boot, and after the clock stepped, the first row is that of the next boundary: this one's moment is gone.
  const bool again = boundary <= lastRowS_ && lastRowS_ - boundary <= stepBackMaxS;
  if (!passed || again || utcS - boundary > 1) return Error::none;
  return takeRow(boundary, inexact || clock.freeRunning(nowUs));
}

Error Meter::takeRow(uint32_t boundaryS, bool inexact) {
  Row row{};
  if (!port_->readRegisters(port_->context, &row.registers)) return Error::none;
  mask_ = row.registers.mask;
  row.t = boundaryS;
  row.interval = config_->intervalS;
  row.quality = inexact ? qualityClock : qualityGood;
  lastRowS_ = boundaryS;
  return log_.append(row);
}

uint64_t Meter::nextUs(uint64_t nowUs, const NetworkClock& clock) const {
  if (!clock.valid() || nextRowS_ == 0) return nowUs + usPerS;
  return clock.localUs(nextRowS_ * usPerS, nowUs);
}

uint64_t Meter::measuredMs(const uint8_t logId[logIdBytes], uint32_t seq) {
  Row row{};
  const bool isThere = memcmp(logId, log_.logId(), logIdBytes) == 0 && log_.read(seq, row) == Error::none;
  return isThere ? row.t * uint64_t{1000} : 0;
}

void Meter::watch(uint64_t nowUs, bool grounded) {
  const uint32_t mark = delivery_.cumulative();
  // Time without a parent does not count.
  if (!grounded) watchUs_ += nowUs - lastWatchUs_;
  lastWatchUs_ = nowUs;
  if (mark != watched_ || !delivery_.waiting(log_)) {
    watched_ = mark;
    watchUs_ = nowUs;
    return;
  }
  if (nowUs - watchUs_ < watchCycles * cycleUs()) return;
  watchUs_ = nowUs;
  delivery_.rewind();
}

size_t Meter::write(uint8_t* out, size_t capacity) {
  const uint32_t first = delivery_.next(log_);
  Row row{};
  uint32_t seq = log_.readFrom(first, row) == Error::none ? row.seq : log_.next();
  size_t length = 0;
  if (seq > first) {
    // Rows that NV has lost can never be sent: nobody must wait for them.
    Lost lost{};
    memcpy(lost.logId, log_.logId(), logIdBytes);
    lost.first = first;
    lost.last = seq - 1;
    Writer writer(out, capacity);
    if (!writeLost(writer, lost)) return 0;
    length = writer.length();
  }
  BatchWriter batch(out + length, capacity - length, log_.logId(), log_.oldest(), seq);
  writtenFirst_ = first;
  while (seq < log_.next() && !delivery_.marked(seq) && batch.count() < batchRowsMax) {
    if (log_.read(seq, row) != Error::none || !batch.add(row)) break;
    seq++;
  }
  writtenLast_ = seq - 1;
  return length + batch.finish();
}

void Meter::sent(uint32_t counter, uint64_t nowUs) {
  if (writtenLast_ >= writtenFirst_) delivery_.sent(counter, writtenLast_);
  if (pushUs_ <= nowUs) pushed(nowUs);
}

bool Meter::pushDue(uint64_t nowUs) const { return nowUs >= pushUs_; }

// Where rounds take longer than the cycle nothing is broken, and pushing would make them longer still: the last two polls tell how far they
// are apart.
void Meter::polled(uint64_t nowUs) {
  const uint64_t apartS = (nowUs + paceS_ * usPerS - pushUs_) / usPerS;
  const uint32_t cycleS = config_->cycleS();
  const uint64_t longestS = cycleS * 3 / 2;
  expect(nowUs, (apartS < cycleS ? cycleS : apartS < longestS ? apartS : longestS) + pollLateS);
}

// The first one may have gone where the silent hub was: another one soon.
void Meter::pushed(uint64_t nowUs) {
  const uint32_t cycleS = config_->cycleS();
  const bool isFirst = paceS_ > cycleS && paceS_ < pushCycles * cycleS;
  expect(nowUs, isFirst ? cycleS : pushCycles * cycleS);
}

void Meter::expect(uint64_t nowUs, uint64_t paceS) {
  paceS_ = paceS < UINT16_MAX ? static_cast<uint16_t>(paceS) : uint16_t{UINT16_MAX};
  pushUs_ = nowUs + paceS_ * usPerS;
}

Error Meter::joined(uint32_t acknowledged, uint64_t nowUs) {
  const Error error = leaveUsedSeqs(acknowledged);
  delivery_.rejoined(acknowledged, log_);
  // The first packet tells the hub that there is a member: soon, but not all at once after a power failure.
  uint8_t jitter[2];
  port_->random(port_->context, jitter, sizeof jitter);
  pushUs_ = nowUs + static_cast<uint64_t>(jitter[0] | jitter[1] << 8) * 30;
  return error;
}

// What is known of seqs that this life has not sent yet is of rows that NV has lost, or that were there before it was set back: those seqs are
// used. Rows that were measured under them since the boot are written again under new ones.
Error Meter::leaveUsedSeqs(uint32_t acknowledged) {
  const uint32_t first = bootSeq_;
  bootSeq_ = 0;
  if (first == 0 || acknowledged < first || acknowledged >= seqMax) return Error::none;
  const uint32_t end = log_.next() <= acknowledged ? log_.next() : acknowledged + 1;
  Error error = log_.skipTo(acknowledged + 1);
  // Bounded, because every write takes its time: who was away for longer has measured the rest under seqs of its own.
  const uint32_t from = end - first > logSlotsPerSector ? end - static_cast<uint32_t>(logSlotsPerSector) : first;
  for (uint32_t seq = from; seq < end && error == Error::none; seq++) {
    Row row{};
    if (log_.read(seq, row) == Error::none) error = log_.append(row);
  }
  return error;
}

void Meter::pass(SleepState& state) {
  state.pass(watched_, mask_);
  state.passTimes(&watchUs_, 2);
  delivery_.pass(state);
}

}  // namespace wattmesh
