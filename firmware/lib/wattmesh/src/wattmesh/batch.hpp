// The READINGS section: a batch of evenly spaced rows as deltas (PROTOCOL.md, section 3.3).
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/bytes.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/packet.hpp"
#include "wattmesh/row.hpp"

namespace wattmesh {

constexpr size_t batchHeadBytes = 22;
constexpr size_t sectionBodyBytesMax = 255;

struct BatchHead {
  uint8_t logId[logIdBytes];
  uint32_t oldest;
  uint32_t first;
  uint32_t t0;
  uint16_t interval;
  uint8_t count;
  uint8_t quality;
  uint16_t mask;
};

// The body's first batchHeadBytes bytes.
void writeBatchHead(Writer& writer, const BatchHead& head);

// Writes one whole section, kind and length included, into `out`.
class BatchWriter {
 public:
  // `first` is needed only for a batch that stays empty: the seq of the next row.
  BatchWriter(uint8_t* out, size_t capacity, const uint8_t logId[logIdBytes], uint32_t oldest, uint32_t first = 0);

  // False: the row does not fit or does not belong (seq, time, interval, quality or mask); the batch stays as it was.
  bool add(const Row& row);
  // Bytes of the section; 0 when not even an empty batch fits, or when an empty batch was not given `first`.
  size_t finish();
  uint8_t count() const { return head_.count; }
  const BatchHead& head() const { return head_; }

 private:
  bool belongs(const Row& row) const;

  Writer writer_;
  BatchHead head_;
  Registers last_;
};

// Reads the body of a READINGS section. `open` judges the head, `next` each row, `end` what is left after the last.
class BatchReader {
 public:
  BatchReader(const uint8_t* body, size_t length) : reader_(body, length) {}

  [[nodiscard]] Error open(BatchHead& head);
  // The next row; call head.count times.
  [[nodiscard]] Error next(Row& row);
  [[nodiscard]] Error end() const;

 private:
  Reader reader_;
  BatchHead head_{};
  uint8_t rows_ = 0;
  Registers last_{};
};

}  // namespace wattmesh
