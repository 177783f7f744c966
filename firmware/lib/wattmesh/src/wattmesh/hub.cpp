#include "wattmesh/hub.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/item.hpp"

namespace wattmesh {

namespace {
constexpr uint8_t repeatsMax = 3;
constexpr uint8_t missesGone = 64;
constexpr uint8_t skipDoublingsMax = 4;
constexpr uint64_t debtUs = 1500 * usPerMs;
// A round begins when the rows of the boundary have been taken, and each hub's a little after another's.
constexpr uint64_t pollGapUs = 25 * usPerMs;
constexpr uint32_t rowsTakenMs = 500;
constexpr uint32_t hubStepMs = 2500;
constexpr uint32_t hubSteps = 8;
}  // namespace

void Hub::begin(const Port& port, const Config& config) {
  config_ = &config;
  uint8_t start[3];
  port.random(port.context, start, sizeof start);
  // Poll numbers of an earlier life must not match.
  number_ = static_cast<uint16_t>(start[0] | start[1] << 8);
  offsetMs_ = rowsTakenMs + hubStepMs * (start[2] % hubSteps);
  for (size_t i = 0; i < capacity_; i++) members_[i] = Member{};
}

Member* Hub::find(uint16_t shortId) {
  for (Member& member : *this) {
    if (member.shortId == shortId && shortId != shortIdNone) return &member;
  }
  return nullptr;
}

Member* Hub::admit(uint16_t shortId) {
  Member* place = members_;
  for (Member& member : *this) {
    if (place->shortId == shortIdNone) break;
    if (member.shortId == shortIdNone || member.heardUs < place->heardUs) place = &member;
  }
  // A full hub lets go of the member that was silent longest; it pushes by itself and comes back.
  forget(place->shortId);
  *place = Member{};
  place->shortId = shortId;
  return place;
}

void Hub::heard(uint16_t shortId, uint8_t hops, uint16_t branch, bool isAnswer, uint16_t poll, bool more, uint64_t nowUs) {
  Member* member = find(shortId);
  if (member == nullptr) member = admit(shortId);
  member->heardUs = nowUs;
  member->hops = hops;
  member->branch = branch;
  member->misses = 0;
  member->skips = 0;
  if (!isAnswer || poll != 0) member->sleeps = false;
  if (isAnswer) answered(*member, poll, nowUs);
  if (more && !member->sleeps && member->again < repeatsMax) {
    member->again++;
    member->pending = true;
  }
}

void Hub::answered(Member& member, uint16_t poll, uint64_t nowUs) {
  for (Outstanding& each : outstanding_) {
    if (each.shortId == shortIdNone || each.poll != poll) continue;
    member.pending = false;
    const bool isTarget = each.shortId == member.shortId;
    // What reached the target passed everybody before it.
    confirm(poll, isTarget ? shortIdNone : member.shortId);
    if (!isTarget) return;
    member.timer.answered(nowUs - each.sentUs);
    each = Outstanding{};
    return;
  }
  confirm(poll, member.shortId);
}

bool Hub::awaits() const {
  for (const Outstanding& each : outstanding_) {
    if (each.shortId != shortIdNone) return true;
  }
  return false;
}

bool Hub::isUnderWay(uint16_t poll) const {
  for (const Outstanding& each : outstanding_) {
    if (each.shortId != shortIdNone && each.poll == poll) return true;
  }
  return false;
}

void Hub::forget(uint16_t shortId) {
  for (Outstanding& each : outstanding_) {
    if (each.shortId == shortId) each = Outstanding{};
  }
}

// The poll reached its target, or at least the member `onlyTo`.
void Hub::confirm(uint16_t poll, uint16_t onlyTo) {
  if (poll == 0) return;
  for (Member& member : *this) {
    if (member.inPoll != poll || (onlyTo != shortIdNone && member.shortId != onlyTo)) continue;
    member.owed = false;
    member.heldLength = 0;
    member.inPoll = 0;
  }
}

void Hub::left(uint16_t shortId) {
  Member* member = find(shortId);
  if (member == nullptr) return;
  forget(shortId);
  *member = Member{};
}

// Something new is to go to a member: what an earlier poll carried is not all of it any more.
void Hub::waits(Member& member, uint64_t nowUs) {
  if (!member.owed && member.heldLength == 0) member.waitsUs = nowUs;
  member.inPoll = 0;
}

bool Hub::hold(uint16_t shortId, const uint8_t* packet, size_t length, uint64_t nowUs) {
  Member* member = find(shortId);
  if (member == nullptr || length > heldBytesMax) return false;
  waits(*member, nowUs);
  memcpy(member->held, packet, length);
  member->heldLength = static_cast<uint8_t>(length);
  return true;
}

void Hub::owe(uint16_t target, const CustodyEntry& entry, uint64_t nowUs) {
  Member* member = find(target);
  if (member != nullptr) {
    waits(*member, nowUs);
    member->owed = true;
    member->owedSession = entry.session;
    member->owedCounter = entry.counter;
    return;
  }
  if (!isHub(target)) return;
  Debt* place = &debts_[0];
  for (Debt& debt : debts_) {
    if (debt.target == shortIdNone) {
      place = &debt;
      break;
    }
    // The oldest debt is forgotten when there are too many: its packet comes again and is confirmed then.
    if (debt.dueUs < place->dueUs) place = &debt;
  }
  *place = Debt{target, entry, nowUs + debtUs};
}

void Hub::tick(uint64_t nowUs, const NetworkClock& clock, Downward& downward) {
  if (nowUs >= roundUs_) beginRound(nowUs, clock);
  for (Outstanding& each : outstanding_) {
    if (each.shortId == shortIdNone || nowUs < each.deadlineUs) continue;
    Member* member = find(each.shortId);
    each = Outstanding{};
    if (member != nullptr) missed(*member);
  }
  pollGroup(nowUs, downward);
  payDebts(nowUs, downward);
  payMembers(nowUs, downward);
}

void Hub::beginRound(uint64_t nowUs, const NetworkClock& clock) {
  const uint64_t cycle = cycleUs();
  const uint64_t offsetUs = offsetMs_ * usPerMs % cycle;
  const uint64_t phaseUs = clock.valid() ? (clock.utcUs(nowUs) + cycle - offsetUs) % cycle : 0;
  roundUs_ = nowUs + cycle - phaseUs;
  for (Member& member : *this) {
    if (member.shortId == shortIdNone) continue;
    member.again = 0;
    member.pending = member.skips == 0 && !member.sleeps;
    if (member.skips > 0) member.skips--;
  }
}

// Who has been asked least in this round, and of those the deepest: the sweep to it serves the others on its way. `branch`: of those that are
// reached through this neighbour, 0 any.
Member* Hub::next(uint16_t branch) {
  Member* best = nullptr;
  for (Member& member : *this) {
    if (member.shortId == shortIdNone || !member.pending || (branch != 0 && member.branch != branch)) continue;
    const bool better = best == nullptr || (member.again != best->again ? member.again < best->again : member.hops > best->hops);
    if (better) best = &member;
  }
  return best;
}

// Begins a group with the deepest, and goes on with others behind the same neighbour.
void Hub::pollGroup(uint64_t nowUs, Downward& downward) {
  if (!awaits()) groupSent_ = 0;
  if (groupSent_ == groupMax || nowUs < pollUs_) return;
  Member* target = next(groupSent_ == 0 ? shortIdNone : branch_);
  if (target == nullptr) return;
  if (groupSent_ == 0) {
    branch_ = target->branch;
    depth_ = target->hops;
  }
  // Two polls too close to each other meet again two hops further on, where neither sender hears the other.
  if (poll(*target, depth_, nowUs, downward)) {
    groupSent_++;
    pollUs_ = nowUs + pollGapUs;
  }
}

// False: nobody could be asked, or no answer is to be awaited.
bool Hub::poll(Member& member, uint8_t depth, uint64_t nowUs, Downward& downward) {
  member.pending = false;
  number_ = nextNumber();
  uint16_t path[hopsMax];
  const size_t hops = downward.pathTo(member.shortId, path);
  if (hops == 0) {
    missed(member);
    return false;
  }
  uint8_t sections[bodyBytesMax];
  // The poll comes last: whoever answers it knows by then what has arrived.
  Writer writer(sections, routedRoom(hops) - pollSectionBytes);
  writeOwed(writer, path, hops);
  writeHeld(writer, path, hops);
  writeForLeaves(writer, path, hops);
  Writer whole(sections, routedRoom(hops));
  whole.rewind(writer.length());
  // By now it may be deeper than when it was heard last.
  const uint8_t deepest = static_cast<uint8_t>(hops > depth ? hops : depth);
  const PollSection section{number_, 1, hops > 1, deepest};
  if (!writePoll(whole, section) || !downward.sendRouted(member.shortId, sections, whole.length())) {
    missed(member);
    return false;
  }
  // Those on the way answer too: they need no poll of their own, unless their answers stay away.
  for (size_t i = 0; i + 1 < hops; i++) {
    Member* swept = find(path[i]);
    if (swept != nullptr && swept->again == 0) swept->pending = false;
  }
  for (Outstanding& place : outstanding_) {
    if (place.shortId != shortIdNone) continue;
    place = Outstanding{member.shortId, number_, nowUs, nowUs + member.timer.waitUs(deepest)};
    break;
  }
  return true;
}

// Custody of packets of everybody on the path: they answer this poll.
void Hub::writeOwed(Writer& writer, const uint16_t* path, size_t hops) {
  CustodyEntry entries[custodyEntriesMax];
  size_t count = 0;
  for (size_t i = hops; i > 0; i--) {
    if (count == custodyEntriesMax) {
      writeCustody(writer, entries, count);
      count = 0;
    }
    Member* member = find(path[i - 1]);
    if (member == nullptr || isUnderWay(member->inPoll)) continue;
    if (member->owed) entries[count++] = CustodyEntry{member->shortId, member->owedSession, member->owedCounter};
    if (member->owed && member->heldLength == 0) member->inPoll = number_;
  }
  if (count > 0) writeCustody(writer, entries, count);
}

// What is held for anybody on the path, as far as there is room: what has waited longest first.
void Hub::writeHeld(Writer& writer, const uint16_t* path, size_t hops) {
  for (;;) {
    Member* oldest = nullptr;
    for (size_t i = 0; i < hops; i++) {
      Member* member = find(path[i]);
      if (member == nullptr || member->heldLength == 0 || member->inPoll == number_ || isUnderWay(member->inPoll)) continue;
      if (forSectionBytes(member->heldLength) > writer.room()) continue;
      if (oldest == nullptr || member->waitsUs < oldest->waitsUs) oldest = member;
    }
    if (oldest == nullptr || !writePacketFor(writer, oldest->shortId, oldest->held, oldest->heldLength)) return;
    oldest->inPoll = number_;
  }
}

// After the second miss a member is left out of 1, 2, 4, ... rounds; a push of its own ends that.
void Hub::missed(Member& member) {
  if (member.misses < missesGone) member.misses++;
  if (member.misses >= missesGone) {
    member = Member{};
  } else if (member.misses >= 2) {
    const uint8_t doublings = static_cast<uint8_t>(member.misses - 2 < skipDoublingsMax ? member.misses - 2 : skipDoublingsMax);
    member.skips = static_cast<uint8_t>(1u << doublings);
  }
}

void Hub::payDebts(uint64_t nowUs, Downward& downward) {
  for (Debt& first : debts_) {
    if (first.target == shortIdNone || nowUs < first.dueUs) continue;
    const uint16_t target = first.target;
    uint8_t sections[sectionHeaderBytes + custodyEntriesMax * custodyEntryBytes];
    Writer writer(sections, sizeof sections);
    writeDebts(target, writer);
    // Not sent for want of a route or room: the packets come again.
    downward.sendRouted(target, sections, writer.length());
  }
}

// What no poll had room for goes out by itself before the member would do something about its absence, with what waits for others on its way.
void Hub::payMembers(uint64_t nowUs, Downward& downward) {
  Member* deepest = nullptr;
  for (Member& member : *this) {
    if (nowUs < payUs(member)) continue;
    if (deepest == nullptr || member.hops > deepest->hops) deepest = &member;
  }
  if (deepest == nullptr) return;
  number_ = nextNumber();
  uint16_t path[hopsMax];
  const size_t hops = downward.pathTo(deepest->shortId, path);
  uint8_t sections[bodyBytesMax];
  Writer writer(sections, hops > 0 ? routedRoom(hops) : 0);
  deepest->inPoll = 0;
  writeOwed(writer, path, hops);
  writeHeld(writer, path, hops);
  writeForLeaves(writer, path, hops);
  // A leaf's parent keeps it until the leaf wakes.
  const uint16_t target = deepest->sleeps && hops > 1 ? path[hops - 2] : deepest->shortId;
  // Not sent for want of a route or room: it comes again.
  if (writer.length() > 0) downward.sendRouted(target, sections, writer.length());
  confirm(number_, shortIdNone);
  deepest->owed = false;
  deepest->heldLength = 0;
}

void Hub::writeDebts(uint16_t hub, Writer& writer) {
  CustodyEntry entries[custodyEntriesMax];
  size_t count = 0;
  for (Debt& debt : debts_) {
    const size_t bytes = sectionHeaderBytes + (count + 1) * custodyEntryBytes;
    if (debt.target != hub || count == custodyEntriesMax || bytes > writer.room()) continue;
    entries[count++] = debt.entry;
    debt = Debt{};
  }
  if (count > 0) writeCustody(writer, entries, count);
}

uint64_t Hub::nextUs() const {
  uint64_t next = roundUs_;
  const bool isGroupFull = groupSent_ == groupMax && awaits();
  for (const Outstanding& each : outstanding_) {
    if (each.shortId != shortIdNone && each.deadlineUs < next) next = each.deadlineUs;
  }
  for (const Debt& debt : debts_) {
    if (debt.target != shortIdNone && debt.dueUs < next) next = debt.dueUs;
  }
  for (const Member& member : *this) {
    if (member.shortId == shortIdNone) continue;
    const bool isNext = member.pending && !isGroupFull && (!awaits() || member.branch == branch_);
    if (isNext && pollUs_ < next) next = pollUs_;
    if (payUs(member) < next) next = payUs(member);
  }
  return next;
}

size_t Hub::members() const {
  size_t count = 0;
  for (const Member& member : *this) count += member.shortId != shortIdNone ? 1 : 0;
  return count;
}

}  // namespace wattmesh
