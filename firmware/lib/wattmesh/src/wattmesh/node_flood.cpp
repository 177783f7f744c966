// Mode "flooding": packets travel up and down as FLOOD frames, and nobody polls or takes custody (PROTOCOL.md, section 2.8).
#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
constexpr uint64_t floodBusyUs = 20 * usPerMs;
}  // namespace

// The mode is the network's: M2 tells it, and it holds until another M2 does.
bool Node::floods() const { return (session_.policy() & policyFlooding) != 0; }

// Where no leaf sleeps, the memory of packets for leaves is that of the floods that are known.
void Node::settleMode() {
  if (floods() == flooding_.remembers()) return;
  if (floods()) {
    flooding_.use(children_.lend());
  } else {
    flooding_.use(Room{nullptr, 0});
    children_.takeBack();
  }
}

// Between two reports: a cycle on average, so that no two nodes keep step.
uint64_t Node::floodPauseUs() {
  const uint64_t cycleUs = config_.pollCycleS * usPerS;
  return cycleUs - cycleUs / 4 + jitter(cycleUs / 2);
}

QueuedItem* Node::flood(Direction direction, const uint8_t* packet, size_t length) {
  QueuedItem* slot = flooding_.start(session_.shortId(), direction, packet, length, queue_, now_);
  if (slot == nullptr) drop(Error::queueFull);
  return slot;
}

void Node::onFlood(const ReceivedFrame& frame, int8_t rssi) {
  Flood flood{};
  PacketHeader header{};
  Error error = decodeFlood(frame.body, frame.length, flood);
  if (error == Error::none) error = decodePacketHeader(flood.packet, flood.packetLength, header);
  const bool down = flood.direction == Direction::down;
  if (error == Error::none && (header.down() != down || flood.ttl > Flooding::ttlMax || flood.origin == shortIdNone)) error = Error::badField;
  // In the other mode nobody waits for such a packet.
  if (error == Error::none && !floods()) error = Error::notJoined;
  if (error != Error::none) {
    drop(error);
    return;
  }
  if (!flooding_.heard(flood, queue_)) return;
  if (!down && rootedHere()) {
    takeFlood(flood, header, rssi);
    return;
  }
  if (down && memcmp(header.nodeId, session_.nodeId(), nodeIdBytes) == 0) {
    onPacket(flood.packet, flood.packetLength);
    return;
  }
  if (down && header.type == packetM2) answerJoiners(flood.packet, flood.packetLength);
  repeatFlood(flood);
}

void Node::repeatFlood(const Flood& flood) {
  if (!config_.routes()) return;
  if (flood.ttl <= 1) {
    drop(Error::tooManyHops);
  } else if (!flooding_.repeat(flood, queue_, now_, now_ + jitter(Flooding::spreadUs))) {
    drop(Error::queueFull);
  }
}

// The gateway hands it to the host: of its way it knows the end alone.
void Node::takeFlood(const Flood& flood, const PacketHeader& header, int8_t rssi) {
  Item item{};
  item.packet = flood.packet;
  item.packetLength = flood.packetLength;
  if (header.type == packetM1) item.route[item.hops++] = shortIdNone;
  item.route[item.hops++] = flood.origin;
  QueuedItem* slot = queue_.push(item, now_);
  if (slot == nullptr) {
    drop(Error::queueFull);
  } else {
    slot->rssi = rssi;
  }
}

// M2 for somebody whose M1 came by this node. False: there is nobody.
bool Node::answerJoiners(const uint8_t* packet, size_t length) {
  uint8_t section[bodyBytesMax];
  Writer writer(section, sizeof section);
  Routed routed{};
  routed.hops = 1;
  routed.route[0] = shortIdNone;
  if (!writePacket(writer, 0, packet, length)) return false;
  routed.sections = section;
  routed.sectionsLength = writer.length();
  return sendToJoiners(routed);
}

Error Node::floodDown(const PacketHeader& header, const uint8_t* packet, size_t length) {
  if (header.type == packetM2 && answerJoiners(packet, length)) return Error::none;
  return flooding_.start(session_.shortId(), Direction::down, packet, length, queue_, now_) == nullptr ? Error::queueFull : Error::none;
}

bool Node::pumpFlood() {
  QueuedItem* slot = flooding_.due(queue_, now_);
  if (slot == nullptr) return false;
  memcpy(frame_ + linkHeaderBytes, slot->bytes, slot->length);
  if (!transmit(FrameType::flood, broadcastMac, slot->length)) {
    flooding_.refused(*slot, now_ + floodBusyUs);
    return false;
  }
  slot->state = QueuedItem::State::inFlight;
  inFlight_ = InFlight::flood;
  return true;
}

void Node::floodSent() { flooding_.sent(queue_, now_ + Flooding::listenUs + jitter(Flooding::spreadUs)); }

}  // namespace wattmesh
