#include "board/aligned_flash.hpp"

#include <cstring>

namespace board {

namespace {

constexpr size_t windowBytes = 64;

// Part of the bytes that lies in one window of whole words.
struct Window {
  Window(uint32_t address, size_t length)
      : start(address & ~uint32_t{3}), skip(address & 3), part(length < windowBytes - skip ? length : windowBytes - skip), whole((skip + part + 3) & ~size_t{3}) {}
  uint32_t start;
  size_t skip;   // bytes before ours
  size_t part;   // ours
  size_t whole;  // bytes of whole words
};

}  // namespace

bool readBytes(const WordFlash& flash, uint32_t address, uint8_t* out, size_t length) {
  while (length > 0) {
    const Window window(address, length);
    uint32_t words[windowBytes / 4];
    if (!flash.read(window.start, words, window.whole)) return false;
    memcpy(out, reinterpret_cast<const uint8_t*>(words) + window.skip, window.part);
    address += static_cast<uint32_t>(window.part);
    out += window.part;
    length -= window.part;
  }
  return true;
}

bool writeBytes(const WordFlash& flash, uint32_t address, const uint8_t* data, size_t length) {
  while (length > 0) {
    const Window window(address, length);
    uint32_t words[windowBytes / 4];
    memset(words, 0xff, sizeof words);
    memcpy(reinterpret_cast<uint8_t*>(words) + window.skip, data, window.part);
    if (!flash.write(window.start, words, window.whole)) return false;
    address += static_cast<uint32_t>(window.part);
    data += window.part;
    length -= window.part;
  }
  return true;
}

}  // namespace board
