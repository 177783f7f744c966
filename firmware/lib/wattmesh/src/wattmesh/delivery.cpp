#include "wattmesh/delivery.hpp"

#include <cstring>

#include "wattmesh/sleep_state.hpp"

namespace wattmesh {

bool Delivery::marked(uint32_t seq) const {
  if (seq <= cumulative_) return true;
  for (uint8_t i = 0; i < ranges_; i++) {
    if (seq >= first_[i] && seq <= last_[i]) return true;
  }
  return false;
}

uint32_t Delivery::unmarkedFrom(uint32_t seq) const {
  if (seq <= cumulative_) seq = cumulative_ + 1;
  // Marks cover at most four ranges, so four steps find the first row outside them.
  for (uint8_t round = 0; round < ranges_; round++) {
    for (uint8_t i = 0; i < ranges_; i++) {
      if (seq >= first_[i] && seq <= last_[i]) seq = last_[i] + 1;
    }
  }
  return seq;
}

uint32_t Delivery::next(const Log& log) const {
  const uint32_t seq = unmarkedFrom(cursor_ > log.oldest() ? cursor_ : log.oldest());
  return seq < log.next() ? seq : log.next();
}

void Delivery::sent(uint32_t counter, uint32_t last) {
  sent_[nextBatch_] = Batch{counter, cursor_, last};
  nextBatch_ = static_cast<uint8_t>((nextBatch_ + 1) % sentBatchesMax);
  if (last > sentUpTo_) sentUpTo_ = last;
}

void Delivery::custody(uint32_t counter) {
  for (Batch& batch : sent_) {
    if (batch.last == 0 || batch.counter != counter) continue;
    // A batch from ahead of the cursor follows one that was lost: the cursor only moves over what it touches.
    if (batch.from <= cursor_ && batch.last + 1 > cursor_) cursor_ = batch.last + 1;
    batch.last = 0;
  }
}

void Delivery::rewind() {
  cursor_ = 0;
  for (Batch& batch : sent_) batch.last = 0;
}

bool Delivery::merge(uint32_t first, uint32_t last) {
  if (last <= cumulative_) return false;
  for (uint8_t i = 0; i < ranges_; i++) {
    if (first > last_[i] + 1 || last + 1 < first_[i]) continue;
    const bool grows = first < first_[i] || last > last_[i];
    if (first < first_[i]) first_[i] = first;
    if (last > last_[i]) last_[i] = last;
    return grows;
  }
  if (ranges_ == ackRangesMax) return false;  // forgotten marks cost a re-send, never a row
  first_[ranges_] = first;
  last_[ranges_] = last;
  ranges_++;
  return true;
}

bool Delivery::acknowledged(const AckSection& ack, uint32_t epoch, const Log& log) {
  if (memcmp(ack.logId, log.logId(), logIdBytes) != 0) return false;
  if (hasEpoch_ && epoch < epoch_) return false;
  bool changed = false;
  if (!hasEpoch_ || epoch > epoch_) {
    // Another owner of the store: what it acknowledges is all that counts.
    hasEpoch_ = true;
    epoch_ = epoch;
    cumulative_ = 0;
    ranges_ = 0;
    rewind();
    changed = true;
  }
  // A head-end cannot have rows that were never measured: such a claim is of another life of this log.
  const uint32_t newest = log.next() - 1;
  const uint32_t cumulative = ack.cumulative < newest ? ack.cumulative : newest;
  if (cumulative > cumulative_) {
    cumulative_ = cumulative;
    changed = true;
  }
  for (uint8_t i = 0; i < ack.ranges; i++) changed = (ack.last[i] <= newest && merge(ack.first[i], ack.last[i])) || changed;
  uint8_t kept = 0;
  for (uint8_t i = 0; i < ranges_; i++) {
    if (last_[i] <= cumulative_) continue;
    first_[kept] = first_[i];
    last_[kept] = last_[i];
    kept++;
  }
  ranges_ = kept;
  return changed;
}

void Delivery::rejoined(uint32_t acknowledged, const Log& log) {
  *this = Delivery{};
  cumulative_ = acknowledged < log.next() ? acknowledged : log.next() - 1;
}

bool Delivery::waiting(const Log& log) const {
  const uint32_t seq = unmarkedFrom(log.oldest());
  return seq <= sentUpTo_ && seq < log.next();
}

void Delivery::pass(SleepState& state) {
  state.pass(cumulative_, hasEpoch_);
  for (uint8_t i = 0; i < ranges_; i++) {
    state.pass(first_[i]);
    state.pass(last_[i]);
  }
}

void Delivery::passSent(SleepState& state) {
  for (size_t i = 1; i <= sleepBatchesMax; i++) {
    Batch& batch = sent_[(nextBatch_ + sentBatchesMax - i) % sentBatchesMax];
    if (state.passIf(batch.last != 0, sizeof batch)) state.pass(batch);
  }
}

}  // namespace wattmesh
