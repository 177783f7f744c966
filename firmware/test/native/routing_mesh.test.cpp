// The choice of a parent in whole meshes: no loop at any instant, and in the end everybody finds the root.
#include <cstring>
#include <vector>

#include "check.hpp"
#include "routing_bench.hpp"

using namespace wattmesh;

namespace {

// Nodes that beacon at random moments to whoever happens to hear them, with links that come and go, and a root that answers requests. Some are
// hubs, which hold together what hangs on them when the root is out of reach, or its host.
class Mesh {
 public:
  static constexpr size_t nodesMax = 12;

  Mesh(size_t count, uint64_t seed) : nodes_(count), random_(seed) {
    setHost(true);
  }

  void step() {
    nowUs_ += 1 + random_.below(20 * static_cast<uint32_t>(s));
    const size_t at = random_.below(static_cast<uint32_t>(nodes_.size()));
    switch (random_.below(9)) {
      case 8:
        if (random_.below(5) == 0) setHost(random_.coin());
        if (random_.below(3) == 0) nodes_[at].isFull = random_.coin();
        break;
      case 0:
        if (at != 0) damage(at);
        break;
      case 1:
        if (at != 0 && random_.below(10) == 0) reboot(at);
        break;
      default:
        beacon(at);
    }
    for (size_t i = 1; i < nodes_.size(); i++) {
      Routing& routing = nodes_[i].routing;
      update(i);
      afloat_ += routing.position().attached && !routing.position().grounded ? 1 : 0;
      detours_ += routing.hop().exists && memcmp(routing.hop().mac, routing.position().parent, macBytes) != 0 ? 1 : 0;
    }
    for (size_t i = 1; i < nodes_.size(); i++) ask(i);
  }

  // Every frame between neighbours arrives, nothing breaks any more, and those who are out of reach are found to be.
  void heal() {
    isHealed_ = true;
    setHost(true);
    for (size_t at = 0; at < nodes_.size(); at++) {
      for (Neighbour& neighbour : nodes_[at].neighbours) neighbour.hasBeacon = neighbour.hasBeacon && hears(neighbour.mac[macBytes - 1], at);
    }
    for (unsigned round = 0; round < 40; round++) {
      for (size_t i = 0; i < nodes_.size(); i++) {
        nowUs_ += s;
        beacon(i);
        for (size_t k = 1; k < nodes_.size(); k++) update(k);
        ask(i);
      }
    }
  }

  // Of parents, and of the neighbours that data goes to at this instant.
  bool hasLoop() {
    const auto above = [this](size_t at) { return nodes_[at].routing.position().attached ? nodes_[at].routing.position().parent[macBytes - 1] : uint8_t{0}; };
    const auto next = [this](size_t at) { return nodes_[at].routing.hop().exists ? nodes_[at].routing.hop().mac[macBytes - 1] : uint8_t{0}; };
    return turns(above) || turns(next);
  }

  // Sends that went round the parent so far.
  unsigned detours() const { return detours_; }

  // Who found a way to the root.
  size_t grounded() {
    size_t count = 0;
    for (Station& node : nodes_) count += node.routing.position().grounded ? 1 : 0;
    return count;
  }

  // Moments of nodes in floating trees so far.
  unsigned afloat() const { return afloat_; }

  unsigned trees() const { return trees_; }

 private:
  // What NV holds.
  struct Promises {
    bool isWritten = false;
    uint8_t bytes[Routing::promisesBytes] = {};
  };
  struct Station {
    Routing routing;
    NeighbourTable<> neighbours;
    Promises kept;
    bool isFull = false;
  };

  static bool isHub(size_t at) { return at % 3 == 2; }

  void setHost(bool isThere) { nodes_[0].routing.updateRoot(isThere, random_.coin(), gateway, 0, 1); }

