#include "board/label.hpp"

#include <cstring>

#include "board/text.hpp"

using namespace wattmesh;

namespace board {

namespace {

constexpr char prefix[] = "WM1:";
constexpr size_t prefixLength = sizeof prefix - 1;
constexpr size_t letters = 52;  // 260 bits, 4 more than a key has
constexpr char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr char fingerprintPrefix[] = "wattmesh label";
constexpr uint32_t dataDigitsEnd = 10000;  // four digits of the fingerprint in a group

// The five bits of the key from bit 5 * index on, zeros behind its end.
uint8_t fiveBits(const uint8_t key[keyBytes], size_t index) {
  const size_t bit = 5 * index;
  const unsigned next = bit / 8 + 1 < keyBytes ? key[bit / 8 + 1] : 0u;
  const unsigned two = static_cast<unsigned>(key[bit / 8]) << 8 | next;
  return static_cast<uint8_t>(two >> (11 - bit % 8) & 0x1f);
}

// ISO/IEC 7064, MOD 11,10, over the number of the group (1..8) and its four digits.
char checkDigit(size_t group, const char* digits) {
  int product = 10;
  for (int i = -1; i < 4; i++) {
    const int digit = i < 0 ? static_cast<int>(group) + 1 : digits[i] - '0';
    int sum = (product + digit) % 10;
    if (sum == 0) sum = 10;
    product = sum * 2 % 11;
  }
  return static_cast<char>('0' + (11 - product) % 10);
}

}  // namespace

void labelText(const uint8_t key[keyBytes], char out[labelTextBytes]) {
  Text<labelTextBytes> text;
  text.add(prefix);
  for (size_t i = 0; i < letters; i++) text.add(base32[fiveBits(key, i)]);
  const uint32_t crc = crc32(reinterpret_cast<const uint8_t*>(text.c_str()), prefixLength + letters);
  text.add(':');
  for (int shift = 28; shift >= 0; shift -= 4) text.add("0123456789ABCDEF"[crc >> shift & 0x0f]);
  memcpy(out, text.c_str(), labelTextBytes);
}

bool parseLabelText(const char* text, uint8_t key[keyBytes]) {
  if (strlen(text) != labelTextBytes - 1 || memcmp(text, prefix, prefixLength) != 0) return false;
  memset(key, 0, keyBytes);
  for (size_t i = 0; i < letters; i++) {
    const char* letter = static_cast<const char*>(memchr(base32, text[prefixLength + i], sizeof base32 - 1));
    if (letter == nullptr) return false;
    for (size_t bit = 0; bit < 5; bit++) {
      const size_t at = 5 * i + bit;
      if (at < 8 * keyBytes && ((letter - base32) >> (4 - bit) & 1) != 0) key[at / 8] = static_cast<uint8_t>(key[at / 8] | 0x80 >> at % 8);
    }
  }
  // Writing it again shows whether the CRC fits, and whether bits were left over.
  char again[labelTextBytes];
  labelText(key, again);
  return memcmp(again, text, labelTextBytes) == 0;
}

void labelDigits(const Port& port, const uint8_t key[keyBytes], char out[labelDigitsBytes]) {
  uint8_t message[sizeof fingerprintPrefix - 1 + keyBytes];
  memcpy(message, fingerprintPrefix, sizeof fingerprintPrefix - 1);
  memcpy(message + sizeof fingerprintPrefix - 1, key, keyBytes);
  uint8_t hash[hashBytes];
  port.sha256(port.context, message, sizeof message, hash);
  for (size_t group = 0; group < 8; group++) {
    const uint8_t* at = hash + 4 * group;
    uint32_t data = (uint32_t{at[0]} | uint32_t{at[1]} << 8 | uint32_t{at[2]} << 16 | uint32_t{at[3]} << 24) % dataDigitsEnd;
    char* digits = out + 6 * group;
    for (int i = 3; i >= 0; i--) {
      digits[i] = static_cast<char>('0' + data % 10);
      data /= 10;
    }
    digits[4] = checkDigit(group, digits);
    digits[5] = group < 7 ? ' ' : '\0';
  }
}

}  // namespace board
