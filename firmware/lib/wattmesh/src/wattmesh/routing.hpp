// The choice of a parent, loop-free by Babel's feasibility condition (RFC 8966, section 3.5.1): a neighbour may become parent only when its
// tree is newer than the one we announced, or its cost is below the lowest that we ever announced for it. Who finds nobody feasible asks the
// root for a newer tree (section 3.8.2).
//
// A tree whose root has lost the head-end floats, and so does what a hub holds together that has lost its way up: everybody stays in his place, and
// only the flag `grounded` changes. Nobody gets a next hop by it whom he had not before, so it makes no loops.
#pragma once
#include "wattmesh/config.hpp"
#include "wattmesh/neighbours.hpp"

namespace wattmesh {

// Where this node stands in the collection tree.
struct TreePosition {
  bool attached = false;
  bool grounded = false;  // and the head-end can be reached
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

// What becomes of a node that finds no way to a gateway.
enum class Afloat : uint8_t {
  follows,  // it stays below a hub that has none either
  holds,    // a hub: it holds those together who hang on it
  leaves,   // a hub that cannot: its spool is full
};

class Routing {
  static constexpr size_t sourcesMax = 4;

 public:
  static constexpr size_t promisesBytes = sourcesMax * 8;
  // A parent is left for another only when that is better by 1.5 transmissions: beacons and estimates flutter.
  static constexpr uint32_t switchCost = 192;

  const TreePosition& position() const { return position_; }

  // After a reboot: what promises() wrote last. A neighbour may still hang on what was announced before.
  void restore(const uint8_t promises[promisesBytes], uint64_t nowUs);

  // After deep sleep: `parent` was the parent before.
  void resume(const Neighbour& parent) { take(parent); }

  // Settles the route after any input; the only place that does. Returns true when something that a beacon tells has changed.
  bool update(Neighbours& neighbours, uint64_t nowUs, Afloat afloat = Afloat::follows);
  // The gateway's own place: root while `grounded`, and afterwards as long as `holds`.
  bool updateRoot(bool grounded, bool holds, uint16_t shortId, uint16_t localHubId, uint16_t bootCount);
  // The parent leads nowhere: another is taken for some minutes, or if there is none, this one only when it is heard again.
  void shun(Neighbours& neighbours, uint64_t nowUs);
  // Nothing has come back through the parent for `patienceUs`, whatever it tells: another is tried. False: there is none that is not avoided
  // already, and everything stays as it is.
  bool distrust(Neighbours& neighbours, uint64_t patienceUs, uint64_t nowUs);
  // Somebody else who is not avoided can be taken at once.
  bool mayChange(Neighbours& neighbours, uint64_t nowUs);
  // Beside the parent, somebody offers a way who is neither a child nor avoided.
  bool hasOther(Neighbours& neighbours, uint64_t nowUs) const;
  // A beacon with this route is about to go out.
  void announced(uint64_t nowUs);
  // True when `out` must be durable before it does: it says how cheap a route may have been announced at most.
  bool promises(uint8_t out[promisesBytes]);
  // Nobody who could be parent is certain not to hang on us: a tree as new as `wantedTree()` would help. It is asked for by way of `asksBy()`.
  bool starving() const { return starving_; }
  uint16_t wantedTree() const { return wantedTree_; }
  const uint8_t* asksBy() const { return asksBy_; }
  // That was asked for in vain, and who was asked has an older tree than we announced: ours was made up, and binds us to nothing true.
  void forgetTree(uint64_t nowUs);
  // The same while a parent that leads nowhere is all there is: the route is given up and that is told; after `letGoUs`, when everybody has
  // heard, the tree is forgotten, and only who has announced since then may be parent.
  void letGo(Neighbours& neighbours, uint64_t nowUs);
  // The root begins the next tree because `wanted` was asked for. False: it has that one already, or no host.
  bool newTree(uint16_t wanted);
  // A neighbour's beacon tells of an older tree of the same gateway than ours.
  bool isBehind(const RouteOffer& beacon) const;
  // This node's tree is at least as new as `wanted`.
  bool hasTree(uint16_t wanted) const;
  // Where data goes now, and at which cost: to the parent, or while its link rests to another feasible neighbour.
  struct NextHop {
    bool exists = false;
    uint8_t mac[macBytes] = {};
    uint16_t cost = costNone;
    uint64_t againUs = never;  // when there may be one, if there is none
  };
  const NextHop& hop() const { return hop_; }

 private:
  // The lowest cost announced per root, the "feasibility distance" of RFC 8966.
  struct Source {
    uint16_t gateway = 0;
    uint16_t epoch = 0;
    uint16_t tree = 0;
    uint16_t cost = costNone;
    uint16_t promised = costNone;  // what a life to come will take for `cost`
    uint64_t usedUs = 0;
  };
  static constexpr uint64_t letGoUs = 30 * usPerS;
  void forgetGone(Neighbours& neighbours, uint64_t nowUs);
  static constexpr uint64_t sourceLifeUs = 2 * beaconSilenceUs;

  Source* find(uint16_t gateway, uint64_t nowUs);
  bool feasible(const Neighbour& neighbour, uint64_t nowUs);
  Source* plant(uint16_t gateway);
  static bool offers(const Neighbour& neighbour, uint64_t nowUs);
  bool usable(const Neighbour& neighbour, uint64_t nowUs);
  bool isNewsOfAvoided(const Neighbour& neighbour, uint64_t nowUs);
  void starve(Neighbours& neighbours, const Neighbour* parent, uint64_t nowUs);
  void take(const Neighbour& parent);
  void hold();
  void chooseHop(Neighbours& neighbours, uint64_t nowUs);

  bool hasPromised_ = true;
  bool starving_ = false;
  uint16_t wantedTree_ = 0;
  bool outrun_ = false;    // who is asked has an older tree than we announced
  uint64_t goneUs_ = 0;    // since when the route is given up, 0 it is not
  uint16_t goneTree_ = 0;
  uint16_t leftTree_ = 0;  // when the parent was distrusted last
  uint64_t newsUs_ = 0;    // since when only avoided neighbours tell of a newer tree, 0 they do not
  uint8_t asksBy_[macBytes] = {};
  TreePosition position_;
  NextHop hop_;
  Source sources_[sourcesMax];
};

}  // namespace wattmesh
