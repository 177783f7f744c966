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
// Those who were called together have answered by then: half a step, and a little for the radio.
constexpr uint64_t answeredUs = releaseStepUs / 2 + 15 * usPerMs;

// Whether a part of the poll is for this node, which is not the one who sends the part: what was for that one it has had.
bool isFor(const PollPart& part, const PollSection& poll, uint16_t shortId) {
  for (size_t i = 1; i < poll.entries; i++) {
    if (part.holds(i) && pollEntry(poll.tree, i).shortId == shortId) return true;
  }
  return false;
}

void copyCustody(Writer& writer, const CustodySection& custody, const PollPart& part, const PollSection& poll) {
  CustodyEntry entries[custodyEntriesMax];
  size_t count = 0;
  for (uint8_t i = 0; i < custody.entries; i++) {
    if (isFor(part, poll, custody.entry[i].origin)) entries[count++] = custody.entry[i];
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
  size_t leaves = 0;
  for (size_t i = 1; i < poll.entries; i++) leaves += isLeafOf(poll, i) ? 1 : 0;
  const bool isCall = leaves > 1;
  uint64_t dueUs = now_;
  for (size_t first = 1; first < poll.entries;) {
    const size_t end = pollSubtreeEnd(poll, first);
    // A leaf of ours sleeps: what is for it was kept.
    if (!children_.has(pollEntry(poll.tree, first).shortId, now_) && !(isCall && end == first + 1)) {
      passPoll(routed, poll, first, end, dueUs);
      dueUs += siblingGapUs;
    }
    first = end;
  }
  if (isCall) callLeaves(routed, poll, dueUs);
  const size_t below = poll.depth > self.hops ? poll.depth - self.hops : 0;
  const uint64_t releaseUs = now_ + releaseStepUs * below + jitter(releaseStepUs / 2);
  if (releaseUs > releaseUs_) releaseUs_ = releaseUs;
  if (meter_ == nullptr || !self.asked) return;
  meter_->polled(now_);
  // What was about to go without being asked answers now.
  QueuedItem* unasked = queue_.ownReport();
  owedPoll_ = unasked == nullptr ? uint16_t{0} : poll.number;
  if (unasked == nullptr) {
    report(true, poll.number, releaseUs);
    return;
  }
  if (unasked->attempts == 0) unasked->dueUs = releaseUs;
}

// It hangs here, nobody is below it, and it is awake.
bool Node::isLeafOf(const PollSection& poll, size_t index) const {
  const PollEntry entry = pollEntry(poll.tree, index);
  return entry.hops == pollEntry(poll.tree, 0).hops + 1 && pollSubtreeEnd(poll, index) == index + 1 && !children_.has(entry.shortId, now_);
}

// One frame to everybody, for all leaves of the tree that hang here.
void Node::callLeaves(const Routed& routed, const PollSection& poll, uint64_t dueUs) {
  PollPart part;
  part.add(0);
  for (size_t i = 1; i < poll.entries; i++) {
    if (isLeafOf(poll, i)) part.add(i);
  }
  part.depth = static_cast<uint8_t>(pollEntry(poll.tree, 0).hops + 1);
  sendPoll(broadcastMac, session_.shortId(), routed, poll, part, dueUs);
}

bool Node::call(const uint8_t* sections, size_t length) {
  return sendTowards(broadcastMac, Routed{1, 0, {session_.shortId()}, sections, length}, now_);
}

// A call is gone. The radio does not tell who has heard it: it is kept until that shows.
void Node::called(ControlFrame& frame) {
  frame.used = true;
  frame.dueUs = now_ + answeredUs;
}

// Who has said nothing since the call is asked by name.
void Node::askSilent(ControlFrame& call) {
  const uint64_t calledUs = call.dueUs - answeredUs;
  for (size_t first = 1;;) {
    Routed routed{};
    PollSection poll{};
    // Decoded for each of them: what is sent to one may move it.
    if (decodeRouted(call.bytes, call.length, routed) != Error::none || !findPoll(routed, poll) || first >= poll.entries) break;
    const size_t end = pollSubtreeEnd(poll, first);
    const Neighbour* neighbour = neighbours_.findShort(pollEntry(poll.tree, first).shortId);
    if (neighbour == nullptr || neighbour->heardUs < calledUs) passPoll(routed, poll, first, end, now_);
    first = end;
  }
  call.used = false;
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
  PollPart part;
  for (size_t i = first; i < end; i++) part.add(i);
  part.depth = poll.depth;
  sendPoll(neighbour->mac, child, routed, poll, part, dueUs);
}

// With what `routed` holds for those in this part of the poll.
void Node::sendPoll(const uint8_t mac[macBytes], uint16_t hop, const Routed& routed, const PollSection& poll, const PollPart& part, uint64_t dueUs) {
  uint8_t sections[bodyBytesMax];
  Writer writer(sections, routedRoom(1));
  Reader reader(routed.sections, routed.sectionsLength);
  RoutedSection section{};
  while (reader.remaining() > 0 && nextRoutedSection(reader, section) == Error::none) {
    CustodySection custody{};
    PacketForSection packet{};
    if (section.kind == routedCustody && decodeCustody(section, custody) == Error::none) {
      copyCustody(writer, custody, part, poll);
    } else if (section.kind == routedPacketFor && decodePacketFor(section, packet) == Error::none) {
      if (isFor(part, poll, packet.target)) writePacketFor(writer, packet.target, packet.packet, packet.packetLength);
    }
  }
  writePollHead(writer, poll, part.count(), part.depth);
  for (size_t i = 0; i < poll.entries; i++) {
    if (part.holds(i)) writePollEntry(writer, pollEntry(poll.tree, i));
  }
  Routed onward{};
  onward.hops = 1;
  onward.route[0] = hop;
  onward.sections = sections;
  onward.sectionsLength = writer.length();
  if (!sendTowards(mac, onward, dueUs)) drop(Error::queueFull);
}

}  // namespace wattmesh
