// The BEACON body (PROTOCOL.md, section 2.1).
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/config.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/limits.hpp"

namespace wattmesh {

constexpr size_t beaconBytes = 29;
constexpr uint8_t hopsNone = 255;
constexpr uint16_t costNone = 65535;  // no route: poison
constexpr uint16_t delayUnknown = 65535;

// What a beacon tells of routes, as tables keep it.
struct RouteOffer {
  uint16_t epoch;
  uint16_t tree;
  uint16_t gateway;
  uint16_t nearestHub;
  uint16_t localHubId;
  uint16_t cost;  // ETX in 1/128
  uint8_t hops;
  uint8_t number;
  EnergyClass energyClass;
  bool grounded : 1;
  bool pull : 1;
  bool congested : 1;
  bool timeValid : 1;
  bool isHub : 1;  // hub or gateway
  bool joined : 1;
};

struct Beacon : RouteOffer {
  uint16_t shortId;
  uint8_t queue;
  uint64_t utcMs;
  uint16_t lastDelay;       // 10 us
  uint16_t subMillisecond;  // 10 us, 0..99
  uint8_t timeAge;          // since the host gave the time, 10 min; 255: longer
};

// Its sender claims to lead to a gateway, and may be a parent.
inline bool leads(const RouteOffer& beacon) {
  return beacon.grounded && beacon.joined && beacon.cost != costNone && beacon.hops + 1u < hopsMax && beacon.energyClass != EnergyClass::battery;
}

[[nodiscard]] Error decodeBeacon(const uint8_t* body, size_t length, Beacon& beacon);
// Bytes written; 0 when they do not fit.
size_t encodeBeacon(const Beacon& beacon, uint8_t* out, size_t capacity);

}  // namespace wattmesh
