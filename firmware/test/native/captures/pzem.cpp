// Reads PZEM traffic, a line of hexadecimal bytes at a time, and answers each with what the parser makes of it: address, then the values of a
// reading in the meter's units, "none" when there was none. "request ADDRESS" answers with the request to that address.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include "inputs/pzem.hpp"

using namespace inputs;

namespace {

void answerRequest(std::istream& words) {
  unsigned address = 0;
  words >> address;
  uint8_t request[pzemRequestBytes];
  writePzemRequest(static_cast<uint8_t>(address), request);
  for (size_t i = 0; i < sizeof request; i++) printf(i == 0 ? "%02X" : " %02X", request[i]);
  printf("\n");
}

}  // namespace

int main() {
  std::string line;
  PzemReceiver receiver(pzemAnyAddress);
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string word;
    bool found = false;
    PzemReading reading{};
    while (words >> word) {
      if (word == "request") {
        answerRequest(words);
        found = true;
        break;
      }
      if (!receiver.push(static_cast<uint8_t>(strtoul(word.c_str(), nullptr, 16)), reading)) continue;
      found = true;
      printf("%u %u %u %u %u %u %u\n", reading.voltageDv, reading.currentMa, reading.powerDw, reading.energyWh, reading.frequencyDhz,
             reading.powerFactorPct, reading.alarm ? 1u : 0u);
    }
    if (!found) printf("none\n");
  }
  return 0;
}
