// Text of the console: numbers and bytes, without heap and without printf.
#pragma once
#include <cstddef>
#include <cstdint>

namespace board {

// Text that is put together in a buffer of `Capacity` bytes with its end; what does not fit is cut off.
template <size_t Capacity>
class Text {
 public:
  Text& add(const char* text) {
    for (; *text != '\0'; text++) add(*text);
    return *this;
  }
  Text& add(char character) {
    if (length_ + 1 < Capacity) text_[length_++] = character;
    text_[length_] = '\0';
    return *this;
  }
  Text& addNumber(uint32_t number) {
    char digits[10];
    size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number > 0);
    while (count > 0) add(digits[--count]);
    return *this;
  }
  Text& addHex(const uint8_t* bytes, size_t length) {
    constexpr char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) add(digits[bytes[i] >> 4]).add(digits[bytes[i] & 0x0f]);
    return *this;
  }
  const char* c_str() const { return text_; }

 private:
  char text_[Capacity] = {};
  size_t length_ = 0;
};

// A decimal number and nothing else, at most `most`. False: it is none.
bool parseNumber(const char* text, uint32_t most, uint32_t& out);

// Exactly 2 * length hexadecimal digits. False: they are not; `out` is then undefined.
bool parseHex(const char* text, uint8_t* out, size_t length);

}  // namespace board
