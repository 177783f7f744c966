// What a chip gives to the application. ports/esp32 and ports/esp8266 each have all of it; everything above them is the same for both.
#pragma once
#include <Arduino.h>

#include "board/radio.hpp"

namespace ports {

// Starts the watchdog: feedWatchdog() wants to be called every few seconds from then on.
void beginChip();
void feedWatchdog();
[[noreturn]] void restartChip();

// Microseconds since boot, never going back.
uint64_t nowUs();
// As in PROTOCOL.md, 3.1.
uint8_t resetCause();
// Bytes.
uint32_t freeRam();

// Memory that outlasts deep sleep, and neither a loss of power nor another reset. `length` is a multiple of four. False: the chip failed.
constexpr size_t retainedBytes = 512;
bool readRetained(uint8_t* out, size_t length);
bool writeRetained(const uint8_t* data, size_t length);
// Sleeps for so long and starts from the beginning, as after a reset. `wantsRadio`: Wi-Fi will be switched on at once then.
[[noreturn]] void deepSleep(uint64_t us, bool wantsRadio);
// The chip was in deep sleep before this start.
bool woke();

// Switches Wi-Fi on without joining any network. Until then noise() is not random. False: the SDK refused.
[[nodiscard]] bool beginWifi();
void macAddress(uint8_t mac[wattmesh::macBytes]);
// 32 bits of the chip's noise source, as they are.
uint32_t noise();
// ESP-NOW. What it receives goes to radio().
extern const board::RadioDriver radioDriver;
board::Radio& radio();

// Finds the part of the flash that is ours; 0: there is none, the board was flashed with another partition table or layout. Otherwise its bytes, a
// multiple of 4,096. Addresses below start at 0 with it; the rules are those of wattmesh::Port.
uint32_t openFlash();
bool readFlash(uint32_t address, uint8_t* out, size_t length);
bool writeFlash(uint32_t address, const uint8_t* data, size_t length);
bool eraseFlash(uint32_t address);

// The line to a PZEM: 9600 baud, 8N1, on the pins WATTMESH_PZEM_RX and WATTMESH_PZEM_TX.
Stream& openPzemLine();

}  // namespace ports
