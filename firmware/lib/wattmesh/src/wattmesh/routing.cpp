#include "wattmesh/routing.hpp"

#include <cstring>

#include "wattmesh/limits.hpp"

namespace wattmesh {

namespace {

// A parent is left for another only when that is better by 1.5 transmissions: beacons and estimates flutter.
constexpr uint32_t switchCost = 192;
constexpr uint64_t shunnedUs = 300 * usPerS;

// Serial number arithmetic (RFC 1982).
bool later(uint16_t a, uint16_t b) { return static_cast<int16_t>(a - b) > 0; }
bool newer(uint16_t epochA, uint16_t treeA, uint16_t epochB, uint16_t treeB) {
  return epochA != epochB ? later(epochA, epochB) : later(treeA, treeB);
}

uint32_t costThrough(const Neighbour& neighbour) {
  return static_cast<uint32_t>(neighbour.beacon.cost) + neighbour.quality.etx();
}

bool samePosition(const TreePosition& a, const TreePosition& b) {
  return a.attached == b.attached && a.parentShort == b.parentShort && a.epoch == b.epoch && a.tree == b.tree &&
         a.gateway == b.gateway && a.hub == b.hub && a.localHubId == b.localHubId && a.hops == b.hops;
}

}  // namespace

Routing::Source* Routing::find(uint16_t gateway, uint64_t nowUs) {
  for (Source& source : sources_) {
    if (source.gateway == gateway && gateway != 0 && nowUs - source.usedUs < sourceLifeUs) return &source;
  }
  return nullptr;
}

bool Routing::feasible(const Beacon& beacon, uint64_t nowUs) {
  const Source* known = find(beacon.gateway, nowUs);
  if (known == nullptr) {
    if (nowUs >= cautiousUntilUs_) return true;
    known = plant(Source{beacon.gateway, beacon.epoch, beacon.tree, 0, nowUs});
  }
  if (newer(beacon.epoch, beacon.tree, known->epoch, known->tree)) return true;
  return beacon.epoch == known->epoch && beacon.tree == known->tree && beacon.cost < known->cost;
}

bool Routing::usable(const Neighbour& neighbour, uint64_t nowUs) {
  if (!neighbour.used || !neighbour.hasBeacon || neighbour.shortId == 0) return false;
  const Beacon& beacon = neighbour.beacon;
  if (!beacon.grounded || !beacon.joined || beacon.cost == costNone || beacon.hops >= hopsMax) return false;
  if (beacon.energyClass == EnergyClass::battery) return false;
  if (nowUs - neighbour.beaconUs > beaconSilenceUs || nowUs < neighbour.avoidUntilUs) return false;
  return costThrough(neighbour) < costNone && feasible(beacon, nowUs);
}

bool Routing::update(Neighbours& neighbours, uint64_t nowUs) {
  const TreePosition before = position_;
  Neighbour* best = nullptr;
  Neighbour* parent = nullptr;
  for (Neighbour& neighbour : neighbours) {
    if (!usable(neighbour, nowUs)) continue;
    if (before.attached && memcmp(neighbour.mac, before.parent, macBytes) == 0) parent = &neighbour;
    if (best == nullptr || costThrough(neighbour) < costThrough(*best)) best = &neighbour;
  }
  if (parent != nullptr && costThrough(*best) + switchCost >= costThrough(*parent)) best = parent;
  if (best == nullptr) {
    position_ = TreePosition{};
    return before.attached;
  }
  const Beacon& beacon = best->beacon;
  memcpy(position_.parent, best->mac, macBytes);
  position_.attached = true;
  position_.parentShort = best->shortId;
  position_.epoch = beacon.epoch;
  position_.tree = beacon.tree;
  position_.gateway = beacon.gateway;
  position_.hub = beacon.nearestHub;
  position_.localHubId = beacon.localHubId;
  position_.hops = static_cast<uint8_t>(beacon.hops + 1);
  position_.cost = static_cast<uint16_t>(costThrough(*best));
  return !samePosition(before, position_);
}

void Routing::shun(Neighbours& neighbours, uint64_t nowUs) {
  if (!position_.attached || position_.hops == 0) return;
  Neighbour* parent = neighbours.find(position_.parent);
  bool hasOther = false;
  for (const Neighbour& neighbour : neighbours) hasOther = hasOther || (&neighbour != parent && usable(neighbour, nowUs));
  if (parent != nullptr && hasOther) parent->avoidUntilUs = nowUs + shunnedUs;
}

bool Routing::updateRoot(bool grounded, uint16_t shortId, uint16_t localHubId, uint16_t bootCount) {
  const bool was = position_.attached;
  position_.attached = grounded;
  position_.epoch = bootCount;
  position_.gateway = grounded ? shortId : 0;
  position_.hub = shortId;
  position_.localHubId = localHubId;
  position_.hops = grounded ? 0 : hopsNone;
  position_.cost = grounded ? 0 : costNone;
  return was != grounded;
}

// In the place used least recently.
Routing::Source* Routing::plant(const Source& source) {
  Source* place = &sources_[0];
  for (Source& candidate : sources_) {
    if (candidate.usedUs < place->usedUs) place = &candidate;
  }
  *place = source;
  return place;
}

void Routing::announced(uint64_t nowUs) {
  if (!position_.attached) return;
  Source* known = find(position_.gateway, nowUs);
  if (known == nullptr) {
    plant(Source{position_.gateway, position_.epoch, position_.tree, position_.cost, nowUs});
    return;
  }
  known->usedUs = nowUs;
  if (newer(position_.epoch, position_.tree, known->epoch, known->tree)) {
    known->epoch = position_.epoch;
    known->tree = position_.tree;
    known->cost = position_.cost;
  } else if (position_.cost < known->cost) {
    known->cost = position_.cost;
  }
}

uint64_t Routing::nextUs(const Neighbours& neighbours) const {
  if (!position_.attached || position_.hops == 0) return never;
  const Neighbour* parent = const_cast<Neighbours&>(neighbours).find(position_.parent);
  return parent == nullptr ? 0 : parent->beaconUs + beaconSilenceUs + 1;
}

}  // namespace wattmesh
