// Neighbours of a node under test, and what they tell.
#pragma once
#include <cstring>

#include "check.hpp"
#include "wattmesh/routing.hpp"

namespace wattmesh {
constexpr uint64_t s = usPerS;
constexpr uint16_t gateway = 0x8000;
constexpr uint8_t nobody[macBytes] = {};

struct Mac {
  explicit Mac(size_t number) : bytes{2, 0, 0, 0, 0, static_cast<uint8_t>(number)} {}
  uint8_t bytes[macBytes];
};

inline Beacon beaconOf(uint16_t shortId, uint16_t tree, uint8_t hops, uint16_t cost) {
  Beacon beacon{};
  beacon.shortId = shortId;
  beacon.epoch = 1;
  beacon.tree = tree;
  beacon.gateway = gateway;
  beacon.hops = hops;
  beacon.cost = cost;
  beacon.grounded = beacon.joined = true;
  return beacon;
}

inline Neighbour& hear(Neighbours& neighbours, size_t number, const Beacon& beacon, uint64_t nowUs) {
  Neighbour* neighbour = neighbours.touch(Mac(number).bytes, -60, Claim::handsOver, nowUs, nobody);
  CHECK(neighbour != nullptr);
  neighbour->shortId = beacon.shortId;
  Beacon numbered = beacon;
  numbered.number = static_cast<uint8_t>(neighbour->beacon.number + 1);
  neighbour->told(numbered, nowUs);
  return *neighbour;
}
}  // namespace wattmesh
