// Bounds-checked little-endian reader and writer. Both remember the first failure: callers check `ok()` once at the end.
#pragma once
#include <cstdint>
#include <cstring>

#include "wattmesh/errors.hpp"

namespace wattmesh {

class Reader {
 public:
  Reader(const uint8_t* data, size_t length) : data_(data), length_(length) {}

  bool ok() const { return ok_; }
  size_t offset() const { return offset_; }
  size_t remaining() const { return length_ - offset_; }

  uint8_t u8() { return static_cast<uint8_t>(number(1)); }
  int8_t i8() { return static_cast<int8_t>(number(1)); }
  uint16_t u16() { return static_cast<uint16_t>(number(2)); }
  uint32_t u32() { return static_cast<uint32_t>(number(4)); }
  uint64_t u48() { return number(6); }
  uint64_t u64() { return number(8); }

  // A view of the next `length` bytes; nullptr (and not ok) when they are not there.
  const uint8_t* view(size_t length) {
    if (!ok_ || length > remaining()) {
      ok_ = false;
      return nullptr;
    }
    const uint8_t* at = data_ + offset_;
    offset_ += length;
    return at;
  }

  void copy(uint8_t* out, size_t length) {
    const uint8_t* at = view(length);
    if (at != nullptr) memcpy(out, at, length);
  }

  // Zigzag LEB128 of at most 64 bits: the tenth byte holds one bit.
  int64_t varint() {
    uint64_t raw = 0;
    for (unsigned group = 0; group < 10; group++) {
      const uint8_t byte = u8();
      if (!ok_) return 0;
      if (group == 9 && byte > 1) break;
      raw |= static_cast<uint64_t>(byte & 0x7f) << (7 * group);
      if ((byte & 0x80) == 0) return static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1);
    }
    ok_ = false;
    return 0;
  }

 private:
  uint64_t number(size_t length) {
    const uint8_t* at = view(length);
    uint64_t value = 0;
    if (at != nullptr) {
      for (size_t i = length; i > 0; i--) value = value << 8 | at[i - 1];
    }
    return value;
  }

  const uint8_t* data_;
  size_t length_;
  size_t offset_ = 0;
  bool ok_ = true;
};

class Writer {
 public:
  Writer(uint8_t* data, size_t capacity) : data_(data), capacity_(capacity) {}

  bool ok() const { return ok_; }
  size_t length() const { return length_; }
  size_t room() const { return capacity_ - length_; }
  uint8_t* data() const { return data_; }

  void u8(uint8_t value) { number(value, 1); }
  void i8(int8_t value) { number(static_cast<uint8_t>(value), 1); }
  void u16(uint16_t value) { number(value, 2); }
  void u32(uint32_t value) { number(value, 4); }
  void u48(uint64_t value) { number(value, 6); }
  void u64(uint64_t value) { number(value, 8); }

  void bytes(const uint8_t* value, size_t length) {
    uint8_t* at = take(length);
    if (at != nullptr && length > 0) memcpy(at, value, length);
  }

  // Zigzag LEB128.
  void varint(int64_t value) {
    uint64_t raw = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
    while (raw > 0x7f) {
      u8(static_cast<uint8_t>(raw | 0x80));
      raw >>= 7;
    }
    u8(static_cast<uint8_t>(raw));
  }

  // Goes back to an earlier length: what was written since is dropped, and so is a failure that happened since.
  void rewind(size_t length) {
    length_ = length;
    ok_ = true;
  }

 private:
  void number(uint64_t value, size_t length) {
    uint8_t* at = take(length);
    if (at == nullptr) return;
    for (size_t i = 0; i < length; i++) at[i] = static_cast<uint8_t>(value >> (8 * i));
  }

  uint8_t* take(size_t length) {
    if (!ok_ || length > room()) {
      ok_ = false;
      return nullptr;
    }
    uint8_t* at = data_ + length_;
    length_ += length;
    return at;
  }

  uint8_t* data_;
  size_t capacity_;
  size_t length_ = 0;
  bool ok_ = true;
};

}  // namespace wattmesh
