// A chip for tests: NOR flash that knows its rules and can lose power in the middle of an operation, and a record of the traces.
#pragma once
#include <map>
#include <set>
#include <vector>

#include "check.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/port.hpp"

// How far an operation gets that the power cut falls into.
enum class Cut : unsigned { none, oneByte, firstHalf, secondHalf, allButOneByte, all, randomBits };
constexpr unsigned cuts = 7;

// A row's identity: log id and seq.
struct RowId {
  uint32_t logId;
  uint32_t seq;
  bool operator<(const RowId& other) const { return logId != other.logId ? logId < other.logId : seq < other.seq; }
};

class Device {
 public:
  explicit Device(uint32_t sectors, uint64_t seed = 1);

  wattmesh::Port port();

  // Power fails in operation number `operation` from now (0: the next write or erase), which gets as far as `cut` says.
  void cutPower(uint64_t operation, Cut cut);
  // Power is back: flash stays, nothing is going to be cut.
  void restore();
  bool isDead() const { return dead_; }
  // Writes and erasures so far.
  uint64_t operations() const { return operations_; }
  uint64_t reads() const { return reads_; }
  // Of each sector.
  const std::vector<uint32_t>& erasures() const { return erasures_; }
  // A broken flash rule: a write that would set bits, an address outside, a write across sectors.
  bool broke() const { return broke_; }
  // Bits at an address flip, as flash cells that lose their charge do.
  void damage(uint32_t address, uint8_t bits) { flash_[address] = static_cast<uint8_t>(flash_[address] ^ bits); }

  uint8_t cell(uint32_t address) const { return flash_[address]; }

  // From the traces.
  std::map<RowId, std::vector<uint8_t>> committed;
  std::set<RowId> overwritten;
  bool changed = false;  // a row was traced twice with different contents

 private:
  bool read(uint32_t address, uint8_t* out, size_t length);
  bool write(uint32_t address, const uint8_t* data, size_t length);
  bool erase(uint32_t address);
  void trace(wattmesh::Trace event, const uint8_t* body, size_t length);
  bool isCut();
  bool reaches(Cut cut, size_t index, size_t length);

  std::vector<uint8_t> flash_;
  std::vector<uint32_t> erasures_;
  check::Random random_;
  uint64_t operations_ = 0;
  uint64_t reads_ = 0;
  uint64_t cutAt_ = UINT64_MAX;
  Cut cut_ = Cut::none;
  bool dead_ = false;
  bool broke_ = false;
};
