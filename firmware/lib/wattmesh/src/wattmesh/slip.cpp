#include "wattmesh/slip.hpp"

#include "wattmesh/bytes.hpp"
#include "wattmesh/crypto.hpp"

namespace wattmesh {

namespace {

// RFC 1055, "Protocol".
constexpr uint8_t slipEnd = 0xc0;
constexpr uint8_t slipEsc = 0xdb;
constexpr uint8_t slipEscEnd = 0xdc;
constexpr uint8_t slipEscEsc = 0xdd;

void writeEscaped(Writer& writer, uint8_t byte) {
  if (byte != slipEnd && byte != slipEsc) {
    writer.u8(byte);
    return;
  }
  writer.u8(slipEsc);
  writer.u8(byte == slipEnd ? slipEscEnd : slipEscEsc);
}

}  // namespace

size_t encodeSlip(const uint8_t* envelope, size_t length, uint8_t* out, size_t capacity) {
  if (length == 0 || length > envelopeBytesMax) return 0;
  const uint32_t crc = crc32(envelope, length);
  Writer writer(out, capacity);
  writer.u8(slipEnd);
  for (size_t i = 0; i < length; i++) writeEscaped(writer, envelope[i]);
  for (unsigned shift = 0; shift < 32; shift += 8) writeEscaped(writer, static_cast<uint8_t>(crc >> shift));
  writer.u8(slipEnd);
  return writer.ok() ? writer.length() : 0;
}

bool SlipDecoder::push(uint8_t byte) {
  if (ended_) {
    ended_ = false;
    length_ = 0;
  }
  if (byte == slipEnd) return finish();
  if (skipping_) return false;
  if (!escaped_ && byte == slipEsc) {
    escaped_ = true;
  } else if (!escaped_) {
    store(byte);
  } else if (byte == slipEscEnd || byte == slipEscEsc) {
    escaped_ = false;
    store(byte == slipEscEnd ? slipEnd : slipEsc);
  } else {
    skipping_ = true;
    refuse(Error::badField);
  }
  return false;
}

void SlipDecoder::store(uint8_t byte) {
  if (length_ < sizeof buffer_) {
    buffer_[length_++] = byte;
    return;
  }
  skipping_ = true;
  refuse(Error::oversize);
}

// An END: of a packet, of one that was given up, or of silence.
bool SlipDecoder::finish() {
  const bool wasSkipping = skipping_;
  const bool wasEscaped = escaped_;
  skipping_ = false;
  escaped_ = false;
  ended_ = true;
  if (wasSkipping || (length_ == 0 && !wasEscaped)) return false;
  if (wasEscaped) {
    refuse(Error::badField);
    return false;
  }
  if (length_ <= crcLength) {
    refuse(Error::truncated);
    return false;
  }
  if (Reader(buffer_ + length_ - crcLength, crcLength).u32() != crc32(buffer_, length_ - crcLength)) {
    refuse(Error::badCrc);
    return false;
  }
  lastError_ = Error::none;
  return true;
}

void SlipDecoder::refuse(Error error) {
  lastError_ = error;
  refused_++;
}

}  // namespace wattmesh
