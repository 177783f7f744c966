#include "wattmesh/routing.hpp"

#include <cstring>
#include <utility>

#include "wattmesh/bytes.hpp"
#include "wattmesh/limits.hpp"

namespace wattmesh {

namespace {

constexpr uint64_t shunnedUs = 300 * usPerS;
// Who hands packets up to us is no other way for them, also when it has had none for a while.
constexpr uint64_t childUs = 3600 * usPerS;
// For so long a newer tree is awaited from others, when only somebody who is avoided has told of it.
constexpr uint64_t newsWaitUs = 8 * usPerS;
// A link that has failed less often in a row suffers from a burst, as far as can be told.
constexpr uint8_t burstFailures = 3;
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

// What others must know at once: the cost apart, and hops, which only bound the life of a packet.
bool samePosition(const TreePosition& a, const TreePosition& b) {
  return a.attached == b.attached && a.grounded == b.grounded && a.epoch == b.epoch && a.tree == b.tree && a.gateway == b.gateway && a.hub == b.hub &&
         a.localHubId == b.localHubId;
}

// The least is the best: 0 nothing speaks against it, 1 it runs on a backup, 2 its link fails, 4 it leads nowhere, 8 nor says that it does.
unsigned doubt(const Neighbour& neighbour, bool isParent, uint64_t nowUs) {
  const unsigned doubts = neighbour.avoided(nowUs) ? 4u : neighbour.troubled() ? 2u : 0u;
  return doubts + (isMainsWay(neighbour, isParent) ? 0u : 1u) + (neighbour.beacon.grounded ? 0u : 8u);
}

}  // namespace

Routing::Source* Routing::find(uint16_t gateway, uint64_t nowUs) {
  for (Source& source : sources_) {
    if (source.gateway == gateway && gateway != 0 && nowUs - source.usedUs < sourceLifeUs) return &source;
  }
  return nullptr;
}

// What a neighbour announced lowest of a tree bounds what it can ever have believed of those below it, whatever it says now: the parent stays
// feasible when it becomes dearer.
bool Routing::feasible(const Neighbour& neighbour, uint64_t nowUs) {
  const RouteOffer& beacon = neighbour.beacon;
  const Source* known = find(beacon.gateway, nowUs);
  if (known == nullptr) return true;
  if (newer(beacon.epoch, beacon.tree, known->epoch, known->tree)) return true;
  return beacon.epoch == known->epoch && beacon.tree == known->tree && neighbour.lowestCost < known->cost;
}

// Nobody moves into a floating tree: it is for those who are in it, or were, since somebody could make it up.
bool Routing::usable(const Neighbour& neighbour, uint64_t nowUs) {
  if (!offers(neighbour, nowUs) || !feasible(neighbour, nowUs)) return false;
  const RouteOffer& beacon = neighbour.beacon;
  const auto isTree = [&beacon](uint16_t epoch, uint16_t tree) { return beacon.epoch == epoch && beacon.tree == tree; };
  const bool isOurs = position_.attached && beacon.gateway == position_.gateway && isTree(position_.epoch, position_.tree);
  const Source* known = find(beacon.gateway, nowUs);
  return beacon.grounded || isOurs || (known != nullptr && isTree(known->epoch, known->tree));
}

// Whether it claims to lead somewhere: not yet whether it may be believed not to hang on us.
bool Routing::offers(const Neighbour& neighbour, uint64_t nowUs) {
  if (!neighbour.used || !neighbour.hasBeacon || neighbour.shortId == 0) return false;
  const RouteOffer& beacon = neighbour.beacon;
  if (!beacon.joined || beacon.cost == costNone || beacon.hops >= hopsMax) return false;
  if (beacon.energyClass == EnergyClass::battery) return false;
  return nowUs - neighbour.beaconUs <= beaconSilenceUs && costThrough(neighbour) < costNone;
}

bool Routing::update(Neighbours& neighbours, uint64_t nowUs, Afloat afloat) {
  const TreePosition before = position_;
  const auto isParent = [&before](const Neighbour& neighbour) {
    return before.attached && memcmp(neighbour.mac, before.parent, macBytes) == 0;
  };
  const Neighbour* best = nullptr;
  const Neighbour* parent = nullptr;
  unsigned leastDoubts = 0;
  bool waits = false;
  forgetGone(neighbours, nowUs);
  for (const Neighbour& neighbour : neighbours) {
    if (goneUs_ != 0) break;
    if (!usable(neighbour, nowUs) || (afloat != Afloat::follows && !neighbour.beacon.grounded)) continue;
    if (isNewsOfAvoided(neighbour, nowUs)) {
      if (!std::exchange(waits, true) && newsUs_ == 0) newsUs_ = nowUs;
      if (nowUs - newsUs_ < newsWaitUs) continue;
    }
    if (isParent(neighbour)) parent = &neighbour;
    const unsigned doubts = doubt(neighbour, isParent(neighbour), nowUs);
    // Who is to be avoided is better than nobody.
    const bool better = best == nullptr || (doubts != leastDoubts ? doubts < leastDoubts : costThrough(neighbour) < costThrough(*best));
    if (!better) continue;
    best = &neighbour;
    leastDoubts = doubts;
  }
  if (!waits) newsUs_ = 0;
  if (parent != nullptr && doubt(*parent, true, nowUs) == leastDoubts && costThrough(*best) + switchCost >= costThrough(*parent)) best = parent;
  if (best != nullptr) {
    take(*best);
  } else if (!waits && afloat == Afloat::holds && goneUs_ == 0) {
    hold();
  } else if (!waits) {
    position_ = TreePosition{};
  }
  chooseHop(neighbours, nowUs);
  starving_ = false;
  if (best == nullptr || !best->beacon.grounded || best->avoided(nowUs) || (!hop_.exists && best->troubled())) starve(neighbours, best, nowUs);
  if (!position_.attached) return before.attached;
  return position_.cost != before.cost || !samePosition(before, position_);
}

// A newer tree that an avoided neighbour is the first to tell of: once it is announced, those who are not avoided may be feasible no more.
bool Routing::isNewsOfAvoided(const Neighbour& neighbour, uint64_t nowUs) {
  const Source* known = neighbour.avoided(nowUs) ? find(neighbour.beacon.gateway, nowUs) : nullptr;
  return known != nullptr && newer(neighbour.beacon.epoch, neighbour.beacon.tree, known->epoch, known->tree);
}

void Routing::take(const Neighbour& parent) {
  const RouteOffer& beacon = parent.beacon;
  memcpy(position_.parent, parent.mac, macBytes);
  position_.attached = true;
  position_.grounded = beacon.grounded;
  position_.parentShort = parent.shortId;
  position_.epoch = beacon.epoch;
  position_.tree = beacon.tree;
  position_.gateway = beacon.gateway;
  position_.hub = beacon.nearestHub;
  position_.localHubId = beacon.localHubId;
  position_.hops = static_cast<uint8_t>(beacon.hops + 1);
  // Who is told less often is disturbed less often, and what was told lowest stays high: more neighbours remain feasible.
  const uint32_t cost = costThrough(parent);
  const uint32_t told = position_.cost;
  const bool stays = told != costNone && told > beacon.cost && cost < told + switchCost && told < cost + switchCost;
  if (!stays) position_.cost = static_cast<uint16_t>(cost);
}

// Whoever hangs on us stays: what we announced goes on, but for where it leads to.
void Routing::hold() {
  if (!position_.attached) return;
  position_.grounded = false;
  position_.parentShort = 0;
  position_.hops = 0;
  memset(position_.parent, 0, macBytes);
}

// Data may go to any feasible neighbour at any instant: the parent is what is told, and who stands in for it during a burst is nobody else's
// business.
void Routing::chooseHop(Neighbours& neighbours, uint64_t nowUs) {
  hop_ = NextHop{};
  if (!position_.attached || position_.hops == 0) return;
  const Neighbour* best = nullptr;
  const Neighbour* parent = neighbours.find(position_.parent);
  const bool isBurst = parent != nullptr && parent->failures < burstFailures;
  for (const Neighbour& neighbour : neighbours) {
    if (position_.grounded && !neighbour.beacon.grounded) continue;
    if (!usable(neighbour, nowUs) || neighbour.beacon.gateway != position_.gateway) continue;
    const bool isParent = memcmp(neighbour.mac, position_.parent, macBytes) == 0;
    if (neighbour.avoided(nowUs) && !isParent) continue;
    if (neighbour.rests(nowUs)) {
      if (neighbour.restUntilUs < hop_.againUs) hop_.againUs = neighbour.restUntilUs;
      continue;
    }
    // Whoever is served by another hub would make us its member, and us a stranger to ours: a burst is over before that pays.
    if (!isParent && isBurst && neighbour.beacon.nearestHub != position_.hub) continue;
    if (best == nullptr || isParent || costThrough(neighbour) < costThrough(*best)) best = &neighbour;
    if (isParent) break;
  }
  if (best == nullptr) return;
  hop_.againUs = never;
  hop_.exists = true;
  memcpy(hop_.mac, best->mac, macBytes);
  hop_.cost = static_cast<uint16_t>(costThrough(*best));
}

// Of those who would do if their tree were newer, the nearest is asked: if the parent is to be avoided, one who is not.
void Routing::starve(Neighbours& neighbours, const Neighbour* parent, uint64_t nowUs) {
  const Neighbour* nearest = nullptr;
  const bool isLeft = parent != nullptr && parent->avoided(nowUs);
  for (const Neighbour& neighbour : neighbours) {
    if (!offers(neighbour, nowUs) || !neighbour.beacon.grounded || neighbour.rests(nowUs) || (isLeft && neighbour.avoided(nowUs))) continue;
    const bool better = nearest == nullptr || (neighbour.avoided(nowUs) != nearest->avoided(nowUs) ? nearest->avoided(nowUs)
                                                                                                  : costThrough(neighbour) < costThrough(*nearest));
    if (better) nearest = &neighbour;
  }
  const Source* known = nearest == nullptr ? nullptr : find(nearest->beacon.gateway, nowUs);
  if (known == nullptr) return;
  outrun_ = newer(known->epoch, known->tree, nearest->beacon.epoch, nearest->beacon.tree);
  // A newer tree that did not help either is not asked for again: all others may really hang on us.
  if (isLeft && position_.tree != leftTree_ && !outrun_) return;
  starving_ = true;
  // Most often the news of our tree got lost, on the way to them or from them: a beacon from there is enough, and no wave of them.
  wantedTree_ = static_cast<uint16_t>(known->tree + (outrun_ ? 0 : 1));
  memcpy(asksBy_, nearest->mac, macBytes);
}

void Routing::forgetTree(uint64_t nowUs) {
  for (Source& source : sources_) {
    if (outrun_ && source.tree == wantedTree_ && find(source.gateway, nowUs) == &source) source = Source{};
  }
}

void Routing::letGo(Neighbours& neighbours, uint64_t nowUs) {
  const Neighbour* parent = position_.attached && position_.hops > 0 ? neighbours.find(position_.parent) : nullptr;
  if (goneUs_ != 0 || !outrun_ || parent == nullptr || !parent->avoided(nowUs)) return;
  goneUs_ = nowUs;
  goneTree_ = wantedTree_;
}

void Routing::forgetGone(Neighbours& neighbours, uint64_t nowUs) {
  if (goneUs_ == 0 || nowUs - goneUs_ < letGoUs) return;
  for (Source& source : sources_) {
    if (source.tree == goneTree_) source = Source{};
  }
  const uint64_t toldUs = goneUs_ + letGoUs / 2;
  for (Neighbour& neighbour : neighbours) {
    if (neighbour.beaconUs < toldUs || neighbour.dataUs >= toldUs) neighbour.hasBeacon = false;
  }
  goneUs_ = 0;
}

bool Routing::hasTree(uint16_t wanted) const { return position_.attached && !later(wanted, position_.tree); }

bool Routing::isBehind(const RouteOffer& beacon) const {
  return beacon.gateway == position_.gateway && newer(position_.epoch, position_.tree, beacon.epoch, beacon.tree);
}

bool Routing::newTree(uint16_t wanted) {
  if (!position_.grounded || hasTree(wanted)) return false;
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

bool Routing::hasOther(Neighbours& neighbours, uint64_t nowUs) const {
  for (const Neighbour& neighbour : neighbours) {
    const bool isParent = memcmp(neighbour.mac, position_.parent, macBytes) == 0;
    const bool isChild = neighbour.dataUs != 0 && nowUs - neighbour.dataUs < childUs;
    if (!isParent && !isChild && !neighbour.avoided(nowUs) && neighbour.beacon.grounded && offers(neighbour, nowUs)) return true;
  }
  return false;
}

bool Routing::mayChange(Neighbours& neighbours, uint64_t nowUs) {
  for (const Neighbour& neighbour : neighbours) {
    const bool isParent = memcmp(neighbour.mac, position_.parent, macBytes) == 0;
    if (!isParent && !neighbour.avoided(nowUs) && neighbour.beacon.grounded && usable(neighbour, nowUs)) return true;
  }
  return false;
}

bool Routing::distrust(Neighbours& neighbours, uint64_t patienceUs, uint64_t nowUs) {
  Neighbour* parent = position_.attached && position_.hops > 0 ? neighbours.find(position_.parent) : nullptr;
  if (parent == nullptr || !hasOther(neighbours, nowUs)) return false;
  leftTree_ = position_.tree;
  parent->distrust(patienceUs, nowUs);
  return true;
}

bool Routing::updateRoot(bool grounded, bool holds, uint16_t shortId, uint16_t localHubId, uint16_t bootCount) {
  const TreePosition was = position_;
  const bool isRoot = grounded || (holds && was.attached);
  // Whoever hung on us before has forgotten nothing: only a newer tree takes all of them.
  if (grounded && !was.grounded) position_.tree++;
  position_.attached = isRoot;
  position_.grounded = grounded;
  position_.epoch = bootCount;
  position_.gateway = isRoot ? shortId : 0;
  position_.hub = shortId;
  position_.localHubId = localHubId;
  position_.hops = isRoot ? 0 : hopsNone;
  position_.cost = isRoot ? 0 : costNone;
  return was.attached != isRoot || was.grounded != grounded;
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
  if (known->cost >= known->promised || position_.cost == 0) return;
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

}  // namespace wattmesh
