// Packets on their way down: polls, custody and sealed packets along a source route.
#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
constexpr uint64_t probePeriodUs = 3600 * usPerS;

// The packet in a ROUTED frame, if it carries one.
bool findPacket(const Routed& routed, PacketSection& packet) {
  Reader reader(routed.sections, routed.sectionsLength);
  RoutedSection section{};
  while (reader.remaining() > 0 && nextRoutedSection(reader, section) == Error::none) {
    if (section.kind == routedPacket && decodePacketSection(section, packet) == Error::none) return true;
  }
  return false;
}
}  // namespace

void Node::onRouted(const Neighbour& neighbour, bool broadcast, const ReceivedFrame& frame) {
  Routed routed{};
  const Error error = decodeRouted(frame.body, frame.length, routed);
  if (error != Error::none) {
    drop(error);
    return;
  }
  hearTime(neighbour, broadcast, frame.header.counter, routed);
  PollSection poll{};
  const bool isPolled = findPoll(routed, poll);
  if (broadcast) {
    // A call. Whoever is not meant only overhears it.
    if (isPolled && takePoll(poll, session_.shortId())) onSections(routed, &poll);
    return;
  }
  const bool last = routed.at + 1 == routed.hops;
  if (last && routed.route[routed.at] == shortIdNone) {
    // For a node that has not joined: only M2 can be meant, and the packet's node id says for whom.
    PacketSection packet{};
    if (findPacket(routed, packet)) onPacket(packet.packet, packet.packetLength);
    return;
  }
  if (routed.route[routed.at] != session_.shortId()) {
    drop(Error::noRoute);
    return;
  }
  if (last) {
    onSections(routed, isPolled ? &poll : nullptr);
    return;
  }
  onPassing(routed);
  if (!holdForLeaf(routed) && !intercept(routed) && !forward(routed)) {
    drop(Error::noRoute);
    tellUnreachable(routed.route[routed.at]);
  }
}

// A frame for somebody below has something for those on its way too.
void Node::onPassing(const Routed& routed) {
  Reader reader(routed.sections, routed.sectionsLength);
  RoutedSection section{};
  while (reader.remaining() > 0 && nextRoutedSection(reader, section) == Error::none) {
    CustodySection custody{};
    PacketForSection packet{};
    if (section.kind == routedCustody && decodeCustody(section, custody) == Error::none) {
      onCustody(custody);
    } else if (section.kind == routedPacketFor && decodePacketFor(section, packet) == Error::none) {
      if (packet.target == session_.shortId() || children_.has(packet.target, now_)) onPacketFor(packet, false);
    }
  }
}

// `isPolled`: the frame is a poll, and what it holds for others goes on with it.
void Node::onPacketFor(const PacketForSection& packet, bool isPolled) {
  if (packet.target == session_.shortId()) {
    onPacket(packet.packet, packet.packetLength);
  } else if (isPolled && !children_.has(packet.target, now_)) {
    return;
  } else if (!holdFor(packet.target, packet.packet, packet.packetLength)) {
    drop(Error::noRoute);
  }
}

// `poll`: of the frame, from this node on down; nullptr: it holds none.
void Node::onSections(const Routed& routed, const PollSection* poll) {
  const bool isPolled = poll != nullptr;
  // The same frame once more, for only its acknowledgement was lost, or by name after a call.
  if (isPolled && polls_.repeats(poll->number)) return;
  Reader reader(routed.sections, routed.sectionsLength);
  RoutedSection section{};
  while (reader.remaining() > 0 && nextRoutedSection(reader, section) == Error::none) {
    CustodySection custody{};
    PacketSection packet{};
    PacketForSection packetFor{};
    WakeSection wake{};
    LeftSection left{};
    if (section.kind == routedCustody && decodeCustody(section, custody) == Error::none) {
      onCustody(custody);
    } else if (section.kind == routedPacketFor && decodePacketFor(section, packetFor) == Error::none) {
      onPacketFor(packetFor, isPolled);
    } else if (section.kind == routedPacket && decodePacketSection(section, packet) == Error::none) {
      onPacket(packet.packet, packet.packetLength);
    } else if (section.kind == routedWake && decodeWake(section, wake) == Error::none) {
      onWake(wake);
    } else if (section.kind == routedLeft && hub_ != nullptr && decodeLeft(section, left) == Error::none) {
      for (uint8_t i = 0; i < left.entries; i++) hub_->hub.left(left.entry[i]);
    }
  }
  if (isPolled) onPoll(routed, *poll);
}

void Node::onCustody(const CustodySection& custody) {
  for (uint8_t i = 0; i < custody.entries; i++) {
    const CustodyEntry& entry = custody.entry[i];
    if (hub_ != nullptr) queue_.release(entry.origin, entry.session, entry.counter);
    children_.owe(entry);
    if (meter_ != nullptr && entry.origin == session_.shortId() && entry.session == session_.id()) {
      meter_->delivery().custody(entry.counter);
    }
  }
}

