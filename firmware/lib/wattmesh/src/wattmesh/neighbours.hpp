// Who is in range: freshness, beacons and link quality of the neighbours that are worth knowing.
#pragma once
#include "wattmesh/beacon.hpp"
#include "wattmesh/clock.hpp"
#include "wattmesh/freshness.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/port.hpp"
#include "wattmesh/stamp.hpp"
#include "wattmesh/time_sync.hpp"
#include "wattmesh/trickle.hpp"

namespace wattmesh {

// What a neighbour told is believed for three of the longest intervals between beacons; whether it is still there, sending to it shows.
constexpr uint64_t beaconSilenceUs = 3 * Trickle::maxUs;

// Expected transmissions over one link, in 1/128 (De Couto et al., "A high-throughput path metric", 2003), smoothed with weight 0.9, less for
// the first samples.
class LinkQuality {
 public:
  LinkQuality() : beaconsHeard_(0), sends_(0), failures_(0) {}
  // What a link is taken for before anything was measured: at the edge of reception one lucky beacon tells little.
  explicit LinkQuality(int8_t rssi);
  uint16_t etx() const { return etx_; }
  // The outcome of one unicast frame; a failure after the radio's own retries weighs 6 transmissions.
  void sent(bool ok);
  // A beacon arrived, `missed` before it did not.
  void beacon(uint8_t missed);

 private:
  void sample(uint32_t etx);

  static constexpr uint16_t unit = 128;
  static constexpr uint16_t start = 160;
  static constexpr uint16_t worst = 16 * unit;
  uint16_t etx_ = start;
  uint8_t samples_ = 0;
  uint8_t beaconsSent_ = 0;
  uint8_t beaconsHeard_ : 2;
  uint8_t sends_ : 3;
  uint8_t failures_ : 3;
};

struct Neighbour : Freshness {
  bool used : 1;
  bool hasBeacon : 1;
  bool handsOver : 1;      // it has something for us, or seems to have: not believed before it is fresh
  int8_t rssi = 0;
  uint8_t failures : 4;    // sends failed in a row, those apart that came while it rested
  uint8_t distrusted : 4;  // times that it was left because nothing came back
  Stamp heardUs;         // when a frame of it was taken last, or its place in the table
  uint16_t claimedCost = costNone;  // what its beacon told before it was fresh: it decides who is challenged and who leaves, and nothing else
  RoughTime servedUs;    // when it handed something over to us last, 0 never: a child, or our parent
  RoughTime dataUs;      // when its last DATA came, 0 never: a child
  RoughTime restUntilUs;   // nothing is sent there before: the link fails
  GoneFrame gone;          // the last ROUTED frame to it
  // What pass() keeps, and a little more.
  RoughTime beaconUs;
  RoughTime avoidUntilUs;  // it takes frames, and leads nowhere
  uint32_t silentMs = 0;   // for so long nothing has come back through it, all times together that it was the parent since something did
  RouteOffer beacon = {};
  LinkQuality quality;
  uint16_t lowestCost = costNone;   // that it told of the tree in `beacon`
  uint16_t shortId = 0;  // 0: not known
  uint8_t mac[macBytes] = {};

  Neighbour() : used(false), hasBeacon(false), handsOver(false), failures(0), distrusted(0) {}
  // A beacon of it told this just now.
  void told(const RouteOffer& news, uint64_t nowUs);
  // It told this in another frame, which says nothing of beacons that were missed.
  void learn(const RouteOffer& news, uint64_t nowUs);
  // The outcome of a unicast frame to it.
  void sent(bool ok, uint64_t nowUs);
  // Nothing came back through it for `patienceUs`: it is avoided for four times as long, twice that the next time, and so on.
  void distrust(uint64_t patienceUs, uint64_t nowUs);
  bool avoided(uint64_t nowUs) const { return nowUs < avoidUntilUs; }
  bool rests(uint64_t nowUs) const { return nowUs < restUntilUs; }
  // Not a short burst: it did not come back after several rests.
  bool troubled() const { return failures >= failuresTroubled; }
  // Through deep sleep, of who is fresh.
  static constexpr size_t keptBytes = 50;
  void pass(SleepState& state);

