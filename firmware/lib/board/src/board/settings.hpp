// What a board is told at its console and keeps in flash.
#pragma once
#include "inputs/pzem.hpp"
#include "wattmesh/config.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/limits.hpp"

namespace board {

constexpr size_t networkIdBytesMax = 32;

enum class Input : uint8_t { none = 0, pulse = 1, pzem = 2 };

struct Settings {
  char networkId[networkIdBytesMax + 1] = {};
  uint8_t suite = 0x01;
  bool hasHeadEndKey = false;
  uint8_t headEndKey[wattmesh::keyBytes] = {};
  uint8_t networkKeyId = 0;  // 0: none, it comes when the device joins
  uint8_t networkKey[wattmesh::networkKeyBytes] = {};
  bool hasPsk = false;
  uint8_t psk[wattmesh::keyBytes] = {};
  bool hasModulus = false;
  uint8_t modulus[wattmesh::rsaBytes] = {};
  wattmesh::EnergyClass power = wattmesh::EnergyClass::mains;
  uint8_t channel = 0;       // 0: searched
  uint16_t localHubId = 0;
  uint16_t intervalS = 60;
  uint16_t pollCycleS = 60;
  uint32_t baud = 115200;    // of a gateway's line to its host
  Input input = Input::none;
  uint32_t pulsesPerKwh = 1000;
  uint16_t pulseMs = 10;     // how long a level of a pulse line must last
  uint8_t pzemAddress = inputs::pzemAnyAddress;
};

// What is missing before a device of this role can start, as a sentence that says how to set it; nullptr: nothing. `hasRsa`: this board can do
// suite RSA.
const char* whatIsMissing(const Settings& settings, wattmesh::Role role, bool hasRsa);

// The settings as the core wants them. `rsaModulus` points into `settings`.
void configure(const Settings& settings, wattmesh::Role role, const wattmesh::Port& port, wattmesh::Config& config);

// Kept in two sectors that are written in turn: a power cut leaves the former ones.
class SettingsStore {
 public:
  static constexpr size_t sectors = 2;
  static constexpr size_t storedBytes = 512;

  // `address`: of the first sector.
  SettingsStore(const wattmesh::Port& port, uint32_t address) : port_(port), address_(address) {}

  // False: none were ever saved, or flash has lost them; `settings` are then of no use.
  [[nodiscard]] bool load(Settings& settings);
  // Durable when it returns Error::none.
  [[nodiscard]] wattmesh::Error save(const Settings& settings);

 private:
  bool read(size_t sector, uint8_t bytes[storedBytes], uint32_t& sequence);

  const wattmesh::Port& port_;
  uint32_t address_;
};

}  // namespace board
