#include "wattmesh/bytes.hpp"

namespace wattmesh {

Reader::Reader(const uint8_t* data, size_t length) : data_(data), length_(length) {}

const uint8_t* Reader::view(size_t length) {
  if (!ok_ || length > remaining()) {
    ok_ = false;
    return nullptr;
  }
  const uint8_t* at = data_ + offset_;
  offset_ += length;
  return at;
}

// At most 4 bytes: arithmetic with 64 bits costs small processors twice the code.
uint32_t Reader::low(size_t length) {
  const uint8_t* at = view(length);
  uint32_t value = 0;
  if (at == nullptr) return value;
  for (size_t i = length; i > 0; i--) value = value << 8 | at[i - 1];
  return value;
}

uint8_t Reader::u8() { return static_cast<uint8_t>(low(1)); }

uint16_t Reader::u16() { return static_cast<uint16_t>(low(2)); }

uint32_t Reader::u32() { return low(4); }

uint64_t Reader::u48() {
  const uint32_t first = u32();
  return static_cast<uint64_t>(u16()) << 32 | first;
}

uint64_t Reader::u64() {
  const uint32_t first = u32();
  return static_cast<uint64_t>(u32()) << 32 | first;
}

void Reader::copy(uint8_t* out, size_t length) {
  const uint8_t* at = view(length);
  if (at != nullptr) memcpy(out, at, length);
}

int64_t Reader::varint() {
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

Writer::Writer(uint8_t* data, size_t capacity) : data_(data), capacity_(capacity) {}

void Writer::rewind(size_t length) {
  length_ = length;
  ok_ = true;
}

uint8_t* Writer::take(size_t length) {
  if (!ok_ || length > room()) {
    ok_ = false;
    return nullptr;
  }
  uint8_t* at = data_ + length_;
  length_ += length;
  return at;
}

void Writer::low(uint32_t value, size_t length) {
  uint8_t* at = take(length);
  if (at == nullptr) return;
  for (size_t i = 0; i < length; i++) at[i] = static_cast<uint8_t>(value >> (8 * i));
}

void Writer::u8(uint8_t value) { low(value, 1); }

void Writer::u16(uint16_t value) { low(value, 2); }

void Writer::u32(uint32_t value) { low(value, 4); }

void Writer::u48(uint64_t value) {
  u32(static_cast<uint32_t>(value));
  u16(static_cast<uint16_t>(value >> 32));
}

void Writer::u64(uint64_t value) {
  u32(static_cast<uint32_t>(value));
  u32(static_cast<uint32_t>(value >> 32));
}

void Writer::bytes(const uint8_t* value, size_t length) {
  uint8_t* at = take(length);
  if (at != nullptr && length > 0) memcpy(at, value, length);
}

void Writer::varint(int64_t value) {
  uint64_t raw = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  while (raw > 0x7f) {
    u8(static_cast<uint8_t>(raw | 0x80));
    raw >>= 7;
  }
  u8(static_cast<uint8_t>(raw));
}

}  // namespace wattmesh
