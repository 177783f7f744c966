#include "wattmesh/neighbours.hpp"

#include <cstring>

#include "wattmesh/sleep_state.hpp"
#include "wattmesh/trickle.hpp"

namespace wattmesh {

namespace {
// Windows of RFC 6719-style estimators: 5 sends, 3 beacons.
constexpr uint8_t sendWindow = 5;
constexpr uint8_t beaconWindow = 3;
constexpr uint32_t failureWeight = 6;
constexpr int sensitivityDbm = -97;
// A link that has failed, with the radio's own retries, may fail for a second or two more: it rests, for longer each time, and the neighbour
// counts as gone after so many failures, which is after 19 s at least.
constexpr uint64_t restUs = 300 * usPerMs;
// On a link that is poor at all times, a failure says nothing about the next second.
constexpr uint16_t poorEtx = 3 * 128;
constexpr uint64_t poorRestUs = 250 * usPerMs;
constexpr uint8_t failuresGone = 7;
// Who was distrusted is avoided for longer each time, up to 2^6 times as long, until it was not for a day.
constexpr uint8_t distrustDoublings = 6;
constexpr uint64_t forgivenUs = uint64_t{24} * 3600 * usPerS;
// A challenge is answered or lost by then.
constexpr uint64_t unprovedUs = usPerS;
// Who hands something over does so again within this time, in all likelihood.
constexpr uint64_t servedLifeUs = 1800 * usPerS;
// By which a newcomer must be stronger, or cheaper, so that two that are alike do not take each other's place again and again.
constexpr int strongerDb = 6;
constexpr uint32_t cheaperBy = 64;
// What was told is believed for as long as three of the longest intervals between beacons.
constexpr uint64_t toldLifeUs = 3 * Trickle::maxUs;
// Who leads nowhere, as far as we know.
constexpr uint32_t rankNone = UINT32_MAX;
constexpr uint32_t avoidedRank = 768;

// What a link of this power is likely to cost: the receivers of our chips lose one frame in ten at -97 dBm, and links fade.
uint32_t guessedEtx(int8_t rssiDbm) {
  constexpr int strongDbm = -85;
  constexpr int edgeDbm = -97;
  if (rssiDbm >= strongDbm) return 128;
  if (rssiDbm >= edgeDbm) return 128 + 8u * static_cast<uint32_t>(strongDbm - rssiDbm);
  return 128 + 8u * (strongDbm - edgeDbm) + 96u * static_cast<uint32_t>(edgeDbm - rssiDbm);
}

// How far it is to the gateway by way of this neighbour, as far as it can be known or guessed, in 1/128 transmissions.
uint32_t rankOf(const Neighbour& neighbour, uint64_t nowUs) {
  const bool told = neighbour.hasBeacon && leads(neighbour.beacon);
  const uint16_t cost = told ? neighbour.beacon.cost : neighbour.claimedCost;
  const uint64_t sinceUs = neighbour.hasBeacon ? uint64_t{neighbour.beaconUs} : uint64_t{neighbour.heardUs};
  if (cost == costNone || nowUs - sinceUs > toldLifeUs) return rankNone;
  const uint32_t guess = guessedEtx(neighbour.rssi);
  const uint32_t etx = neighbour.quality.etx() > guess ? neighbour.quality.etx() : guess;
  return cost + etx + (nowUs < neighbour.avoidUntilUs ? avoidedRank : 0);
}

}  // namespace

LinkQuality::LinkQuality(int8_t rssi) : LinkQuality() {
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

void Neighbour::told(const RouteOffer& news, uint64_t nowUs) {
  if (hasBeacon) quality.beacon(static_cast<uint8_t>(news.number - beacon.number - 1));
  learn(news, nowUs);
}

void Neighbour::learn(const RouteOffer& news, uint64_t nowUs) {
  const bool goesOn = hasBeacon && nowUs - beaconUs <= beaconSilenceUs && news.gateway == beacon.gateway && news.epoch == beacon.epoch && news.tree == beacon.tree;
  if (!goesOn || news.cost < lowestCost) lowestCost = news.cost;
  hasBeacon = true;
  claimedCost = costNone;
  beacon = news;
  beaconUs = nowUs;
}

namespace {
uint64_t restOf(const LinkQuality& quality) { return quality.etx() > poorEtx ? poorRestUs : restUs; }
}  // namespace

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
  // A step more, since it is rounded down.
  restUntilUs = nowUs + (restOf(quality) << (failures - 1)) + RoughTime::stepUs;
  if (failures < failuresGone) return;
  // It must be heard again before anything goes there.
  failures = 0;
  restUntilUs = 0;
  hasBeacon = false;
}

void Neighbour::pass(SleepState& state) {
  uint32_t number = counter();
  uint8_t distrusts = distrusted;
  state.pass(number);
  state.pass(distrusts);
  state.pass(rssi);
  state.pass(beaconUs, mac);
  if (!state.reads()) return;
  resume(number);
  heardUs = uint64_t{beaconUs};
  used = hasBeacon = true;
  distrusted = distrusts & 0xf;
}

void Neighbour::distrust(uint64_t patienceUs, uint64_t nowUs) {
  if (nowUs > avoidUntilUs + forgivenUs) distrusted = 0;
  avoidUntilUs = nowUs + (4 * patienceUs << distrusted);
  if (distrusted < distrustDoublings) distrusted++;
  silentMs = 0;
}

Neighbour* Neighbours::find(const uint8_t mac[macBytes]) {
  for (Neighbour& neighbour : *this) {
    if (neighbour.used && memcmp(neighbour.mac, mac, macBytes) == 0) return &neighbour;
  }
  return nullptr;
}

Neighbour* Neighbours::findShort(uint16_t shortId) {
  if (shortId == 0) return nullptr;
  for (Neighbour& neighbour : *this) {
    if (neighbour.used && neighbour.shortId == shortId) return &neighbour;
  }
  return nullptr;
}

uint16_t Neighbours::shortIdOf(const uint8_t mac[macBytes]) {
  const Neighbour* neighbour = find(mac);
  return neighbour == nullptr ? uint16_t{0} : neighbour->shortId;
}

bool Neighbours::idle(const Neighbour& neighbour, uint64_t nowUs) {
  return neighbour.used && neighbour.fresh() && (neighbour.servedUs == 0 || nowUs - neighbour.servedUs >= servedLifeUs);
}

// How many are no worse than this, or will show in a moment whether they are.
size_t Neighbours::better(uint32_t rank, uint64_t nowUs) const {
  size_t count = 0;
  for (const Neighbour& neighbour : *this) {
    if (!neighbour.used || !(neighbour.fresh() || nowUs - neighbour.heardUs <= unprovedUs)) continue;
    count += rankOf(neighbour, nowUs) < rank ? 1 : 0;
  }
  return count;
}

uint32_t Neighbours::guess(uint16_t cost, int8_t rssi) { return cost + guessedEtx(rssi); }

bool Neighbours::wants(uint32_t guessed, uint64_t nowUs) const { return better(guessed + cheaperBy, nowUs) < candidatesMax; }

size_t Neighbours::spares(uint64_t nowUs, const uint8_t parent[macBytes]) const {
  size_t count = 0;
  for (const Neighbour& neighbour : *this) {
    const bool leadsToo = neighbour.used && neighbour.fresh() && rankOf(neighbour, nowUs) != rankNone;
    count += leadsToo && memcmp(neighbour.mac, parent, macBytes) != 0 ? 1 : 0;
  }
  return count;
}

// Who leaves first of those who hand nothing over, of whom there are `idles`: the weakest that is no candidate, or else the worst candidate.
Neighbour* Neighbours::dispensable(uint64_t nowUs, const uint8_t keep[macBytes], size_t& idles) {
  Neighbour* weakest = nullptr;
  Neighbour* worst = nullptr;
  idles = 0;
  for (Neighbour& neighbour : *this) {
    if (!idle(neighbour, nowUs) || memcmp(neighbour.mac, keep, macBytes) == 0) continue;
    idles++;
    const uint32_t rank = rankOf(neighbour, nowUs);
    if (worst == nullptr || rank > rankOf(*worst, nowUs)) worst = &neighbour;
    const bool isCandidate = rank != rankNone && better(rank, nowUs) < candidatesMax;
    if (!isCandidate && (weakest == nullptr || neighbour.rssi < weakest->rssi)) weakest = &neighbour;
  }
  return weakest != nullptr ? weakest : worst;
}

size_t Neighbours::fresh() const {
  size_t count = 0;
  for (const Neighbour& neighbour : *this) count += neighbour.used && neighbour.fresh() ? 1 : 0;
  return count;
}

// Would this newcomer stay, if it proved that it is there?
bool Neighbours::welcome(int8_t rssi, Claim claim, uint64_t nowUs, const uint8_t keep[macBytes]) {
  if (fresh() < freshMax()) return true;
  size_t idles = 0;
  const Neighbour* leaves = dispensable(nowUs, keep, idles);
  if (leaves == nullptr || claim == Claim::asks) return false;
  if (claim == Claim::handsOver) return idles > sparesMin;
  return claim == Claim::leads || rssi >= leaves->rssi + strongerDb;
}

// A free place, or that of the stranger who has had the longest time to answer.
Neighbour* Neighbours::place(uint64_t nowUs) {
  Neighbour* oldest = nullptr;
  for (Neighbour& neighbour : *this) {
    if (!neighbour.used) return &neighbour;
    if (neighbour.fresh() || nowUs - neighbour.heardUs <= unprovedUs) continue;
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
  if (fresh() <= freshMax()) return;
  size_t idles = 0;
  Neighbour* leaves = dispensable(nowUs, keep, idles);
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
  for (const Neighbour& neighbour : *this) count += neighbour.used ? 1 : 0;
  return count;
}

uint64_t Neighbours::challengeUs() const {
  uint64_t next = never;
  for (const Neighbour& neighbour : *this) {
    if (neighbour.used && neighbour.askUs() < next) next = neighbour.askUs();
  }
  return next;
}

bool Curiosity::take(bool settled, uint64_t nowUs) {
  const uint64_t waitUs = settled || waitUs_ < eagerMaxUs ? waitUs_ : eagerMaxUs;
  if (nowUs < tookUs_ + waitUs) return false;
  tookUs_ = nowUs;
  if (waitUs_ < settledMaxUs) waitUs_ *= 2;
  return true;
}

}  // namespace wattmesh
