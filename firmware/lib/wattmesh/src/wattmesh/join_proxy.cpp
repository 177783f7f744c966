#include "wattmesh/join_proxy.hpp"

#include <cstring>

namespace wattmesh {

namespace {

constexpr uint8_t partsMax = 2;  // of an M1 under suite RSA

void fill(Joiner& joiner, const uint8_t mac[macBytes], const PacketHeader& m1, bool keyless, uint64_t nowUs) {
  joiner = Joiner{};
  joiner.used = true;
  joiner.keyless = keyless;
  joiner.parts = 1;
  memcpy(joiner.nodeId, m1.nodeId, nodeIdBytes);
  memcpy(joiner.mac, mac, macBytes);
  joiner.number = m1.counter;
  joiner.heardUs = nowUs;
}

}  // namespace

Joiner* JoinProxy::find(const uint8_t mac[macBytes]) {
  for (Joiner& joiner : table_) {
    if (joiner.used && memcmp(joiner.mac, mac, macBytes) == 0) return &joiner;
  }
  return nullptr;
}

// A place whose joiner is gone, or else one whose joiner was answered longest ago, if there is one.
Joiner* JoinProxy::spare(uint64_t nowUs) {
  Joiner* answered = nullptr;
  for (Joiner& joiner : table_) {
    if (!joiner.used || nowUs - joiner.heardUs >= lifeUs) return &joiner;
    if (joiner.answered && (answered == nullptr || joiner.heardUs < answered->heardUs)) answered = &joiner;
  }
  return answered;
}

bool JoinProxy::isSecondPart(const Joiner& joiner, const PacketHeader& m1) {
  return m1.fragment && joiner.parts < partsMax && joiner.number == m1.counter && memcmp(joiner.nodeId, m1.nodeId, nodeIdBytes) == 0;
}

Error JoinProxy::admit(const uint8_t mac[macBytes], const PacketHeader& m1, uint32_t dice, uint64_t nowUs) {
  Joiner* place = find(mac);
  if (place != nullptr && nowUs - place->heardUs < gapUs) {
    if (!isSecondPart(*place, m1)) return Error::queueFull;
    place->parts++;
    return Error::none;
  }
  if (rate_.pressed(nowUs) && (dice & 1) != 0) return Error::queueFull;
  if (place == nullptr) place = spare(nowUs);
  if (place == nullptr && (dice & 2) == 0) place = &table_[(dice >> 8) % joinersMax];
  if (place == nullptr || !rate_.take(nowUs)) return Error::queueFull;
  fill(*place, mac, m1, true, nowUs);
  return Error::none;
}

void JoinProxy::remember(const uint8_t mac[macBytes], const PacketHeader& m1, uint64_t nowUs) {
  Joiner* place = find(mac);
  if (place == nullptr) place = spare(nowUs);
  if (place == nullptr) {
    place = table_;
    for (Joiner& joiner : table_) {
      if (joiner.heardUs < place->heardUs) place = &joiner;
    }
  }
  fill(*place, mac, m1, false, nowUs);
}

bool JoinProxy::expects(const Joiner& joiner, const uint8_t nodeId[nodeIdBytes], uint64_t nowUs) const {
  return joiner.used && nowUs - joiner.heardUs < lifeUs && memcmp(joiner.nodeId, nodeId, nodeIdBytes) == 0;
}

}  // namespace wattmesh
