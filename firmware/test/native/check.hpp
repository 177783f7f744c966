// The smallest harness that does: tests register themselves, a failed check says where and goes on.
#pragma once
#include <cstdint>
#include <cstdio>

namespace check {

// Of long series, every how many-th is done: all of them, unless the machine is slow.
#ifndef CHECK_STRIDE
#define CHECK_STRIDE 1
#endif
constexpr unsigned stride = CHECK_STRIDE;

using Body = void (*)();

struct Test {
  Test(const char* name, Body body);
  const char* name;
  Body body;
  Test* next;
};

// Counts a failure and says where, at most as often as helps.
void fail(const char* file, int line, const char* what);
void failEqual(const char* file, int line, const char* what, long long actual, long long expected);
// What a failure is reported with from here on: the seed, the operation that was cut. Stays until it is called again.
void context(const char* what, unsigned long long number);

// Pseudo-random numbers of a seed (splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(next() % limit); }
  bool coin() { return (next() & 1) != 0; }

 private:
  uint64_t state_;
};

}  // namespace check

#define TEST(identifier)                                              \
  static void identifier();                                           \
  static const check::Test identifier##Test(#identifier, identifier); \
  static void identifier()

#define CHECK(condition)                                           \
  do {                                                             \
    if (!(condition)) check::fail(__FILE__, __LINE__, #condition); \
  } while (false)

#define CHECK_EQUAL(actual, expected)                                                                         \
  do {                                                                                                        \
    const long long checkActual = static_cast<long long>(actual);                                             \
    const long long checkExpected = static_cast<long long>(expected);                                         \
    if (checkActual != checkExpected) check::failEqual(__FILE__, __LINE__, #actual, checkActual, checkExpected); \
  } while (false)
