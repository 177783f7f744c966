#include "wattmesh/meter.hpp"

namespace wattmesh {

namespace {
constexpr uint64_t pushCycles = 2;
constexpr uint64_t watchCycles = 3;
}  // namespace

Error Meter::begin(const Port& port, const Config& config, uint32_t address, uint32_t bytes) {
  port_ = &port;
  config_ = &config;
  const Error error = log_.open(port, address, bytes);
  if (error != Error::none) return error;
  Row last{};
  if (log_.next() > log_.oldest() && log_.read(log_.next() - 1, last) == Error::none) lastRowS_ = last.t;
  Registers registers{};
  if (port.readRegisters(port.context, &registers)) mask_ = registers.mask;
  return Error::none;
}

Error Meter::tick(uint64_t nowUs, const NetworkClock& clock, bool grounded) {
  watch(nowUs, grounded);
  if (!clock.valid()) return Error::none;
  const uint32_t utcS = clock.utcS(nowUs);
  const uint32_t boundary = utcS - utcS % config_->intervalS;
  const bool passed = nextRowS_ != 0 && boundary >= nextRowS_;
  nextRowS_ = boundary + config_->intervalS;
  // Right after boot, and after the clock stepped, the first row is that of the next boundary: this one's moment is gone.
  if (!passed || boundary <= lastRowS_ || utcS - boundary > 1) return Error::none;
  return takeRow(boundary, clock.freeRunning(nowUs));
}

Error Meter::takeRow(uint32_t boundaryS, bool freeRunning) {
  Row row{};
  if (!port_->readRegisters(port_->context, &row.registers)) return Error::none;
  mask_ = row.registers.mask;
  row.t = boundaryS;
  row.interval = config_->intervalS;
  row.quality = freeRunning ? qualityClock : qualityGood;
  lastRowS_ = boundaryS;
  return log_.append(row);
}

uint64_t Meter::nextUs(uint64_t nowUs, const NetworkClock& clock) const {
  if (!clock.valid() || nextRowS_ == 0) return nowUs + usPerS;
  const uint64_t utcUs = clock.utcUs(nowUs);
  const uint64_t rowUs = nextRowS_ * usPerS;
  return rowUs > utcUs ? nowUs + (rowUs - utcUs) : nowUs;
}

void Meter::watch(uint64_t nowUs, bool grounded) {
  const uint32_t mark = delivery_.cumulative();
  if (!grounded || mark != watched_ || !delivery_.waiting(log_)) {
    watched_ = mark;
    watchUs_ = nowUs;
    return;
  }
  if (nowUs - watchUs_ < watchCycles * cycleUs()) return;
  watchUs_ = nowUs;
  delivery_.rewind();
}

size_t Meter::write(uint8_t* out, size_t capacity) {
  uint32_t seq = delivery_.next(log_);
  Row row{};
  // A row that NV has lost can never be sent: those behind it must not wait for it.
  while (seq < log_.next() && log_.read(seq, row) != Error::none) seq++;
  BatchWriter batch(out, capacity, log_.logId(), log_.oldest(), seq);
  writtenFirst_ = seq;
  while (seq < log_.next() && !delivery_.marked(seq) && batch.count() < batchRowsMax) {
    if (log_.read(seq, row) != Error::none || !batch.add(row)) break;
    seq++;
  }
  writtenLast_ = seq - 1;
  return batch.finish();
}

void Meter::sent(uint32_t counter, uint64_t nowUs) {
  if (writtenLast_ >= writtenFirst_) delivery_.sent(counter, writtenLast_);
  if (pushUs_ <= nowUs) pushUs_ = nowUs + pushCycles * cycleUs();
}

bool Meter::pushDue(uint64_t nowUs) const { return nowUs >= pushUs_; }

void Meter::polled(uint64_t nowUs) {
  polledUs_ = nowUs;
  pushUs_ = nowUs + pushCycles * cycleUs();
}

void Meter::joined(uint32_t acknowledged, uint64_t nowUs) {
  delivery_.rejoined(acknowledged, log_);
  // The first packet tells the hub that there is a member: soon, but not all at once after a power failure.
  uint8_t jitter[2];
  port_->random(port_->context, jitter, sizeof jitter);
  pushUs_ = nowUs + static_cast<uint64_t>(jitter[0] | jitter[1] << 8) * 30;
}

}  // namespace wattmesh
