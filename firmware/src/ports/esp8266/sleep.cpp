// Deep sleep, ended by the RTC through a wire from GPIO16 to RST. The RTC's user memory stays: 512 bytes, of which an update over the air, which
// these programs do not have, would use the first 128.
#include <cstring>

#include "ports/chip.hpp"

namespace ports {

bool readRetained(uint8_t* out, size_t length) {
  uint32_t words[retainedBytes / sizeof(uint32_t)];
  if (!ESP.rtcUserMemoryRead(0, words, length)) return false;
  memcpy(out, words, length);
  return true;
}

bool writeRetained(const uint8_t* data, size_t length) {
  uint32_t words[retainedBytes / sizeof(uint32_t)];
  memcpy(words, data, length);
  return ESP.rtcUserMemoryWrite(0, words, length);
}

void deepSleep(uint64_t us, bool wantsRadio) {
  // Without calibration the radio can be switched on all the same, should it be wanted after all.
  ESP.deepSleep(us, wantsRadio ? RF_DEFAULT : RF_NO_CAL);
  for (;;) delay(1000);  // it returns, and the chip sleeps a moment later
}

}  // namespace ports
