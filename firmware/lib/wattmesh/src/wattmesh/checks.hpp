// Checks that every decoder shares.
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/bytes.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/limits.hpp"

namespace wattmesh {

// Largest 64-bit number on the wire, 2^53 - 1: hosts written in JavaScript hold it exactly.
constexpr uint64_t wireNumberMax = (uint64_t{1} << 53) - 1;

// After the last field: whether the bytes sufficed and nothing is left.
[[nodiscard]] inline Error endError(const Reader& reader) {
  if (!reader.ok()) return Error::truncated;
  return reader.remaining() > 0 ? Error::trailingBytes : Error::none;
}

// Fields are judged in the order in which they stand, and the first fault counts.
class Verdict {
 public:
  explicit Verdict(const Reader& reader) : reader_(reader) {}

  // A condition on what has been read so far.
  void require(bool holds, Error otherwise = Error::badField) {
    if (error_ != Error::none) return;
    if (!reader_.ok()) {
      error_ = Error::truncated;
    } else if (!holds) {
      error_ = otherwise;
    }
  }
  // So far.
  [[nodiscard]] Error error() const { return error_; }
  // After the last field.
  [[nodiscard]] Error end() const { return error_ == Error::none ? endError(reader_) : error_; }
  // The same for the body of a section, which has its own length.
  [[nodiscard]] Error endOfSection() const {
    const Error error = end();
    return error == Error::truncated || error == Error::trailingBytes ? Error::badLength : error;
  }

 private:
  const Reader& reader_;
  Error error_ = Error::none;
};

// Length of an end-to-end packet that is the rest of its carrier.
[[nodiscard]] inline Error packetLengthError(size_t length) {
  if (length < packetBytesMin) return Error::truncated;
  return length > packetBytesMax ? Error::oversize : Error::none;
}

// For writers: true when all went well; otherwise takes back what was written since `start`.
inline bool keepOrRewind(Writer& writer, size_t start) {
  if (writer.ok()) return true;
  writer.rewind(start);
  return false;
}

// For encoders: the bytes written, 0 when they did not fit.
inline size_t writtenBytes(const Writer& writer) { return writer.ok() ? writer.length() : 0; }

}  // namespace wattmesh