void Node::onPacket(const uint8_t* packet, size_t length) {
  PacketHeader header{};
  Error error = decodePacketHeader(packet, length, header);
  if (error == Error::none && (!header.down() || memcmp(header.nodeId, session_.nodeId(), nodeIdBytes) != 0)) error = Error::unknownNode;
  if (error == Error::none) error = header.type == packetM2 ? onAnswer(header, packet, length) : onDownlink(header, packet, length);
  if (error != Error::none) {
    drop(error);
    return;
  }
  probing_ = false;
  downUs_ = now_;
  probeUs_ = now_ + probePeriodUs;
}

// A handshake goes deeper than anything else: it has a frame of its own, without the buffer that a downlink needs.
Error Node::onAnswer(const PacketHeader& header, const uint8_t* packet, size_t length) {
  M2Payload m2{};
  const uint16_t formerId = session_.shortId();
  Error error = session_.openM2(header, packet, length, now_, m2);
  if (error != Error::none) return error;
  // What waits was sealed under the session before, and nobody is to see two packets of one counter.
  if (formerId != shortIdNone) queue_.dropOwn();
  settleMode();
  uint8_t body[3];
  Writer writer(body, sizeof body);
  writer.u16(m2.shortId);
  writer.u8(m2.session);
  port_.trace(port_.context, Trace::joined, body, sizeof body);
  if (meter_ != nullptr) {
    const Error written = meter_->joined(m2.acknowledged, now_);
    if (written != Error::none) drop(written);
  }
  telemetryUs_ = 0;
  reportUs_ = now_;
  events_.again(now_);
  settleJoined(m2.shortId != formerId);
  error = keys_.adopt(m2.keyId, m2.knet, now_);
  wipe(m2.knet, sizeof m2.knet);
  return error;
}

Error Node::onDownlink(const PacketHeader& header, const uint8_t* packet, size_t length) {
  uint8_t plain[packetBytesMax];
  size_t plainLength = 0;
  const Error error = session_.openDown(header, packet, length, now_, plain, plainLength);
  if (error == Error::none) onDownSections(plain, plainLength, header.epoch);
  return error;
}

void Node::onDownSections(const uint8_t* plain, size_t length, uint32_t epoch) {
  Reader reader(plain, length);
  Section section{};
  while (reader.remaining() > 0 && nextSection(reader, section) == Error::none) {
    AckSection ack{};
    Event event{};
    if (section.kind == sectionAck && meter_ != nullptr && decodeAck(section, ack) == Error::none) {
      judgeTime(ack);
      meter_->delivery().acknowledged(ack, epoch, meter_->log());
    } else if (section.kind == sectionCommand) {
      session_.echoSoon();
      onCommand(section);
    } else if (section.kind == sectionNetworkKey) {
      session_.echoSoon();
      onNetworkKey(section);
    } else if (section.kind == sectionEventSeen && decodeEvent(section, event) == Error::none) {
      events_.seen(event);
    }
  }
}

void Node::onCommand(const Section& section) {
  CommandSection command{};
  if (decodeCommand(section, command) == Error::none) commands_.execute(command, now_);
}

void Node::onNetworkKey(const Section& section) {
  NetworkKeySection networkKey{};
  Error error = decodeNetworkKey(section, networkKey);
  if (error == Error::none) error = keys_.announce(networkKey, now_, clock_);
  wipe(&networkKey, sizeof networkKey);
  if (error != Error::none) drop(error);
}

// A hub on the way keeps an acknowledgement for its member until it polls.
bool Node::intercept(const Routed& routed) {
  if (hub_ == nullptr) return false;
  PacketSection packet{};
  if (!findPacket(routed, packet) || (packet.flags & packetFlagHold) == 0) return false;
  // Another hub further down: the target is its member, whatever it was to us.
  for (size_t i = routed.at + size_t{1}; i + 1 < routed.hops; i++) {
    if (isHub(routed.route[i])) return false;
  }
  return hub_->hub.hold(routed.route[routed.hops - 1], packet.packet, packet.packetLength, now_);
}

bool Node::forward(Routed& routed) {
  routed.at++;
  return sendTo(routed.route[routed.at], routed);
}

bool Node::sendTo(uint16_t hop, const Routed& routed) {
  if (hop == shortIdNone) return sendToJoiners(routed);
  const Neighbour* neighbour = neighbours_.findShort(hop);
  return neighbour != nullptr && sendTowards(neighbour->mac, routed, now_);
}

bool Node::sendTowards(const uint8_t mac[macBytes], const Routed& routed, uint64_t dueUs) {
  uint8_t body[bodyBytesMax];
  Writer writer(body, sizeof body);
  if (!encodeRoutedHeader(writer, routed)) return false;
  if (writer.room() >= timeSectionBytes + routed.sectionsLength) tellTime(mac, writer);
  writer.bytes(routed.sections, routed.sectionsLength);
  return writer.ok() && control_.push(FrameType::routed, mac, body, writer.length(), dueUs);
}

