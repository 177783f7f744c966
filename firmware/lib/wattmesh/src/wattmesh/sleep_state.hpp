// What a battery leaf takes through deep sleep, in memory that outlasts it and no loss of power (PROTOCOL.md, section 2.11): fields one behind the
// other as they lie in RAM, for the same program on the same chip. One list of fields serves both directions.
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/limits.hpp"

namespace wattmesh {

class SleepState {
 public:
  // To be written. `bytes` must outlive the state.
  explicit SleepState(uint8_t bytes[sleepBytesMax]) : bytes_(bytes) {}
  // To be read. Without a valid state of this program in `bytes`, ok() is false from the start.
  SleepState(const uint8_t* bytes, size_t length);

  bool ok() const { return end_ != 0; }
  bool reads() const { return reads_; }
  size_t room() const { return end_ - at_; }

  // Copies a field to its place, or back. A state that has no room for it is not ok any more.
  void pass(uint8_t* field, size_t length);
  template <typename Field>
  void pass(Field& field) {
    pass(reinterpret_cast<uint8_t*>(&field), sizeof field);
  }
  // Members that lie one behind the other, from the first to the last.
  template <typename First, typename Last>
  void pass(First& first, Last& last) {
    uint8_t* from = reinterpret_cast<uint8_t*>(&first);
    pass(from, static_cast<size_t>(reinterpret_cast<uint8_t*>(&last + 1) - from));
  }
  // Moments of the local clock in four bytes each, as RoughTime has them; never stays never.
  void passTimes(uint64_t* us, size_t count);
  // Whether what takes `length` bytes follows: when written, if it is `wanted` and there is room.
  bool passIf(bool wanted, size_t length);

  // Completes what was written. Its length in bytes; 0: it did not fit.
  size_t finish();

 private:
  static constexpr size_t headerBytes = 12;  // CRC-32 of the rest, program 6, length u16

  uint8_t* bytes_;  // not written to when read
  bool reads_ = false;
  size_t at_ = headerBytes;
  size_t end_ = sleepBytesMax;  // 0: not ok
  // Of passIf() that are to come, a byte each: events, four results, the former key, two batches, a neighbour.
  size_t choices_ = 9;
};

}  // namespace wattmesh
