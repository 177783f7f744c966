// A hub's members on batteries: never polled. What is for them goes to their parents, with polls that pass there, and waits for them to wake.
#include "wattmesh/bytes.hpp"
#include "wattmesh/hub.hpp"
#include "wattmesh/item.hpp"

namespace wattmesh {

namespace {
// So long it waits for a poll, and for more of the kind; the second step of a command that moves something has a minute in all.
constexpr uint64_t leafWaitUs = 25 * usPerS;
}  // namespace

void Hub::sleeps(uint16_t shortId, uint16_t via) {
  Member* member = find(shortId);
  if (member == nullptr) return;
  member->sleeps = true;
  member->via = via;
  member->pending = false;
}

// When what waits for a member goes out by itself; never: it waits for nothing, or for a leaf beside this hub to wake.
uint64_t Hub::payUs(const Member& member) const {
  if (member.shortId == shortIdNone || (!member.owed && !member.holds())) return never;
  if (!member.sleeps) return member.waitsUs + 2 * cycleUs() + cycleUs() / 4;
  if (member.via == shortIdNone) return never;
  return member.waitsUs + (cycleUs() / 2 < leafWaitUs ? cycleUs() / 2 : leafWaitUs);
}

void Hub::writeFor(uint16_t shortId, Writer& writer) {
  Member* member = find(shortId);
  if (member == nullptr) return;
  const CustodyEntry entry{shortId, member->owedSession, member->owedCounter};
  if (member->owed && writeCustody(writer, &entry, 1)) member->owed = false;
  if (member->holds() && writePacketFor(writer, shortId, member->bytes, member->length)) member->length = 0;
}

// What waits for leaves of those on the path, as far as there is room. If it is lost, the leaf says all again.
void Hub::writeForLeaves(Writer& writer, const uint16_t* path, size_t hops) {
  for (Member& member : *this) {
    if (!member.sleeps || member.via == shortIdNone || (!member.owed && !member.holds())) continue;
    bool passes = false;
    for (size_t i = 0; i < hops; i++) passes = passes || path[i] == member.via;
    if (passes) writeFor(member.shortId, writer);
  }
}

// The same on a poll: a leaf whose parent is in the tree stands below it, not asked, so that what is for it goes there. `spare`: bytes to leave.
void Hub::addLeaves(PollTree& tree, Writer& writer, size_t spare) {
  for (Member& member : *this) {
    if (!member.sleeps || member.via == shortIdNone || (!member.owed && !member.holds())) continue;
    const size_t parent = tree.find(member.via);
    if (parent == tree.size() || tree.size() == pollEntriesMax || tree.at(parent).hops == hopsMax) continue;
    const size_t bytes = (member.owed ? sectionHeaderBytes + custodyEntryBytes : 0) + (member.holds() ? forSectionBytes(member.length) : 0);
    if (writer.room() < bytes + pollSectionBytes(tree.size() + 1) + spare) continue;
    tree.add(member.shortId, parent);
    writeFor(member.shortId, writer);
  }
}

}  // namespace wattmesh
