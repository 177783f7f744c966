// Bounds-checked little-endian reader and writer. Both remember the first failure: callers check `ok()` once at the end.
#pragma once
#include <cstdint>
#include <cstring>

#include "wattmesh/errors.hpp"

namespace wattmesh {

class Reader {
 public:
  [[gnu::externally_visible]] Reader(const uint8_t* data, size_t length);

  bool ok() const { return ok_; }
  size_t offset() const { return offset_; }
  size_t remaining() const { return length_ - offset_; }

  [[gnu::externally_visible]] uint8_t u8();
  int8_t i8() { return static_cast<int8_t>(u8()); }
  [[gnu::externally_visible]] uint16_t u16();
  [[gnu::externally_visible]] uint32_t u32();
  [[gnu::externally_visible]] uint64_t u48();
  [[gnu::externally_visible]] uint64_t u64();

  // A view of the next `length` bytes; nullptr (and not ok) when they are not there.
  const uint8_t* view(size_t length);

  [[gnu::externally_visible]] void copy(uint8_t* out, size_t length);

  // Zigzag LEB128 of at most 64 bits: the tenth byte holds one bit.
  int64_t varint();

 private:
  uint32_t low(size_t length);

  const uint8_t* data_;
  size_t length_;
  size_t offset_ = 0;
  bool ok_ = true;
};

class Writer {
 public:
  [[gnu::externally_visible]] Writer(uint8_t* data, size_t capacity);

  bool ok() const { return ok_; }
  size_t length() const { return length_; }
  size_t room() const { return capacity_ - length_; }
  uint8_t* data() const { return data_; }

  [[gnu::externally_visible]] void u8(uint8_t value);
  void i8(int8_t value) { u8(static_cast<uint8_t>(value)); }
  [[gnu::externally_visible]] void u16(uint16_t value);
  [[gnu::externally_visible]] void u32(uint32_t value);
  void u48(uint64_t value);
  [[gnu::externally_visible]] void u64(uint64_t value);

  [[gnu::externally_visible]] void bytes(const uint8_t* value, size_t length);

  // Zigzag LEB128.
  void varint(int64_t value);

  // Goes back to an earlier length: what was written since is dropped, and so is a failure that happened since.
  void rewind(size_t length);

 private:
  void low(uint32_t value, size_t length);
  uint8_t* take(size_t length);

  uint8_t* data_;
  size_t capacity_;
  size_t length_ = 0;
  bool ok_ = true;
};

}  // namespace wattmesh
