// Polls on their way down: each node hands every child the part of the tree that is below it, and answers when those below have.
#include "wattmesh/bytes.hpp"
#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
// Everybody at one depth hands on at about the same time, the deepest first: so much later per hop, and some of it at random, since two who
// cannot hear each other would disturb each other at their parent.
constexpr uint64_t releaseStepUs = 80 * usPerMs;
// Two frames too close to each other meet again two hops further on, where neither sender hears the other.
constexpr uint64_t siblingGapUs = 15 * usPerMs;

bool isBelow(const PollSection& poll, size_t first, size_t end, uint16_t shortId) {
  for (size_t i = first; i < end; i++) {
    if (pollEntry(poll.tree, i).shortId == shortId) return true;
  }
  return false;
}

void copyCustody(Writer& writer, const CustodySection& custody, const PollSection& poll, size_t first, size_t end) {
  CustodyEntry entries[custodyEntriesMax];
  size_t count = 0;
  for (uint8_t i = 0; i < custody.entries; i++) {
    if (isBelow(poll, first, end, custody.entry[i].origin)) entries[count++] = custody.entry[i];
  }
  if (count > 0) writeCustody(writer, entries, count);
}
}  // namespace

void Node::onPoll(const Routed& routed, const PollSection& poll) {
  const PollEntry self = pollEntry(poll.tree, 0);
  if (self.shortId != session_.shortId()) {
    drop(Error::noRoute);
    return;
  }
  uint64_t dueUs = now_;
  for (size_t first = 1; first < poll.entries;) {
    const size_t end = pollSubtreeEnd(poll, first);
    // A leaf of ours sleeps: what is for it was kept.
    if (!children_.has(pollEntry(poll.tree, first).shortId, now_)) {
      passPoll(routed, poll, first, end, dueUs);
      dueUs += siblingGapUs;
    }
    first = end;
  }
  const size_t below = poll.depth > self.hops ? poll.depth - self.hops : 0;
  const uint64_t releaseUs = now_ + releaseStepUs * below + jitter(releaseStepUs / 2);
  if (releaseUs > releaseUs_) releaseUs_ = releaseUs;
  if (meter_ == nullptr || !self.asked) return;
  meter_->polled(now_);
  // What was about to go without being asked answers now.
  QueuedItem* unasked = queue_.ownReport();
  if (unasked == nullptr) {
    report(true, poll.number, releaseUs);
    return;
  }
  owedPoll_ = poll.number;
  if (unasked->attempts == 0) unasked->dueUs = releaseUs;
}

// To the child at `first`: what the frame holds for it and for those below it, up to `end`.
void Node::passPoll(const Routed& routed, const PollSection& poll, size_t first, size_t end, uint64_t dueUs) {
  const uint16_t child = pollEntry(poll.tree, first).shortId;
  const Neighbour* neighbour = neighbours_.findShort(child);
  if (neighbour == nullptr) {
    drop(Error::noRoute);
    tellUnreachable(child);
    return;
  }
  uint8_t sections[bodyBytesMax];
  Writer writer(sections, routedRoom(1));
  Reader reader(routed.sections, routed.sectionsLength);
  RoutedSection section{};
  while (reader.remaining() > 0 && nextRoutedSection(reader, section) == Error::none) {
    CustodySection custody{};
    PacketForSection packet{};
    if (section.kind == routedCustody && decodeCustody(section, custody) == Error::none) {
      copyCustody(writer, custody, poll, first, end);
    } else if (section.kind == routedPacketFor && decodePacketFor(section, packet) == Error::none) {
      if (isBelow(poll, first, end, packet.target)) writePacketFor(writer, packet.target, packet.packet, packet.packetLength);
    }
  }
  writePoll(writer, PollSection{poll.number, poll.packets, poll.depth, poll.tree + first * pollEntryBytes, end - first});
  Routed onward{};
  onward.hops = 1;
  onward.route[0] = child;
  onward.sections = sections;
  onward.sectionsLength = writer.length();
  if (!sendTowards(neighbour->mac, onward, dueUs)) drop(Error::queueFull);
}

}  // namespace wattmesh
