// What a device is told before it starts: by its label, its build or the simulator. Everything else it learns.
#pragma once
#include <cstdint>

#include "wattmesh/port.hpp"

namespace wattmesh {

enum class Role : uint8_t { meter = 1, hub = 2, gateway = 3 };
enum class EnergyClass : uint8_t { mains = 0, backup = 1, battery = 2 };

constexpr uint8_t firmwareVersion[3] = {0, 1, 0};

struct Config {
  Role role;
  EnergyClass energy;
  uint8_t mac[macBytes];
  uint32_t networkNumber;
  uint8_t networkKey[16];
  uint8_t keyId;
  // Suite of the end-to-end session; the node refuses every other.
  uint8_t suite;
  // The head-end's X25519 public key, for suite ECC.
  uint8_t headEndKey[32];
  // For suite RSA: this device's pre-shared key, and the head-end's modulus (nullptr under other suites).
  uint8_t psk[32];
  const uint8_t* rsaModulus;
  uint16_t localHubId;
  uint16_t intervalS;
  uint16_t pollCycleS;
  uint16_t capabilities;
  uint8_t resetCause;
  // Gateways: true for a serial line (SLIP and CRC), false where each message carries one envelope (MQTT).
  bool serialHost;

  // Seconds in which everything is said once: a poll cycle, and of a leaf no less than what it measures in.
  uint16_t cycleS() const { return energy == EnergyClass::battery && intervalS > pollCycleS ? intervalS : pollCycleS; }
  bool routes() const { return energy != EnergyClass::battery; }
  bool isHub() const { return role != Role::meter; }
};

}  // namespace wattmesh
