// A board as a process of this machine: what the fakes declare for an ESP32, done with files, sockets and standard input and output.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace host {

struct Options {
  std::string folder;  // of the air and the flash
  uint8_t number = 0;  // last byte of the MAC address
  unsigned speed = 1;  // how many times faster than the machine's clock
  uint64_t pulseUs = 0;  // how far apart pulses are; 0: none
};
extern Options options;

// Microseconds since the start, in the board's time.
uint64_t nowUs();
// Lets the board's time pass, and does what interrupts and tasks of the SDK would do meanwhile.
void pass(uint64_t us);

// Frames from the air go to the callbacks.
void pollAir();
// The pulse line changes.
void pollPulses();

}  // namespace host
