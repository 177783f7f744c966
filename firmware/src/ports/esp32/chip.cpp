// ESP32 and its relatives (ESP32-C3): watchdog, time, resets.
#include "ports/chip.hpp"

#include <esp_idf_version.h>
#include <esp_random.h>
#include <esp_system.h>
#include <esp_task_wdt.h>
#include <esp_timer.h>

namespace ports {

namespace {
constexpr uint32_t watchdogS = 15;
constexpr uint8_t causeUnknown = 0;
constexpr uint8_t causePowerOn = 1;
constexpr uint8_t causeResetPin = 2;
constexpr uint8_t causeSoftware = 3;
constexpr uint8_t causeWatchdog = 4;
constexpr uint8_t causeBrownOut = 5;
constexpr uint8_t causeDeepSleep = 6;
}  // namespace

void beginChip() {
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 0, 0)
  esp_task_wdt_config_t config = {};
  config.timeout_ms = watchdogS * 1000;
  config.trigger_panic = true;
  // The Arduino core of these versions has started it already.
  if (esp_task_wdt_reconfigure(&config) != ESP_OK) esp_task_wdt_init(&config);
#else
  esp_task_wdt_init(watchdogS, true);
#endif
  esp_task_wdt_add(nullptr);
}

void feedWatchdog() { esp_task_wdt_reset(); }

void restartChip() { esp_restart(); }

uint64_t nowUs() { return static_cast<uint64_t>(esp_timer_get_time()); }

uint8_t resetCause() {
  switch (esp_reset_reason()) {
    case ESP_RST_POWERON:
      return causePowerOn;
    case ESP_RST_EXT:
      return causeResetPin;
    case ESP_RST_SW:
    case ESP_RST_PANIC:
      return causeSoftware;
    case ESP_RST_INT_WDT:
    case ESP_RST_TASK_WDT:
    case ESP_RST_WDT:
      return causeWatchdog;
    case ESP_RST_BROWNOUT:
      return causeBrownOut;
    case ESP_RST_DEEPSLEEP:
      return causeDeepSleep;
    default:
      return causeUnknown;
  }
}

bool woke() { return resetCause() == causeDeepSleep; }

uint32_t freeRam() { return esp_get_free_heap_size(); }

// True randomness while the radio is on (ESP32 Technical Reference Manual, "Random Number Generator").
uint32_t noise() { return esp_random(); }

}  // namespace ports
