#include "wattmesh/proxy_search.hpp"

#include <cstring>

namespace wattmesh {

namespace {

// Below this power a link loses frames; what a decibel less is worth, in 1/128 transmissions.
constexpr int strongDbm = -70;
constexpr uint32_t perDecibel = 16;
// Up to this much worse, in 1/128 transmissions, a proxy is as good as another.
constexpr uint32_t tasteMax = 160;

}  // namespace

ProxySearch::Candidate* ProxySearch::find(const uint8_t mac[macBytes]) {
  for (Candidate& candidate : table_) {
    if (candidate.used && memcmp(candidate.mac, mac, macBytes) == 0) return &candidate;
  }
  return nullptr;
}

ProxySearch::Candidate* ProxySearch::place(uint32_t dice, uint64_t nowUs) {
  Candidate* worst = &table_[dice % candidatesMax];
  for (Candidate& candidate : table_) {
    if (!candidate.used || nowUs - candidate.heardUs >= lifeUs) return &candidate;
    if (candidate.failures > worst->failures) worst = &candidate;
  }
  return worst;
}

void ProxySearch::heard(const uint8_t mac[macBytes], const Beacon& beacon, int8_t rssiDbm, uint32_t dice, uint64_t nowUs) {
  Candidate* candidate = find(mac);
  if (!leads(beacon)) {
    if (candidate != nullptr) *candidate = Candidate{};
    return;
  }
  if (candidate == nullptr) {
    candidate = place(dice, nowUs);
    *candidate = Candidate{};
    candidate->used = true;
    memcpy(candidate->mac, mac, macBytes);
    candidate->taste = static_cast<uint8_t>((dice >> 8) % tasteMax);
  }
  const uint32_t weakDb = rssiDbm < strongDbm ? static_cast<uint32_t>(strongDbm - rssiDbm) : 0;
  candidate->badness = beacon.cost + weakDb * perDecibel + candidate->taste;
  candidate->heardUs = nowUs;
  if (readyUs_ == never) readyUs_ = nowUs + (spreadUs * (dice >> 16) >> 16);
}

bool ProxySearch::solicits(uint32_t dice, uint64_t nowUs) {
  if (solicitDueUs_ == never) {
    solicitDueUs_ = nowUs + solicitUs + (solicitUs / 2 * dice >> 32);
    return false;
  }
  if (nowUs < solicitDueUs_ || hasHope(nowUs)) return false;
  solicitWaitUs_ = solicitWaitUs_ * 2 < solicitMaxUs ? solicitWaitUs_ * 2 : solicitMaxUs;
  solicitDueUs_ = nowUs + solicitWaitUs_ + (solicitWaitUs_ / 2 * dice >> 32);
  return true;
}

void ProxySearch::rest() {
  solicitDueUs_ = never;
  solicitWaitUs_ = solicitUs;
}

// Somebody is known who has not failed yet.
bool ProxySearch::hasHope(uint64_t nowUs) const {
  const Candidate* known = nearest(nowUs);
  return known != nullptr && known->failures == 0;
}

uint64_t ProxySearch::nextUs(uint64_t nowUs) const {
  uint64_t next = readyUs_ > nowUs ? readyUs_ : never;
  if (solicitDueUs_ < next && !hasHope(nowUs)) next = solicitDueUs_;
  return next;
}

const ProxySearch::Candidate* ProxySearch::best(uint64_t nowUs) const { return nowUs < readyUs_ ? nullptr : nearest(nowUs); }

const ProxySearch::Candidate* ProxySearch::nearest(uint64_t nowUs) const {
  const Candidate* best = nullptr;
  for (const Candidate& candidate : table_) {
    if (!candidate.used || nowUs - candidate.heardUs >= lifeUs) continue;
    const bool better = best == nullptr || (candidate.failures != best->failures ? candidate.failures < best->failures
                                                                                  : candidate.badness < best->badness);
    if (better) best = &candidate;
  }
  return best;
}

void ProxySearch::failed(const uint8_t mac[macBytes]) {
  Candidate* candidate = find(mac);
  if (candidate != nullptr && candidate->failures < UINT8_MAX) candidate->failures++;
}

}  // namespace wattmesh