// M2 to whoever sent an M1 with its node id: to a node without the network key in a frame that it can verify.
bool Node::sendToJoiners(const Routed& routed) {
  PacketSection packet{};
  PacketHeader header{};
  if (!findPacket(routed, packet) || decodePacketHeader(packet.packet, packet.packetLength, header) != Error::none) return false;
  if (header.type != packetM2) return false;
  bool sent = false;
  for (Joiner& joiner : proxy_) {
    if (!proxy_.expects(joiner, header.nodeId, now_)) continue;
    joiner.answered = joiner.keyless ? sendJoin(joiner.mac, Direction::down, packet.packet, packet.packetLength, now_) : sendTowards(joiner.mac, routed, now_);
    sent = joiner.answered || sent;
  }
  return sent;
}

size_t Node::pathTo(uint16_t target, uint16_t path[hopsMax]) const {
  return hub_ == nullptr ? 0 : hub_->routes.path(session_.shortId(), target, path);
}

uint16_t Node::parentOf(uint16_t node) const { return hub_ == nullptr ? shortIdNone : hub_->routes.parentOf(node); }

bool Node::sendRouted(uint16_t target, const uint8_t* sections, size_t length) {
  if (hub_ == nullptr) return false;
  Routed routed{};
  routed.hops = static_cast<uint8_t>(hub_->routes.path(session_.shortId(), target, routed.route));
  routed.sections = sections;
  routed.sectionsLength = length;
  return routed.hops > 0 && sendTo(routed.route[0], routed);
}

// The gateway sends the host's packet to a node below it.
Error Node::routeDown(const uint8_t* packet, size_t length, bool hold) {
  PacketHeader header{};
  const Error error = decodePacketHeader(packet, length, header);
  if (error != Error::none) return error;
  if (!header.down()) return Error::badField;
  if (memcmp(header.nodeId, session_.nodeId(), nodeIdBytes) == 0) {
    onPacket(packet, length);
    return Error::none;
  }
  if (floods()) return floodDown(header, packet, length);
  return hub_ == nullptr || tables_ == nullptr ? Error::noRoute : relayDown(header, packet, length, hold);
}

Error Node::relayDown(const PacketHeader& header, const uint8_t* packet, size_t length, bool hold) {
  Routed routed{};
  uint16_t proxy = shortIdNone;
  // Who renews its session has a route of its own.
  if (header.type == packetM2 && tables_->directory.findProxy(header.nodeId, now_, proxy)) {
    size_t hops = 0;
    if (proxy != shortIdNone) {
      hops = hub_->routes.path(session_.shortId(), proxy, routed.route);
      if (hops == 0 || hops == hopsMax) return Error::noRoute;
    }
    routed.route[hops] = shortIdNone;
    routed.hops = static_cast<uint8_t>(hops + 1);
  } else {
    const uint16_t target = tables_->directory.find(header.nodeId);
    if ((hold || children_.has(target, now_)) && holdFor(target, packet, length)) return Error::none;
    routed.hops = static_cast<uint8_t>(hub_->routes.path(session_.shortId(), target, routed.route));
    if (target == shortIdNone || routed.hops == 0) return Error::noRoute;
    if (hold && bundle(routed.route, routed.hops, target, packet, length)) return Error::none;
  }
  uint8_t section[bodyBytesMax];
  Writer writer(section, sizeof section);
  if (!writePacket(writer, hold ? packetFlagHold : uint8_t{0}, packet, length)) return Error::oversize;
  routed.sections = section;
  routed.sectionsLength = writer.length();
  return sendTo(routed.route[0], routed) ? Error::none : Error::queueFull;
}

// A packet that the last hub on the path is to hold for its member shares a frame with others for that hub. False: there is no such hub.
bool Node::bundle(const uint16_t* path, size_t hops, uint16_t target, const uint8_t* packet, size_t length) {
  size_t hubHops = hops - 1;
  while (hubHops > 0 && !isHub(path[hubHops - 1])) hubHops--;
  if (hubHops == 0) return false;
  const uint16_t hub = path[hubHops - 1];
  while (!tables_->bundles.add(hub, hubHops, target, packet, length, now_)) {
    Bundle* oldest = tables_->bundles.oldest();
    if (oldest == nullptr) return false;
    oldest->untilUs = now_;
    sendBundle(*oldest);
  }
  return true;
}

void Node::settleBundles() {
  for (Bundle* bundle = tables_->bundles.oldest(); bundle != nullptr && bundle->dueUs <= now_; bundle = tables_->bundles.oldest()) {
    sendBundle(*bundle);
  }
}

void Node::sendBundle(Bundle& bundle) {
  Writer writer(bundle.sections, routedRoom(bundle.hops));
  writer.rewind(bundle.length);
  hub_->hub.writeDebts(bundle.hub, writer);
  bundle.length = writer.length();
  const bool sent = sendRouted(bundle.hub, bundle.sections, bundle.length);
  if (!sent && now_ < bundle.untilUs) {
    bundle.dueUs = now_ + Bundles::retryUs;
    return;
  }
  if (!sent) drop(Error::noRoute);
  bundle.hub = shortIdNone;
  bundle.length = 0;
}

}  // namespace wattmesh
