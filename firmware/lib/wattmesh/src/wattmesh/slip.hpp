// SLIP with CRC-32 on the serial line (PROTOCOL.md, section 6; RFC 1055).
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/errors.hpp"
#include "wattmesh/limits.hpp"

namespace wattmesh {

constexpr size_t slipPacketBytesMax = envelopeBytesMax + 4;      // with CRC
constexpr size_t slipEncodedBytesMax = 2 * slipPacketBytesMax + 2;  // every byte escaped, END before and after

// Envelope and CRC as a SLIP packet. Bytes written; 0 when they do not fit.
size_t encodeSlip(const uint8_t* envelope, size_t length, uint8_t* out, size_t capacity);

class SlipDecoder {
 public:
  // True: a whole verified envelope is in data()/length(), until the next push.
  bool push(uint8_t byte);
  const uint8_t* data() const { return buffer_; }
  size_t length() const { return length_ - crcLength; }
  // What was wrong with the packet that ended last; Error::none when it was good.
  Error lastError() const { return lastError_; }
  // Packets refused so far: the caller sees by its growth that there is a new lastError().
  uint32_t refused() const { return refused_; }

 private:
  static constexpr size_t crcLength = 4;

  bool finish();
  void refuse(Error error);
  void store(uint8_t byte);

  size_t length_ = 0;
  bool escaped_ = false;
  bool skipping_ = false;  // until the next END
  bool ended_ = false;     // the buffer holds a packet that was handed out
  Error lastError_ = Error::none;
  uint32_t refused_ = 0;
  uint8_t buffer_[slipPacketBytesMax];
};

}  // namespace wattmesh
