#include "board/text.hpp"

namespace board {

namespace {

int digitOf(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

}  // namespace

bool parseNumber(const char* text, uint32_t most, uint32_t& out) {
  if (*text == '\0') return false;
  uint64_t number = 0;
  for (; *text != '\0'; text++) {
    if (*text < '0' || *text > '9') return false;
    number = number * 10 + static_cast<uint64_t>(*text - '0');
    if (number > most) return false;
  }
  out = static_cast<uint32_t>(number);
  return true;
}

bool parseHex(const char* text, uint8_t* out, size_t length) {
  for (size_t i = 0; i < length; i++) {
    const int high = digitOf(text[2 * i]);
    const int low = high < 0 ? -1 : digitOf(text[2 * i + 1]);
    if (low < 0) return false;
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return text[2 * length] == '\0';
}

}  // namespace board
