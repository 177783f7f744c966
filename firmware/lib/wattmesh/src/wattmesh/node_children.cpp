// A router's side of battery leaves: it answers their reports at once, and keeps what is for them until then (PROTOCOL.md, section 2.11).
#include "wattmesh/bytes.hpp"
#include "wattmesh/node.hpp"

namespace wattmesh {

// Everything that a leaf waits for goes in one frame: it listens for a moment only.
void Node::answerLeaf(const Neighbour& neighbour, uint16_t shortId) {
  if (!config_.routes() || !session_.joined()) return;
  WakeSection wake{};
  wake.phase = children_.phase(shortId, session_.shortId());
  fillBeacon(wake.beacon);
  Routed routed{};
  routed.hops = 1;
  routed.route[0] = shortId;
  uint8_t body[bodyBytesMax];
  Writer writer(body, sizeof body);
  if (!encodeRoutedHeader(writer, routed) || !writeWake(writer, wake)) return;
  if (hub_ != nullptr) hub_->hub.writeFor(shortId, writer);
  children_.write(shortId, writer);
  if (control_.pushOnce(FrameType::routed, neighbour.mac, body, writer.length(), now_)) return;
  children_.delivered(shortId, false);
  drop(Error::queueFull);
}

// True when a packet waits here for the report of a leaf, or for the poll of a member.
bool Node::holdFor(uint16_t target, const uint8_t* packet, size_t length) {
  if (children_.hold(target, packet, length, now_)) return true;
  return hub_ != nullptr && hub_->hub.hold(target, packet, length, now_);
}

// A frame whose next hop is a leaf of ours: it sleeps, and gets at its next report what the frame brings.
bool Node::holdForLeaf(const Routed& routed) {
  const uint16_t leaf = routed.route[routed.hops - 1];
  if (routed.at + 2 != routed.hops || !children_.has(leaf, now_)) return false;
  bool held = false;
  Reader reader(routed.sections, routed.sectionsLength);
  RoutedSection section{};
  while (reader.remaining() > 0 && nextRoutedSection(reader, section) == Error::none) {
    PacketSection packet{};
    if (section.kind != routedPacket || decodePacketSection(section, packet) != Error::none) continue;
    held = holdFor(leaf, packet.packet, packet.packetLength) || held;
  }
  return held;
}

}  // namespace wattmesh
