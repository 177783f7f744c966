// What stands in a hub's poll: the tree of those that it asks, and what rides on it for them.
#include "wattmesh/bytes.hpp"
#include "wattmesh/hub.hpp"
#include "wattmesh/item.hpp"

namespace wattmesh {

// Asks a member, and as many others behind the same neighbour as the frame has room for. False: nobody could be asked.
bool Hub::poll(Member& member, uint64_t nowUs, Downward& downward) {
  number_ = nextNumber();
  uint16_t path[hopsMax];
  const size_t hops = downward.pathTo(member.shortId, path);
  if (hops == 0) {
    missed(member);
    return false;
  }
  // When all who are deeper have been asked, those that hang on this hub itself are called together.
  const uint16_t self = hops == 1 && groupSent_ == 0 ? downward.parentOf(member.shortId) : shortIdNone;
  const bool isCall = self != shortIdNone && isShared(member);
  PollTree tree(isCall ? &self : path, hops);
  grow(tree, member.again, nowUs, downward);
  // By now it may be deeper than when it was heard last.
  if (tree.depth() > depth_) depth_ = tree.depth();
  uint16_t asked[pollEntriesMax];
  size_t count = 0;
  uint64_t waitUs = 0;
  for (size_t i = 0; i < tree.size(); i++) {
    const Member* each = tree.at(i).asked ? find(tree.at(i).shortId) : nullptr;
    if (each == nullptr) continue;
    asked[count++] = each->shortId;
    const uint64_t itsUs = each->timer.waitUs(depth_);
    if (itsUs > waitUs) waitUs = itsUs;
  }
  uint8_t sections[bodyBytesMax];
  // The poll comes last: whoever answers it knows by then what has arrived.
  const size_t timeBytes = tellsTime_ ? timeSectionBytes : 0;
  Writer writer(sections, routedRoom(1) - pollSectionBytes(tree.size()) - timeBytes);
  writeOwed(writer, asked, count);
  writeHeld(writer, asked, count);
  Writer whole(sections, routedRoom(1));
  whole.rewind(writer.length());
  addLeaves(tree, whole, timeBytes);
  const PollSection section{number_, 1, depth_, tree.bytes(), tree.size()};
  const bool fits = writePoll(whole, section);
  const bool sent = fits && (isCall ? downward.call(sections, whole.length()) : downward.sendRouted(path[0], sections, whole.length()));
  for (Outstanding& place : outstanding_) {
    if (place.poll != 0) continue;
    // What could not be sent counts as not answered, at once.
    place = Outstanding{number_, nowUs, sent ? nowUs + waitUs : nowUs};
    break;
  }
  return true;
}

// Somebody else as near as this member is to be asked.
bool Hub::isShared(const Member& member) {
  for (const Member& other : *this) {
    if (&other != &member && other.pending && other.hops == member.hops && other.again == member.again) return true;
  }
  return false;
}

// Whoever is to be polled and stands in the tree answers this poll.
void Hub::ask(PollTree& tree, size_t index) {
  Member* member = find(tree.at(index).shortId);
  if (member == nullptr || !member->pending) return;
  tree.ask(index);
  member->pending = false;
  member->asked = number_;
}

// Asks whoever stands in the tree, and adds members that were asked as often in this round and whose parent is in the tree, from the deepest
// up, as long as what they wait for fits.
void Hub::grow(PollTree& tree, uint8_t again, uint64_t nowUs, const Downward& downward) {
  // Custody may take three sections.
  size_t used = pollSectionBytes(tree.size()) + 3 * sectionHeaderBytes + (tellsTime_ ? timeSectionBytes : 0);
  // The last one in any case; who is on the way to it and finds no room for what waits gets a poll of its own.
  for (size_t i = tree.size(); i-- > 0;) {
    const Member* member = find(tree.at(i).shortId);
    const size_t needed = member == nullptr || !member->pending ? 0 : ridingBytes(*member, nowUs);
    if (used + needed > routedRoom(1) && i + 1 < tree.size()) continue;
    used += needed;
    ask(tree, i);
  }
  for (uint8_t hops = hopsMax; hops > 0; hops--) {
    bool grown = false;
    for (Member& member : *this) {
      if (!member.pending || member.hops != hops || member.again != again) continue;
      const size_t needed = pollEntryBytes + ridingBytes(member, nowUs);
      if (used + needed > routedRoom(1) || tree.size() == pollEntriesMax) continue;
      const size_t parent = tree.find(downward.parentOf(member.shortId));
      if (parent == tree.size() || tree.at(parent).hops == hopsMax) continue;
      tree.add(member.shortId, parent);
      ask(tree, parent + 1);
      used += needed;
      grown = true;
    }
    // Those below who lacked their parent have it now.
    if (grown && hops < hopsMax) hops = static_cast<uint8_t>(hops + 2);
  }
}

// What is to ride on a poll to this member in any case. What is held: for one half of the members in every round, so that rounds are alike, and
// for whoever has missed its turn.
size_t Hub::ridingBytes(const Member& member, uint64_t nowUs) {
  if (underWay(member.inPoll) != nullptr) return 0;
  const bool isTurn = ((member.shortId ^ rounds_) & 1) != 0;
  const bool isLate = member.holds() && (isTurn || nowUs >= member.waitsUs + 2 * cycleUs());
  return (member.owed ? custodyEntryBytes : 0) + (isLate ? forSectionBytes(member.length) : 0);
}

void Hub::writeOwed(Writer& writer, const uint16_t* nodes, size_t count) {
  CustodyEntry entries[custodyEntriesMax];
  size_t written = 0;
  for (size_t i = 0; i < count; i++) {
    Member* member = find(nodes[i]);
    if (member == nullptr || !member->owed || underWay(member->inPoll) != nullptr) continue;
    entries[written++] = CustodyEntry{member->shortId, member->owedSession, member->owedCounter};
    if (!member->holds()) member->inPoll = number_;
    if (written < custodyEntriesMax) continue;
    writeCustody(writer, entries, written);
    written = 0;
  }
  if (written > 0) writeCustody(writer, entries, written);
}

// What is held for any of them, as far as there is room: what has waited longest first.
void Hub::writeHeld(Writer& writer, const uint16_t* nodes, size_t count) {
  for (;;) {
    Member* oldest = nullptr;
    for (size_t i = 0; i < count; i++) {
      Member* member = find(nodes[i]);
      if (member == nullptr || !member->holds() || member->inPoll == number_ || underWay(member->inPoll) != nullptr) continue;
      if (forSectionBytes(member->length) > writer.room()) continue;
      if (oldest == nullptr || member->waitsUs < oldest->waitsUs) oldest = member;
    }
    if (oldest == nullptr || !writePacketFor(writer, oldest->shortId, oldest->bytes, oldest->length)) return;
    oldest->inPoll = number_;
  }
}

}  // namespace wattmesh
