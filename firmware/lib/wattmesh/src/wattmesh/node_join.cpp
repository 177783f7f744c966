// Without the network key: asking a proxy, verified by nothing and trusted with nothing. And with it: being the proxy of others.
#include <cstring>

#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
// Without a way to the head-end for this long, the network key may have changed meanwhile.
constexpr uint64_t seekProxyUs = 600 * usPerS;
// Others were asked for a beacon at the same moment.
constexpr uint64_t solicitedSpreadUs = 300 * usPerMs;
}  // namespace

// True when beacons that cannot be verified are looked at, to find somebody who takes an M1 on. Under suite 0x00 no key could come of it.
bool Node::seeksProxy() const {
  if (rootedHere() || config_.suite == suiteNone || grounded()) return false;
  return !keys_.hasKey() || now_ - groundedUs_ >= seekProxyUs;
}

void Node::hearProxy(const uint8_t from[macBytes], const ReceivedFrame& frame, int8_t rssi) {
  Beacon beacon{};
  const Error error = decodeBeacon(frame.body, frame.length, beacon);
  if (error != Error::none) {
    drop(error);
    return;
  }
  proxies_.heard(from, beacon, rssi, dice(), now_);
}

// In a mesh that is at rest the next beacon may be a quarter of an hour away: it is asked for.
void Node::settleSeeking() {
  if (!seeksProxy()) {
    proxies_.rest();
  } else if (proxies_.solicits(dice(), now_) && !sendJoin(broadcastMac, Direction::solicit, nullptr, 0, now_)) {
    drop(Error::queueFull);
  }
}

void Node::askProxy(uint64_t dueUs) {
  const ProxySearch::Candidate* candidate = proxies_.best(now_);
  if (candidate == nullptr) return;
  asked_ = true;
  memcpy(askedMac_, candidate->mac, macBytes);
  uint8_t packet[packetBytesMax];
  size_t length = 0;
  for (size_t part = 0; (length = session_.m1(part, packet)) > 0; part++) {
    if (!sendJoin(candidate->mac, Direction::up, packet, length, dueUs)) drop(Error::queueFull);
  }
}

bool Node::sendJoin(const uint8_t mac[macBytes], Direction direction, const uint8_t* packet, size_t length, uint64_t dueUs) {
  uint8_t body[joinHeaderBytes + packetBytesMax];
  const size_t bodyLength = encodeJoin(Join{direction, packet, length}, body, sizeof body);
  return bodyLength > 0 && control_.push(FrameType::join, mac, body, bodyLength, dueUs);
}

// The radio could not reach whoever a JOIN frame was for. The next candidate is asked at once, unless it failed before too.
void Node::proxyFailed() {
  if (!asked_ || memcmp(inFlightTo_, askedMac_, macBytes) != 0) return;
  asked_ = false;
  proxies_.failed(askedMac_);
  const ProxySearch::Candidate* next = seeksProxy() ? proxies_.best(now_) : nullptr;
  if (next != nullptr && next->failures == 0) askProxy(now_);
}

// M2 has come. A parent that joins has something to offer from now on; who passed M2 on to a node without one is most likely its parent to be.
void Node::settleJoined(bool isNew) {
  if (config_.routes() && isNew) startOver();
  if (!asked_) return;
  asked_ = false;
  groundedUs_ = now_;
  Neighbour* neighbour = neighbours_.touch(askedMac_, 0, Claim::handsOver, now_, position().parent);
  if (neighbour != nullptr) neighbour->doubt(now_, 0);
}

void Node::onJoin(const uint8_t from[macBytes], bool broadcast, const ReceivedFrame& frame, int8_t rssi) {
  Join join{};
  PacketHeader header{};
  Error error = decodeJoin(frame.body, frame.length, join);
  // Who solicits says nothing else, and to everybody; a handshake is for one alone.
  const bool solicits = join.direction == Direction::solicit;
  if (error == Error::none && solicits != broadcast) error = Error::badField;
  if (error == Error::none && solicits) {
    onSolicited();
    return;
  }
  if (error == Error::none) error = decodePacketHeader(join.packet, join.packetLength, header);
  // The key is known to everybody: nothing but a handshake passes under it.
  const uint8_t wanted = join.direction == Direction::up ? packetM1 : packetM2;
  if (error == Error::none && header.type != wanted) error = Error::badField;
  if (error != Error::none) {
    drop(error);
  } else if (join.direction == Direction::up) {
    onJoinUp(from, join, header, rssi);
  } else if (memcmp(header.nodeId, session_.nodeId(), nodeIdBytes) == 0 && !answersM2_.take(now_)) {
    drop(Error::queueFull);
  } else {
    onPacket(join.packet, join.packetLength);
  }
}

// Somebody without the network key asks for beacons: one is sent, whoever asks, but not often.
void Node::onSolicited() {
  if (!grounded() || !session_.joined() || !config_.routes()) {
    drop(Error::noParent);
  } else if (!solicited_.take(now_)) {
    drop(Error::queueFull);
  } else {
    beaconSoon(0, solicitedSpreadUs);
  }
}

void Node::onJoinUp(const uint8_t from[macBytes], const Join& join, const PacketHeader& header, int8_t rssi) {
  if (!grounded() || !session_.joined() || !config_.routes()) {
    drop(Error::noParent);
    return;
  }
  const Error error = joinItems() < joinItemsMax ? proxy_.admit(from, header, dice(), now_) : Error::queueFull;
  if (error != Error::none) {
    drop(error);
    return;
  }
  Item item{};
  item.hops = 1;
  item.route[0] = shortIdNone;
  item.packet = join.packet;
  item.packetLength = join.packetLength;
  if (tables_ != nullptr) tables_->directory.joining(header.nodeId, shortIdNone, now_);
  keepItem(item, header, rssi);
}

// M1 of others that wait: they must not crowd out readings.
size_t Node::joinItems() const {
  size_t count = 0;
  for (const QueuedItem& slot : const_cast<Queue&>(queue_)) {
    count += slot.state != QueuedItem::State::empty && slot.origin == shortIdNone && !slot.own ? 1 : 0;
  }
  return count;
}

}  // namespace wattmesh
