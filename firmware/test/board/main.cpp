// board FOLDER NUMBER SPEED PULSE_US: runs the program of a board until it is ended, or restarts (exit code 75).
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "board.hpp"

void setup();
void loop();

namespace host {

Options options;

uint64_t nowUs() {
  static const auto start = std::chrono::steady_clock::now();
  const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  return static_cast<uint64_t>(passed.count()) * options.speed;
}

void pass(uint64_t us) {
  usleep(static_cast<unsigned>(us / options.speed));
  pollAir();
  pollPulses();
}

}  // namespace host

int main(int count, char** arguments) {
  if (count != 5) {
    fprintf(stderr, "usage: board FOLDER NUMBER SPEED PULSE_US\n");
    return 2;
  }
  host::options = {arguments[1], static_cast<uint8_t>(atoi(arguments[2])), static_cast<unsigned>(atoi(arguments[3])),
                   strtoull(arguments[4], nullptr, 10)};
  setup();
  for (;;) loop();
}
