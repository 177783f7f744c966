#include "board/entropy.hpp"

#include <cstring>

using namespace wattmesh;

namespace board {

namespace {

// The source is credited with one bit per byte, an eighth of what Espressif claims, and a false alarm of 2^-20 per test (SP 800-90B, 4.4.1 and
// 4.4.2: cut-off 1 + 20 / H; of a window of 512 samples at H = 1: 311).
constexpr uint8_t repetitionsMax = 21;
constexpr uint16_t windowSamples = 512;
constexpr uint16_t windowShareMax = 311;
constexpr size_t startUpSamples = 1024;
// Of which 256 bits of a hash are made.
constexpr size_t samplesPerBlock = 256;

}  // namespace

void Entropy::begin(const Port& port, uint32_t (*noise)()) {
  port_ = &port;
  noise_ = noise;
}

uint8_t Entropy::sample() {
  // Neighbouring bits of one word stand for the same moment: the bytes of a word are folded into one.
  const uint32_t word = noise_();
  const uint8_t value = static_cast<uint8_t>(word ^ word >> 8 ^ word >> 16 ^ word >> 24);
  repetitions_ = begun_ && value == last_ ? static_cast<uint8_t>(repetitions_ + 1) : uint8_t{1};
  if (repetitions_ >= repetitionsMax) {
    failed_ = true;
    repetitions_ = 0;
  }
  begun_ = true;
  last_ = value;
  if (windowCount_ == 0) {
    watched_ = value;
    windowShare_ = 0;
  }
  if (value == watched_ && ++windowShare_ >= windowShareMax) failed_ = true;
  windowCount_ = static_cast<uint16_t>((windowCount_ + 1) % windowSamples);
  return value;
}

bool Entropy::startUp() {
  for (size_t i = 0; i < startUpSamples; i++) sample();
  return !failed_;
}

// The hash of the state and of fresh noise gives a block; the next state is another hash of the same, so that no block says anything of others.
void Entropy::makeBlock() {
  uint8_t message[1 + hashBytes + samplesPerBlock];
  memcpy(message + 1, state_, sizeof state_);
  for (size_t i = 0; i < samplesPerBlock; i++) message[1 + hashBytes + i] = sample();
  message[0] = 0;
  port_->sha256(port_->context, message, sizeof message, state_);
  message[0] = 1;
  port_->sha256(port_->context, message, sizeof message, block_);
  left_ = sizeof block_;
  wipe(message, sizeof message);
}

bool Entropy::fill(uint8_t* out, size_t length) {
  while (length > 0) {
    if (left_ == 0) makeBlock();
    if (failed_) return false;
    const size_t part = length < left_ ? length : left_;
    uint8_t* const from = block_ + sizeof block_ - left_;
    memcpy(out, from, part);
    wipe(from, part);
    left_ -= part;
    out += part;
    length -= part;
  }
  return true;
}

}  // namespace board
