#include "wattmesh/routing.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/limits.hpp"

namespace wattmesh {

namespace {

// A parent is left for another only when that is better by 1.5 transmissions: beacons and estimates flutter.
constexpr uint32_t switchCost = 192;
constexpr uint64_t shunnedUs = 300 * usPerS;
// Costs flutter: half a transmission cheaper than announced is promised, so that NV is not written for every bit. The parent of before is
// cheaper by one at least: after a reboot it is feasible at once.
constexpr uint16_t promiseMargin = 64;

// Serial number arithmetic (RFC 1982).
bool later(uint16_t a, uint16_t b) { return static_cast<int16_t>(a - b) > 0; }
bool newer(uint16_t epochA, uint16_t treeA, uint16_t epochB, uint16_t treeB) {
  return epochA != epochB ? later(epochA, epochB) : later(treeA, treeB);
}

// Energy is a constraint, not a metric (RFC 6551): who runs on a backup is passed by where there is a way over mains. A link that needs more
// transmissions than this is none.
constexpr uint16_t mainsEtxMax = 4 * 128;
bool isMainsWay(const Neighbour& neighbour, bool isParent) {
  const uint16_t etxMax = isParent ? 2 * mainsEtxMax : mainsEtxMax;
  return neighbour.beacon.energyClass == EnergyClass::mains && neighbour.quality.etx() <= etxMax;
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
  if (known == nullptr) return true;
  if (newer(beacon.epoch, beacon.tree, known->epoch, known->tree)) return true;
  return beacon.epoch == known->epoch && beacon.tree == known->tree && beacon.cost < known->cost;
}

// Whether it claims to lead to a gateway: not yet whether it may be believed not to hang on us.
bool Routing::offers(const Neighbour& neighbour, uint64_t nowUs) {
  if (!neighbour.used || !neighbour.hasBeacon || neighbour.shortId == 0) return false;
  const Beacon& beacon = neighbour.beacon;
  if (!beacon.grounded || !beacon.joined || beacon.cost == costNone || beacon.hops >= hopsMax) return false;
  if (beacon.energyClass == EnergyClass::battery) return false;
  return nowUs - neighbour.beaconUs <= beaconSilenceUs && costThrough(neighbour) < costNone;
}

bool Routing::update(Neighbours& neighbours, uint64_t nowUs) {
  const TreePosition before = position_;
  Neighbour* best = nullptr;
  Neighbour* parent = nullptr;
  const auto isParent = [&before](const Neighbour& neighbour) {
    return before.attached && memcmp(neighbour.mac, before.parent, macBytes) == 0;
  };
  // The lower, the rather: who is to be avoided is better than nobody.
  const auto reluctance = [nowUs, isParent](const Neighbour& neighbour) {
    return (nowUs < neighbour.avoidUntilUs ? 2 : 0) + (isMainsWay(neighbour, isParent(neighbour)) ? 0 : 1);
  };
  for (Neighbour& neighbour : neighbours) {
    if (!usable(neighbour, nowUs)) continue;
    if (isParent(neighbour)) parent = &neighbour;
    const bool better = best == nullptr || (reluctance(neighbour) != reluctance(*best) ? reluctance(neighbour) < reluctance(*best)
                                                                                      : costThrough(neighbour) < costThrough(*best));
    if (better) best = &neighbour;
  }
  if (parent != nullptr && reluctance(*parent) == reluctance(*best) && costThrough(*best) + switchCost >= costThrough(*parent)) best = parent;
  starving_ = false;
  if (best == nullptr) {
    position_ = TreePosition{};
    starve(neighbours, nowUs);
    return before.attached;
  }
  take(*best);
  const uint32_t told = announcedCost_;
  const bool moved = position_.cost + 0u >= told + switchCost || position_.cost + switchCost <= told;
  return moved || !samePosition(before, position_);
}

void Routing::take(const Neighbour& parent) {
  const Beacon& beacon = parent.beacon;
  memcpy(position_.parent, parent.mac, macBytes);
  position_.attached = true;
  position_.parentShort = parent.shortId;
  position_.epoch = beacon.epoch;
  position_.tree = beacon.tree;
  position_.gateway = beacon.gateway;
  position_.hub = beacon.nearestHub;
  position_.localHubId = beacon.localHubId;
  position_.hops = static_cast<uint8_t>(beacon.hops + 1);
  position_.cost = static_cast<uint16_t>(costThrough(parent));
}

// Of those who would do if their tree were newer, the nearest is asked.
void Routing::starve(Neighbours& neighbours, uint64_t nowUs) {
  const Neighbour* nearest = nullptr;
  for (const Neighbour& neighbour : neighbours) {
    if (!offers(neighbour, nowUs)) continue;
    if (nearest == nullptr || costThrough(neighbour) < costThrough(*nearest)) nearest = &neighbour;
  }
  const Source* known = nearest == nullptr ? nullptr : find(nearest->beacon.gateway, nowUs);
  if (known == nullptr) return;
  starving_ = true;
  wantedTree_ = static_cast<uint16_t>(known->tree + 1);
  memcpy(asksBy_, nearest->mac, macBytes);
}

bool Routing::hasTree(uint16_t wanted) const { return position_.attached && !later(wanted, position_.tree); }

bool Routing::isBehind(const Beacon& beacon) const {
  return beacon.gateway == position_.gateway && newer(position_.epoch, position_.tree, beacon.epoch, beacon.tree);
}

bool Routing::newTree(uint16_t wanted) {
  if (!position_.attached || hasTree(wanted)) return false;
  // One by one, whatever was asked for: numbers that jump could make an old tree look newer than the present one.
  position_.tree++;
  return true;
}

void Routing::shun(Neighbours& neighbours, uint64_t nowUs) {
  if (!position_.attached || position_.hops == 0) return;
  Neighbour* parent = neighbours.find(position_.parent);
  bool hasOther = false;
  for (const Neighbour& neighbour : neighbours) hasOther = hasOther || (&neighbour != parent && usable(neighbour, nowUs));
  if (parent == nullptr) return;
  // The only one must be heard again: by a beacon, which it sends when it is asked, unless it has another network key by now.
  if (hasOther) parent->avoidUntilUs = nowUs + shunnedUs;
  parent->hasBeacon = hasOther;
}

bool Routing::updateRoot(bool grounded, uint16_t shortId, uint16_t localHubId, uint16_t bootCount) {
  const bool was = position_.attached;
  // Whoever hung on us before has forgotten nothing: only a newer tree takes all of them.
  if (grounded && !was) position_.tree++;
  position_.attached = grounded;
  position_.epoch = bootCount;
  position_.gateway = grounded ? shortId : 0;
  position_.hub = shortId;
  position_.localHubId = localHubId;
  position_.hops = grounded ? 0 : hopsNone;
  position_.cost = grounded ? 0 : costNone;
  return was != grounded;
}

// In the place of an expired one of the same gateway, or else the one used least recently.
Routing::Source* Routing::plant(uint16_t gateway) {
  Source* place = &sources_[0];
  for (Source& candidate : sources_) {
    if (candidate.usedUs < place->usedUs) place = &candidate;
  }
  for (Source& candidate : sources_) {
    if (candidate.gateway == gateway) place = &candidate;
  }
  *place = Source{};
  place->gateway = gateway;
  return place;
}

void Routing::announced(uint64_t nowUs) {
  if (!position_.attached) return;
  announcedCost_ = position_.cost;
  Source* known = find(position_.gateway, nowUs);
  const bool isNew = known == nullptr || newer(position_.epoch, position_.tree, known->epoch, known->tree);
  if (known == nullptr) known = plant(position_.gateway);
  known->usedUs = nowUs;
  if (isNew) {
    known->epoch = position_.epoch;
    known->tree = position_.tree;
    known->promised = costNone;
  }
  if (isNew || position_.cost < known->cost) known->cost = position_.cost;
  // The root depends on nobody.
  if (known->cost >= known->promised || position_.hops == 0) return;
  known->promised = static_cast<uint16_t>(known->cost > promiseMargin ? known->cost - promiseMargin : 0);
  hasPromised_ = false;
}

bool Routing::promises(uint8_t out[promisesBytes]) {
  if (hasPromised_) return false;
  hasPromised_ = true;
  Writer writer(out, promisesBytes);
  for (const Source& source : sources_) {
    writer.u16(source.gateway);
    writer.u16(source.epoch);
    writer.u16(source.tree);
    writer.u16(source.promised);
  }
  return true;
}

void Routing::restore(const uint8_t promises[promisesBytes], uint64_t nowUs) {
  Reader reader(promises, promisesBytes);
  for (Source& source : sources_) {
    source.gateway = reader.u16();
    source.epoch = reader.u16();
    source.tree = reader.u16();
    source.promised = reader.u16();
    source.cost = source.promised;
    source.usedUs = nowUs;
  }
}

uint64_t Routing::nextUs(const Neighbours& neighbours) const {
  if (!position_.attached || position_.hops == 0) return never;
  const Neighbour* parent = const_cast<Neighbours&>(neighbours).find(position_.parent);
  return parent == nullptr ? 0 : parent->beaconUs + beaconSilenceUs + 1;
}

}  // namespace wattmesh
