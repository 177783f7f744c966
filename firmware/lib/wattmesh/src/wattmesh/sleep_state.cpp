#include "wattmesh/sleep_state.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/config.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {

constexpr size_t lengthAt = 10;
constexpr uint32_t rounded = 18;  // of a RoughTime: bits
static_assert(uint64_t{1} << rounded == RoughTime::stepUs, "one grain for all times that are kept");

// Another build most likely lays its fields out in another way: its objects have another size.
constexpr uint8_t program[] = {1, firmwareVersion[0], firmwareVersion[1], firmwareVersion[2], sizeof(Node) & 0xff, sizeof(Node) >> 8 & 0xff};

}  // namespace

SleepState::SleepState(const uint8_t* bytes, size_t length) : bytes_(const_cast<uint8_t*>(bytes)), reads_(true), end_(0) {
  if (length < headerBytes) return;
  Reader reader(bytes, length);
  const uint32_t crc = reader.u32();
  const bool isOurs = memcmp(reader.view(sizeof program), program, sizeof program) == 0;
  const size_t end = reader.u16();
  if (isOurs && end >= headerBytes && end <= length && crc32(bytes + crcBytes, end - crcBytes) == crc) end_ = end;
}

void SleepState::pass(uint8_t* field, size_t length) {
  if (length > room()) {
    at_ = end_ = 0;
    return;
  }
  uint8_t* kept = bytes_ + at_;
  reads_ ? memcpy(field, kept, length) : memcpy(kept, field, length);
  at_ += length;
}

void SleepState::passTimes(uint64_t* us, size_t count) {
  for (uint64_t* end = us + count; us < end; us++) {
    uint32_t rough = *us == never ? UINT32_MAX : static_cast<uint32_t>(*us >> rounded);
    pass(rough);
    if (reads_) *us = rough == UINT32_MAX ? never : uint64_t{rough} << rounded;
  }
}

bool SleepState::passIf(bool wanted, size_t length) {
  wanted = wanted && room() >= length + choices_;
  choices_--;
  pass(wanted);
  return wanted;
}

size_t SleepState::finish() {
  if (!ok()) return 0;
  memcpy(bytes_ + crcBytes, program, sizeof program);
  Writer(bytes_ + lengthAt, sizeof(uint16_t)).u16(static_cast<uint16_t>(at_));
  Writer(bytes_, crcBytes).u32(crc32(bytes_ + crcBytes, at_ - crcBytes));
  return at_;
}

}  // namespace wattmesh
