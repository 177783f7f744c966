// The fuzzer's bytes as the decisions of a test. Past the end every number is 0 and every string empty.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fuzz {

using Bytes = std::vector<uint8_t>;

class Input {
 public:
  Input(const uint8_t* data, size_t length) : data_(data), length_(length) {}

  bool empty() const { return offset_ == length_; }
  uint8_t u8() { return empty() ? uint8_t{0} : data_[offset_++]; }
  uint16_t u16() {
    const uint8_t low = u8();
    return static_cast<uint16_t>(low | u8() << 8);
  }
  uint32_t u32() {
    const uint16_t low = u16();
    return low | static_cast<uint32_t>(u16()) << 16;
  }
  // The next `count` bytes, or as many as there are: a copy of exactly that size, so that the sanitizer sees who reads beyond it.
  Bytes take(size_t count) {
    const size_t left = length_ - offset_;
    const size_t size = count < left ? count : left;
    Bytes bytes(data_ + offset_, data_ + offset_ + size);
    offset_ += size;
    return bytes;
  }
  // A string behind its length.
  Bytes bytes8() { return take(u8()); }
  Bytes bytes16(size_t most) { return take(u16() % (most + 1)); }
  Bytes rest() { return take(length_ - offset_); }

 private:
  const uint8_t* data_;
  size_t length_;
  size_t offset_ = 0;
};

}  // namespace fuzz
