// ESP8266: watchdog, time, resets.
#include "ports/chip.hpp"

#include <user_interface.h>

namespace ports {

namespace {

constexpr uint8_t causeUnknown = 0;
constexpr uint8_t causePowerOn = 1;
constexpr uint8_t causeResetPin = 2;
constexpr uint8_t causeSoftware = 3;
constexpr uint8_t causeWatchdog = 4;
constexpr uint8_t causeDeepSleep = 6;

// The hardware's noise register. Random while the radio is on, but nobody vouches for how much: board::Entropy tests and conditions it.
constexpr uintptr_t randomRegister = 0x3ff20e44;

}  // namespace

// The chip's own watchdog runs from the start; the core's comes before it and says where the program hung.
void beginChip() { ESP.wdtEnable(uint32_t{8000}); }

void feedWatchdog() { ESP.wdtFeed(); }

void restartChip() {
  ESP.restart();
  for (;;) delay(1000);  // it returns, and the chip restarts a moment later
}

uint64_t nowUs() { return micros64(); }

uint8_t resetCause() {
  switch (ESP.getResetInfoPtr()->reason) {
    case REASON_DEFAULT_RST:
      return causePowerOn;
    case REASON_EXT_SYS_RST:
      return causeResetPin;
    case REASON_SOFT_RESTART:
    case REASON_EXCEPTION_RST:
      return causeSoftware;
    case REASON_WDT_RST:
    case REASON_SOFT_WDT_RST:
      return causeWatchdog;
    case REASON_DEEP_SLEEP_AWAKE:
      return causeDeepSleep;
    default:
      return causeUnknown;
  }
}

bool woke() { return resetCause() == causeDeepSleep; }

uint32_t freeRam() { return ESP.getFreeHeap(); }

uint32_t noise() { return *reinterpret_cast<volatile const uint32_t*>(randomRegister); }

}  // namespace ports
