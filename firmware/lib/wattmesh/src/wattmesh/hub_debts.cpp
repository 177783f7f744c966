// What a hub owes to other hubs: custody of what came through them, and who is no member of theirs any more.
#include "wattmesh/bytes.hpp"
#include "wattmesh/hub.hpp"
#include "wattmesh/item.hpp"

namespace wattmesh {

namespace {
// Other hubs are told a little later, for more of it or a packet on the same way; and at once when a section is full.
constexpr uint64_t debtUs = 10 * usPerS;
}  // namespace

void Hub::tellLeft(uint16_t former, uint16_t shortId, uint64_t nowUs) { addDebt(Debt{CustodyEntry{shortId, 0, 0}, former, true, 0}, nowUs); }

void Hub::addDebt(const Debt& debt, uint64_t nowUs) {
  Debt* place = &debts_[0];
  size_t waiting = 1;
  for (Debt& each : debts_) {
    // The oldest debt is forgotten when there are too many: its packet comes again and is confirmed then.
    if (place->target != shortIdNone && (each.target == shortIdNone || each.dueUs < place->dueUs)) place = &each;
    if (each.target == debt.target) waiting++;
  }
  *place = debt;
  place->dueUs = waiting < custodyEntriesMax ? nowUs + debtUs : nowUs;
}

void Hub::payDebts(uint64_t nowUs, Downward& downward) {
  for (Debt& first : debts_) {
    if (first.target == shortIdNone || nowUs < first.dueUs) continue;
    const uint16_t target = first.target;
    uint8_t sections[2 * sectionHeaderBytes + custodyEntriesMax * custodyEntryBytes];
    Writer writer(sections, sizeof sections);
    writeDebts(target, writer);
    // Not sent for want of a route or room: the packets come again.
    downward.sendRouted(target, sections, writer.length());
  }
}

void Hub::writeDebts(uint16_t hub, Writer& writer) {
  CustodyEntry entries[custodyEntriesMax];
  uint16_t left[custodyEntriesMax];
  size_t count = 0;
  size_t leftCount = 0;
  for (Debt& debt : debts_) {
    const size_t bytes = 2 * sectionHeaderBytes + (count + 1) * custodyEntryBytes + leftCount * leftEntryBytes;
    if (debt.target != hub || count + leftCount == custodyEntriesMax || bytes > writer.room()) continue;
    if (debt.isLeft) {
      left[leftCount++] = debt.entry.origin;
    } else {
      entries[count++] = debt.entry;
    }
    debt = Debt{};
  }
  if (count > 0) writeCustody(writer, entries, count);
  if (leftCount > 0) writeLeft(writer, left, leftCount);
}

}  // namespace wattmesh
