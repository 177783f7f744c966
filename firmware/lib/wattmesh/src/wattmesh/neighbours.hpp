// Who is in range: freshness, beacons and link quality of up to 32 neighbours.
#pragma once
#include "wattmesh/beacon.hpp"
#include "wattmesh/clock.hpp"
#include "wattmesh/freshness.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/port.hpp"

namespace wattmesh {

// Expected transmissions over one link, in 1/128 (De Couto et al., "A high-throughput path metric", 2003), smoothed with weight 0.9.
class LinkQuality {
 public:
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
  uint8_t sends_ = 0;
  uint8_t failures_ = 0;
  uint8_t beaconsHeard_ = 0;
  uint8_t beaconsSent_ = 0;
};

struct Neighbour {
  bool used = false;
  bool hasBeacon = false;
  uint8_t mac[macBytes] = {};
  int8_t rssi = 0;
  uint8_t failures = 0;  // sends failed in a row
  uint16_t shortId = 0;  // 0: not known
  Freshness freshness;
  uint64_t heardUs = 0;  // when a frame of it was taken last, or its place in the table
  uint64_t beaconUs = 0;
  uint64_t avoidUntilUs = 0;
  Beacon beacon = {};
  LinkQuality quality;
};

class Neighbours {
 public:
  Neighbour* find(const uint8_t mac[macBytes]);
  Neighbour* findShort(uint16_t shortId);
  // The neighbour with this address, made if need be. For a new one somebody leaves: who has proved nothing before who is fresh, and of those
  // the one heard least recently, but never `keep`. A fresh one leaves only after a minute of silence, unless the new one is `urgent`:
  // it spoke to us alone. nullptr: there is no room.
  Neighbour* touch(const uint8_t mac[macBytes], uint64_t nowUs, const uint8_t keep[macBytes], bool urgent);
  // A neighbour has told its short id; an older holder of the same id loses it.
  void name(Neighbour& neighbour, uint16_t shortId);
  size_t count() const;
  // When the next challenge or answer is to go out.
  uint64_t challengeUs() const;

  Neighbour* begin() { return table_; }
  Neighbour* end() { return table_ + neighboursMax; }

 private:
  Neighbour* place(uint64_t nowUs, const uint8_t keep[macBytes], bool urgent);

  Neighbour table_[neighboursMax];
};

}  // namespace wattmesh
