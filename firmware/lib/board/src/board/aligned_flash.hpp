// Bytes at any address on flash that is read and written in whole words at addresses that are multiples of four, as the ESP8266's is. A byte of
// 0xff that is written leaves the cell as it is, so that the rest of a word can be filled with it.
#pragma once
#include <cstddef>
#include <cstdint>

namespace board {

struct WordFlash {
  // `length` and `address` are multiples of four. False: the chip failed.
  bool (*read)(uint32_t address, uint32_t* words, size_t length);
  bool (*write)(uint32_t address, const uint32_t* words, size_t length);
};

bool readBytes(const WordFlash& flash, uint32_t address, uint8_t* out, size_t length);
bool writeBytes(const WordFlash& flash, uint32_t address, const uint8_t* data, size_t length);

}  // namespace board
