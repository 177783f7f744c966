#include "wattmesh/neighbours.hpp"

#include <cstring>

namespace wattmesh {

namespace {
// Windows of RFC 6719-style estimators: 5 sends, 3 beacons.
constexpr uint8_t sendWindow = 5;
constexpr uint8_t beaconWindow = 3;
constexpr uint32_t failureWeight = 6;
constexpr int sensitivityDbm = -97;
// A link that has failed once, with the radio's own retries, most likely fails for a second or two: it rests so long, each time twice as
// long, and the neighbour counts as gone after that many.
constexpr uint64_t restUs = 2 * usPerS;
constexpr uint8_t failuresGone = 6;
// Who was distrusted is avoided for longer each time, up to 2^6 times as long, until it was not for a day.
constexpr uint8_t distrustDoublings = 6;
constexpr uint64_t forgivenUs = uint64_t{24} * 3600 * usPerS;
// Who was not heard for this long leaves first.
constexpr uint64_t silenceUs = 60 * usPerS;
// A challenge is answered or lost by then.
constexpr uint64_t unprovedUs = usPerS;
// Who hands something over does so again within this time, in all likelihood.
constexpr uint64_t servedLifeUs = 1800 * usPerS;
// By which a newcomer must be stronger, so that two of equal strength do not take each other's place again and again.
constexpr int strongerDb = 6;

}  // namespace

LinkQuality::LinkQuality(int8_t rssi) {
  // A receiver of 802.11b hears nine frames of ten at -97 dBm, and one of ten 6 dB below.
  static constexpr uint16_t byDb[] = {start, 208, 288, 448, 896};
  const int below = sensitivityDbm - rssi;
  etx_ = below <= 0 ? start : below < 5 ? byDb[below] : worst;
}

void LinkQuality::sample(uint32_t etx) {
  if (samples_ < 9) samples_++;
  const uint32_t smoothed = (samples_ * etx_ + etx + samples_ / 2u) / (samples_ + 1u);
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

void Neighbour::told(const Beacon& news, uint64_t nowUs) {
  const bool goesOn = hasBeacon && nowUs - beaconUs <= beaconSilenceUs && news.gateway == beacon.gateway && news.epoch == beacon.epoch && news.tree == beacon.tree;
  if (!goesOn || news.cost < lowestCost) lowestCost = news.cost;
  if (hasBeacon) quality.beacon(static_cast<uint8_t>(news.number - beacon.number - 1));
  hasBeacon = true;
  beacon = news;
  beaconUs = nowUs;
}

void Neighbour::sent(bool ok, uint64_t nowUs) {
  if (ok) {
    quality.sent(true);
    failures = 0;
    restUntilUs = 0;
    return;
  }
  // A burst counts once, however often somebody tried meanwhile.
  if (rests(nowUs)) return;
  quality.sent(false);
  failures++;
  restUntilUs = nowUs + (restUs << (failures - 1));
  if (failures < failuresGone) return;
  // It must be heard again before anything goes there.
  failures = 0;
  restUntilUs = 0;
  hasBeacon = false;
}

void Neighbour::distrust(uint64_t patienceUs, uint64_t nowUs) {
  if (nowUs > avoidUntilUs + forgivenUs) distrusted = 0;
  avoidUntilUs = nowUs + (4 * patienceUs << distrusted);
  if (distrusted < distrustDoublings) distrusted++;
  silentMs = 0;
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

uint16_t Neighbours::shortIdOf(const uint8_t mac[macBytes]) {
  const Neighbour* neighbour = find(mac);
  return neighbour == nullptr ? uint16_t{0} : neighbour->shortId;
}

bool Neighbours::idle(const Neighbour& neighbour, uint64_t nowUs) {
  return neighbour.used && neighbour.freshness.fresh() && (neighbour.servedUs == 0 || nowUs - neighbour.servedUs >= servedLifeUs);
}

// Of those who hand nothing over the one that was silent for long, or else the weakest.
Neighbour* Neighbours::weakest(uint64_t nowUs, const uint8_t keep[macBytes]) {
  Neighbour* weakest = nullptr;
  for (Neighbour& neighbour : table_) {
    if (!idle(neighbour, nowUs) || memcmp(neighbour.mac, keep, macBytes) == 0) continue;
    if (nowUs - neighbour.heardUs > silenceUs) return &neighbour;
    if (weakest == nullptr || neighbour.rssi < weakest->rssi) weakest = &neighbour;
  }
  return weakest;
}

size_t Neighbours::fresh() const {
  size_t count = 0;
  for (const Neighbour& neighbour : table_) count += neighbour.used && neighbour.freshness.fresh() ? 1 : 0;
  return count;
}

// Would this newcomer stay, if it proved that it is there?
bool Neighbours::welcome(int8_t rssi, Claim claim, uint64_t nowUs, const uint8_t keep[macBytes]) {
  if (fresh() < freshMax) return true;
  const Neighbour* leaves = weakest(nowUs, keep);
  if (leaves == nullptr) return false;
  return claim == Claim::handsOver || nowUs - leaves->heardUs > silenceUs || rssi >= leaves->rssi + strongerDb;
}

// A free place, or that of the stranger who has had the longest time to answer.
Neighbour* Neighbours::place(uint64_t nowUs) {
  Neighbour* oldest = nullptr;
  for (Neighbour& neighbour : table_) {
    if (!neighbour.used) return &neighbour;
    if (neighbour.freshness.fresh() || nowUs - neighbour.heardUs <= unprovedUs) continue;
    if (oldest == nullptr || neighbour.heardUs < oldest->heardUs) oldest = &neighbour;
  }
  return oldest;
}

Neighbour* Neighbours::touch(const uint8_t mac[macBytes], int8_t rssi, Claim claim, uint64_t nowUs, const uint8_t keep[macBytes]) {
  Neighbour* neighbour = find(mac);
  if (neighbour == nullptr && welcome(rssi, claim, nowUs, keep)) {
    neighbour = place(nowUs);
    if (neighbour == nullptr) return nullptr;
    *neighbour = Neighbour{};
    neighbour->used = true;
    memcpy(neighbour->mac, mac, macBytes);
    neighbour->rssi = rssi;
    neighbour->quality = LinkQuality(rssi);
    neighbour->heardUs = nowUs;
  }
  if (neighbour != nullptr && claim == Claim::handsOver) neighbour->handsOver = true;
  return neighbour;
}

void Neighbours::proved(Neighbour& neighbour, int8_t rssi, uint64_t nowUs, const uint8_t keep[macBytes]) {
  neighbour.heardUs = nowUs;
  neighbour.rssi = rssi;
  if (neighbour.handsOver) neighbour.servedUs = nowUs;
  if (fresh() <= freshMax) return;
  Neighbour* leaves = weakest(nowUs, keep);
  *(leaves != nullptr ? leaves : &neighbour) = Neighbour{};
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
    if (neighbour.used && neighbour.freshness.askUs() < next) next = neighbour.freshness.askUs();
  }
  return next;
}

}  // namespace wattmesh
