// Integer routines that the compiler calls and that every ESP8266 has in its ROM, which is why Debian's libgcc leaves them out.
#include <cstdint>

namespace {

struct Division {
  uint64_t quotient;
  uint64_t remainder;
};

// One bit at a time; a divisor of 0 gives what it gives.
Division divide(uint64_t dividend, uint64_t divisor) {
  Division result{0, 0};
  for (int bit = 63; bit >= 0; bit--) {
    const bool carry = (result.remainder >> 63) != 0;
    result.remainder = result.remainder << 1 | (dividend >> bit & 1);
    if (!carry && result.remainder < divisor) continue;
    result.remainder -= divisor;
    result.quotient |= uint64_t{1} << bit;
  }
  return result;
}

struct ShortDivision {
  uint32_t quotient;
  uint32_t remainder;
};

ShortDivision divideShort(uint32_t dividend, uint32_t divisor) {
  ShortDivision result{0, 0};
  for (int bit = 31; bit >= 0; bit--) {
    const bool carry = (result.remainder >> 31) != 0;
    result.remainder = result.remainder << 1 | (dividend >> bit & 1);
    if (!carry && result.remainder < divisor) continue;
    result.remainder -= divisor;
    result.quotient |= uint32_t{1} << bit;
  }
  return result;
}

uint64_t magnitude(int64_t value) { return value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value); }
uint32_t magnitudeShort(int32_t value) { return value < 0 ? 0 - static_cast<uint32_t>(value) : static_cast<uint32_t>(value); }
int64_t withSign(uint64_t value, bool negative) { return static_cast<int64_t>(negative ? 0 - value : value); }
int32_t withSignShort(uint32_t value, bool negative) { return static_cast<int32_t>(negative ? 0 - value : value); }

}  // namespace

extern "C" {

uint32_t __udivsi3(uint32_t a, uint32_t b) { return divideShort(a, b).quotient; }
uint32_t __umodsi3(uint32_t a, uint32_t b) { return divideShort(a, b).remainder; }
int32_t __divsi3(int32_t a, int32_t b) {
  return withSignShort(divideShort(magnitudeShort(a), magnitudeShort(b)).quotient, (a < 0) != (b < 0));
}
int32_t __modsi3(int32_t a, int32_t b) { return withSignShort(divideShort(magnitudeShort(a), magnitudeShort(b)).remainder, a < 0); }

uint64_t __udivdi3(uint64_t a, uint64_t b) { return divide(a, b).quotient; }
uint64_t __umoddi3(uint64_t a, uint64_t b) { return divide(a, b).remainder; }
int64_t __divdi3(int64_t a, int64_t b) { return withSign(divide(magnitude(a), magnitude(b)).quotient, (a < 0) != (b < 0)); }
int64_t __moddi3(int64_t a, int64_t b) { return withSign(divide(magnitude(a), magnitude(b)).remainder, a < 0); }

// From products of halves: a 32 by 32 bit product itself would call this function.
uint64_t __muldi3(uint64_t a, uint64_t b) {
  const uint32_t a0 = static_cast<uint32_t>(a) & 0xffff;
  const uint32_t a1 = static_cast<uint32_t>(a) >> 16;
  const uint32_t b0 = static_cast<uint32_t>(b) & 0xffff;
  const uint32_t b1 = static_cast<uint32_t>(b) >> 16;
  const uint32_t low = a0 * b0;
  const uint32_t cross = a1 * b0 + (low >> 16);  // at most 0xffff * 0xffff + 0xffff
  const uint32_t middle = a0 * b1 + (cross & 0xffff);
  uint32_t high = a1 * b1 + (cross >> 16) + (middle >> 16);
  high += static_cast<uint32_t>(a >> 32) * static_cast<uint32_t>(b) + static_cast<uint32_t>(a) * static_cast<uint32_t>(b >> 32);
  return static_cast<uint64_t>(high) << 32 | ((middle << 16) | (low & 0xffff));
}
}
