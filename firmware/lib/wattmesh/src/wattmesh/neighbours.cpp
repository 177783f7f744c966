#include "wattmesh/neighbours.hpp"

#include <cstring>

namespace wattmesh {

namespace {
// Windows of RFC 6719-style estimators: 5 sends, 3 beacons.
constexpr uint8_t sendWindow = 5;
constexpr uint8_t beaconWindow = 3;
constexpr uint32_t failureWeight = 6;
// A fresh neighbour that was not heard for this long may leave for a new one.
constexpr uint64_t silenceUs = 60 * usPerS;
}  // namespace

void LinkQuality::sample(uint32_t etx) {
  const uint32_t smoothed = (9u * etx_ + etx + 5u) / 10u;
  etx_ = static_cast<uint16_t>(smoothed > worst ? worst : smoothed < unit ? unit : smoothed);
}

void LinkQuality::sent(bool ok) {
  sends_++;
  if (!ok) failures_++;
  if (sends_ < sendWindow) return;
  const uint32_t transmissions = (sends_ - failures_) + failureWeight * failures_;
  sample(unit * transmissions / sends_);
  sends_ = 0;
  failures_ = 0;
}

void LinkQuality::beacon(uint8_t missed) {
  const unsigned sent = beaconsSent_ + 1u + missed;
  beaconsSent_ = static_cast<uint8_t>(sent > 255 ? 255 : sent);
  beaconsHeard_++;
  if (beaconsHeard_ < beaconWindow) return;
  sample(static_cast<uint32_t>(unit) * beaconsSent_ / beaconsHeard_);
  beaconsSent_ = 0;
  beaconsHeard_ = 0;
}

Neighbour* Neighbours::find(const uint8_t mac[macBytes]) {
  for (Neighbour& neighbour : table_) {
    if (neighbour.used && memcmp(neighbour.mac, mac, macBytes) == 0) return &neighbour;
  }
  return nullptr;
}

Neighbour* Neighbours::findShort(uint16_t shortId) {
  if (shortId == 0) return nullptr;
  for (Neighbour& neighbour : table_) {
    if (neighbour.used && neighbour.shortId == shortId) return &neighbour;
  }
  return nullptr;
}

// A free place, or that of whom the table can best spare.
Neighbour* Neighbours::place(uint64_t nowUs, const uint8_t keep[macBytes], bool urgent) {
  Neighbour* victim = nullptr;
  for (Neighbour& neighbour : table_) {
    if (!neighbour.used) return &neighbour;
    const bool fresh = neighbour.freshness.fresh();
    const bool canLeave = !fresh || urgent || nowUs - neighbour.heardUs > silenceUs;
    if (!canLeave || memcmp(neighbour.mac, keep, macBytes) == 0) continue;
    const bool better = victim == nullptr || (fresh != victim->freshness.fresh() ? !fresh : neighbour.heardUs < victim->heardUs);
    if (better) victim = &neighbour;
  }
  return victim;
}

Neighbour* Neighbours::touch(const uint8_t mac[macBytes], uint64_t nowUs, const uint8_t keep[macBytes], bool urgent) {
  Neighbour* neighbour = find(mac);
  if (neighbour != nullptr) return neighbour;
  neighbour = place(nowUs, keep, urgent);
  if (neighbour == nullptr) return nullptr;
  *neighbour = Neighbour{};
  neighbour->used = true;
  memcpy(neighbour->mac, mac, macBytes);
  neighbour->heardUs = nowUs;
  return neighbour;
}

void Neighbours::name(Neighbour& neighbour, uint16_t shortId) {
  if (shortId == 0 || neighbour.shortId == shortId) return;
  Neighbour* holder = findShort(shortId);
  if (holder != nullptr) holder->shortId = 0;
  neighbour.shortId = shortId;
}

size_t Neighbours::count() const {
  size_t count = 0;
  for (const Neighbour& neighbour : table_) count += neighbour.used ? 1 : 0;
  return count;
}

uint64_t Neighbours::challengeUs() const {
  uint64_t next = never;
  for (const Neighbour& neighbour : table_) {
    if (neighbour.used && neighbour.freshness.dueUs() < next) next = neighbour.freshness.dueUs();
  }
  return next;
}

}  // namespace wattmesh