 private:
  static constexpr uint8_t failuresTroubled = 5;
};

// What a stranger did to be noticed. None of it is believed: it may have been recorded.
enum class Claim : uint8_t {
  floods,    // sent a packet to everybody
  leads,     // told of a way to the gateway that we would like to know
  asks,      // a challenge
  handsOver, // a frame with something for us
};

class Neighbours {
 public:
  // Places that are left for strangers.
  static constexpr size_t strangersMax = 4;
  // So many of those who lead to the gateway are worth knowing: a parent, and whom to take when it fails.
  static constexpr size_t candidatesMax = 6;
  // For so many of them a place is kept, also when more would hand something over to us.
  static constexpr size_t sparesMin = 2;

  // `places` must outlive the table.
  Neighbours(Neighbour* places, size_t capacity) : table_(places), capacity_(capacity) {}
  Neighbours(const Neighbours&) = delete;
  Neighbours& operator=(const Neighbours&) = delete;

  Neighbour* find(const uint8_t mac[macBytes]);
  Neighbour* findShort(uint16_t shortId);
  // 0: not known.
  uint16_t shortIdOf(const uint8_t mac[macBytes]);
  // How far it would be to the gateway by way of a stranger who tells this cost and is heard at this power, in 1/128 transmissions.
  static uint32_t guess(uint16_t cost, int8_t rssi);
  // True: it would be one of the few best.
  bool wants(uint32_t guessed, uint64_t nowUs) const;
  // Others than `parent` that are fresh and lead to the gateway.
  size_t spares(uint64_t nowUs, const uint8_t parent[macBytes]) const;
  // True when a stranger who had something for us would find no place, now and probably for long: it had better turn to somebody else.
  bool full(uint64_t nowUs, const uint8_t keep[macBytes]) { return !welcome(0, Claim::handsOver, nowUs, keep); }
  // The neighbour with this address, made if need be; nullptr: there is no place for a stranger, or none would be left once it was fresh. It
  // takes the place of another stranger, who had a second to prove itself: what may have been recorded pushes out nobody who is fresh.
  Neighbour* touch(const uint8_t mac[macBytes], int8_t rssi, Claim claim, uint64_t nowUs, const uint8_t keep[macBytes]);
  // A neighbour has become fresh. When there are too many, somebody leaves who hands nothing over to us: the weakest of those who are not
  // among the candidates, or else the worst of these; never `keep`. When all hand something over, the newcomer does.
  void proved(Neighbour& neighbour, int8_t rssi, uint64_t nowUs, const uint8_t keep[macBytes]);
  // A neighbour has told its short id; an older holder of the same id loses it.
  void name(Neighbour& neighbour, uint16_t shortId);
  size_t count() const;
  size_t fresh() const;
  size_t freshMax() const { return capacity_ - strangersMax; }
  // When the next challenge is to go out.
  uint64_t challengeUs() const;

  Neighbour* begin() { return table_; }
  Neighbour* end() { return table_ + capacity_; }
  const Neighbour* begin() const { return table_; }
  const Neighbour* end() const { return table_ + capacity_; }

 private:
  static bool idle(const Neighbour& neighbour, uint64_t nowUs);
  size_t better(uint32_t rank, uint64_t nowUs) const;
  Neighbour* dispensable(uint64_t nowUs, const uint8_t keep[macBytes], size_t& idles);
  bool welcome(int8_t rssi, Claim claim, uint64_t nowUs, const uint8_t keep[macBytes]);
  Neighbour* place(uint64_t nowUs);

  Neighbour* table_;
  size_t capacity_;
};

// With its memory.
template <size_t Capacity = neighboursMax>
class NeighbourTable : public Neighbours {
 public:
  NeighbourTable() : Neighbours(places_, Capacity) {}

 private:
  Neighbour places_[Capacity];
};

// Who has a parent and others to take when it fails looks for better ones less and less often.
class Curiosity {
 public:
  // True: a stranger may be challenged for the way that it claims to lead. `settled`: there is a parent, others are known, and the stranger is
  // not much better.
  bool take(bool settled, uint64_t nowUs);
  // The parent is gone: everybody is interesting.
  void wake() { *this = Curiosity{}; }

 private:
  static constexpr uint64_t firstUs = usPerS;
  static constexpr uint64_t settledMaxUs = 3600 * usPerS;
  static constexpr uint64_t eagerMaxUs = 30 * usPerS;
  uint64_t tookUs_ = 0;
  uint64_t waitUs_ = firstUs;
};

}  // namespace wattmesh