  void update(size_t at) {
    Station& node = nodes_[at];
    const Afloat afloat = !isHub(at) ? Afloat::follows : node.isFull ? Afloat::leaves : Afloat::holds;
    node.routing.update(node.neighbours, nowUs_, afloat);
  }

  template <typename Next>
  bool turns(Next next) {
    for (size_t start = 1; start < nodes_.size(); start++) {
      size_t at = start;
      size_t hops = 0;
      while (at != 0 && hops++ <= nodes_.size()) at = next(at);
      if (hops > nodes_.size()) return true;
    }
    return false;
  }

  // Neighbours are those at most two places away, and sometimes anybody.
  bool hears(size_t a, size_t b) {
    const size_t apart = a > b ? a - b : b - a;
    if (apart == 0 || apart > 3) return false;
    return isHealed_ ? apart <= 2 : random_.below(3) != 0;
  }

  void beacon(size_t from) {
    Routing& routing = nodes_[from].routing;
    const TreePosition& at = routing.position();
    Beacon told = beaconOf(static_cast<uint16_t>(from == 0 ? gateway : from), at.tree, at.hops, at.cost);
    told.epoch = at.epoch;
    told.gateway = at.gateway;
    told.grounded = at.grounded;
    if (at.attached) routing.announced(nowUs_);
    Promises& kept = nodes_[from].kept;
    kept.isWritten = routing.promises(kept.bytes) || kept.isWritten;
    for (size_t to = 1; to < nodes_.size(); to++) {
      if (hears(from, to)) hear(nodes_[to].neighbours, from, told, nowUs_);
    }
  }

  // Sends to a neighbour fail: it becomes dearer, is avoided or forgotten.
  void damage(size_t at) {
    for (Neighbour& neighbour : nodes_[at].neighbours) {
      if (!neighbour.used || random_.below(3) != 0) continue;
      for (unsigned sends = random_.below(30); sends > 0; sends--) neighbour.sent(random_.coin(), nowUs_);
      if (random_.below(4) == 0) neighbour.sent(false, nowUs_);
      if (random_.below(4) == 0) neighbour.avoidUntilUs = nowUs_ + 30 * s;
      if (random_.below(4) == 0) neighbour.hasBeacon = false;
    }
  }

  void reboot(size_t at) {
    const Promises kept = nodes_[at].kept;
    nodes_[at].routing = Routing{};
    for (Neighbour& neighbour : nodes_[at].neighbours) neighbour = Neighbour{};
    if (kept.isWritten) nodes_[at].routing.restore(kept.bytes, nowUs_);
  }

  // The request arrives, mostly.
  void ask(size_t at) {
    if (!nodes_[at].routing.starving() || (!isHealed_ && random_.below(4) == 0)) return;
    trees_ += nodes_[0].routing.newTree(nodes_[at].routing.wantedTree()) ? 1 : 0;
  }

  std::vector<Station> nodes_;
  check::Random random_;
  uint64_t nowUs_ = 1 * s;
  bool isHealed_ = false;
  unsigned trees_ = 0;
  unsigned detours_ = 0;
  unsigned afloat_ = 0;
};

}  // namespace

TEST(noLoopExistsAtAnyInstantAndAllFindTheRootInTheEnd) {
  unsigned trees = 0;
  unsigned detours = 0;
  unsigned afloat = 0;
  for (uint64_t seed = 1; seed <= 150; seed++) {
    check::context("seed", seed);
    Mesh mesh(Mesh::nodesMax, seed);
    bool isLoopFree = true;
    for (unsigned step = 0; step < 400; step++) {
      mesh.step();
      isLoopFree = isLoopFree && !mesh.hasLoop();
    }
    CHECK(isLoopFree);
    trees += mesh.trees();
    detours += mesh.detours();
    afloat += mesh.afloat();
    mesh.heal();
    CHECK(!mesh.hasLoop());
    CHECK_EQUAL(mesh.grounded(), Mesh::nodesMax);
  }
  CHECK(trees > 50 && detours > 200 && afloat > 50000);
}
