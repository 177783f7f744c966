// Random bytes from a chip's noise source: health-tested (NIST SP 800-90B, section 4.4) and conditioned with SHA-256, so that a biased source is
// no biased key, and a source that has stopped is noticed instead of used.
#pragma once
#include "wattmesh/crypto.hpp"

namespace board {

class Entropy {
 public:
  // `noise` reads 32 bits from the chip; its radio must be on. `port`: for SHA-256; must outlive this.
  void begin(const wattmesh::Port& port, uint32_t (*noise)());

  // Reads the source for the start-up test. False: it is not random, nothing may be built on it.
  [[nodiscard]] bool startUp();

  // Fills `out`. False: the source failed a test now or earlier; then nothing of `out` may be used.
  [[nodiscard]] bool fill(uint8_t* out, size_t length);

 private:
  uint8_t sample();
  void makeBlock();

  const wattmesh::Port* port_ = nullptr;
  uint32_t (*noise_)() = nullptr;
  bool failed_ = false;
  bool begun_ = false;         // there is a last sample
  uint8_t last_ = 0;
  uint8_t repetitions_ = 0;    // of the last sample
  uint8_t watched_ = 0;        // sample whose share is counted
  uint16_t windowCount_ = 0;   // samples in this window
  uint16_t windowShare_ = 0;   // of them equal to the watched one
  uint8_t state_[wattmesh::hashBytes] = {};
  uint8_t block_[wattmesh::hashBytes] = {};
  size_t left_ = 0;            // bytes at its end that nobody has got yet
};

}  // namespace board
