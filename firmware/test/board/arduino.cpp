// Arduino: the serial line is standard input and output, the pulse line is driven by time.
#include <Arduino.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "board.hpp"

namespace {

// Longer than any debouncing.
constexpr uint64_t pulseWidthUs = 100000;

void (*onPulse)() = nullptr;
bool wasLow = false;

bool isLow() { return host::options.pulseUs > 0 && host::nowUs() % host::options.pulseUs < pulseWidthUs; }

uint8_t buffer[1024];
size_t held = 0;
size_t taken = 0;

}  // namespace

void host::pollPulses() {
  const bool low = isLow();
  if (low == wasLow) return;
  wasLow = low;
  if (onPulse != nullptr) onPulse();
}

void pinMode(uint8_t, uint8_t) {}
void digitalWrite(uint8_t, uint8_t) {}
int digitalRead(uint8_t) { return isLow() ? LOW : HIGH; }
void attachInterrupt(uint8_t, void (*handler)(void), int) {
  wasLow = isLow();
  onPulse = handler;
}
unsigned long micros() { return static_cast<unsigned long>(host::nowUs()); }
void delay(unsigned long ms) { host::pass(ms * uint64_t{1000}); }
void portDISABLE_INTERRUPTS() {}
void portENABLE_INTERRUPTS() {}

HardwareSerial Serial;
HardwareSerial Serial1;

size_t Print::write(const uint8_t* bytes, size_t length) {
  for (size_t i = 0; i < length; i++) write(bytes[i]);
  return length;
}
size_t Print::print(const char* text) { return write(reinterpret_cast<const uint8_t*>(text), strlen(text)); }
// What a UART's buffer has room for.
int Print::availableForWrite() { return 127; }
void Print::flush() {}

void HardwareSerial::begin(unsigned long, uint32_t, int8_t, int8_t) {
  if (this == &Serial) fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
}
size_t HardwareSerial::setRxBufferSize(size_t bytes) { return bytes; }
size_t HardwareSerial::write(uint8_t byte) { return write(&byte, 1); }
size_t HardwareSerial::write(const uint8_t* bytes, size_t length) {
  size_t done = 0;
  while (this == &Serial && done < length) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes + done, length - done);
    if (written < 0) exit(0);  // nobody is at the other end any more
    done += static_cast<size_t>(written);
  }
  return length;
}
int HardwareSerial::available() {
  if (this != &Serial) return 0;
  if (taken == held) {
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count == 0) exit(0);
    taken = 0;
    held = count > 0 ? static_cast<size_t>(count) : 0;
  }
  return static_cast<int>(held - taken);
}
int HardwareSerial::read() { return available() > 0 ? buffer[taken++] : -1; }
