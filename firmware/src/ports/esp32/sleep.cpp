// Deep sleep, ended by the timer of the RTC, whose memory stays.
#include <esp_attr.h>
#include <esp_sleep.h>
#include <esp_wifi.h>

#include <cstring>

#include "ports/chip.hpp"

namespace ports {

namespace {
RTC_DATA_ATTR uint8_t retained[retainedBytes];
}

bool readRetained(uint8_t* out, size_t length) {
  memcpy(out, retained, length);
  return true;
}

bool writeRetained(const uint8_t* data, size_t length) {
  memcpy(retained, data, length);
  return true;
}

void deepSleep(uint64_t us, bool) {
  esp_wifi_stop();  // fails when it was not started: so it should be
  esp_sleep_enable_timer_wakeup(us);
  esp_deep_sleep_start();
}

}  // namespace ports
