// The choice of a parent, loop-free by Babel's feasibility condition (RFC 8966, section 3.5.1): a neighbour may become parent only when its
// tree is newer than the one we announced, or its cost is below the lowest that we ever announced for it. Who finds nobody feasible asks the
// root for a newer tree (section 3.8.2).
#pragma once
#include "wattmesh/config.hpp"
#include "wattmesh/neighbours.hpp"
#include "wattmesh/trickle.hpp"

namespace wattmesh {

// What a neighbour told is believed for three of the longest intervals between beacons; whether it is still there, sending to it shows.
constexpr uint64_t beaconSilenceUs = 3 * Trickle::maxUs;

// Where this node stands in the collection tree.
struct TreePosition {
  bool attached = false;
  uint8_t parent[macBytes] = {};
  uint16_t parentShort = 0;
  uint16_t epoch = 0;
  uint16_t tree = 0;
  uint16_t gateway = 0;
  uint16_t hub = 0;
  uint16_t localHubId = 0;
  uint8_t hops = hopsNone;
  uint16_t cost = costNone;
};

class Routing {
 public:
  const TreePosition& position() const { return position_; }

  // After a reboot a node has forgotten what it announced, and a neighbour may still hang on it: until `untilUs` it joins no tree whose
  // number it may have announced itself. A device on its first boot never announced anything.
  void rebooted(uint64_t untilUs) { cautiousUntilUs_ = untilUs; }

  // Settles the route after any input; the only place that does. Returns true when something that a beacon tells has changed.
  bool update(Neighbours& neighbours, uint64_t nowUs);
  // The gateway's own place: root while `grounded`.
  bool updateRoot(bool grounded, uint16_t shortId, uint16_t localHubId, uint16_t bootCount);
  // The parent leads nowhere: another is taken for some minutes, if there is one.
  void shun(Neighbours& neighbours, uint64_t nowUs);
  // A beacon with this route is about to go out.
  void announced(uint64_t nowUs);
  // Nobody who could be parent is certain not to hang on us: a newer tree than `wanted()` says would help. It is asked for by way of `asksBy()`.
  bool starving() const { return starving_; }
  uint16_t wantedTree() const { return wantedTree_; }
  const uint8_t* asksBy() const { return asksBy_; }
  // The root begins a newer tree: `wanted`, or the next one. False: it has one already.
  bool newTree(uint16_t wanted);
  // A neighbour's beacon tells of an older tree of the same gateway than ours.
  bool isBehind(const Beacon& beacon) const;
  // This node's tree is at least as new as `wanted`.
  bool hasTree(uint16_t wanted) const;
  // When the parent falls silent, unless it is heard before.
  uint64_t nextUs(const Neighbours& neighbours) const;

 private:
  // The lowest cost announced per root, the "feasibility distance" of RFC 8966.
  struct Source {
    uint16_t gateway = 0;
    uint16_t epoch = 0;
    uint16_t tree = 0;
    uint16_t cost = costNone;
    uint64_t usedUs = 0;
  };
  static constexpr size_t sourcesMax = 4;
  static constexpr uint64_t sourceLifeUs = 2 * beaconSilenceUs;

  Source* find(uint16_t gateway, uint64_t nowUs);
  bool feasible(const Beacon& beacon, uint64_t nowUs);
  static bool offers(const Neighbour& neighbour, uint64_t nowUs);
  bool usable(const Neighbour& neighbour, uint64_t nowUs) { return offers(neighbour, nowUs) && feasible(neighbour.beacon, nowUs); }
  void starve(Neighbours& neighbours, uint64_t nowUs);
  void take(const Neighbour& parent);

  TreePosition position_;
  Source* plant(const Source& source);

  Source sources_[sourcesMax];
  uint64_t cautiousUntilUs_ = 0;
  uint16_t announcedCost_ = costNone;
  bool starving_ = false;
  uint16_t wantedTree_ = 0;
  uint8_t asksBy_[macBytes] = {};
};

}  // namespace wattmesh
