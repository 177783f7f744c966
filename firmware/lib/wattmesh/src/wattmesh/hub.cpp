#include "wattmesh/hub.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/item.hpp"

namespace wattmesh {

namespace {
constexpr uint64_t answerBaseUs = 300 * usPerMs;
constexpr uint64_t answerPerHopUs = 200 * usPerMs;
constexpr uint8_t repeatsMax = 3;
constexpr uint8_t missesSlow = 8;
constexpr uint8_t missesGone = 64;
constexpr uint64_t slowCycles = 8;
constexpr uint64_t debtToHubUs = 200 * usPerMs;
constexpr uint64_t debtToMemberUs = 2 * usPerS;
constexpr uint64_t firstPollUs = 500 * usPerMs;
}  // namespace

void Hub::begin(const Port& port, const Config& config) {
  config_ = &config;
  uint8_t start[2];
  port.random(port.context, start, sizeof start);
  // Poll numbers of an earlier life must not match.
  number_ = static_cast<uint16_t>(start[0] | start[1] << 8);
}

Hub::Member* Hub::find(uint16_t shortId) {
  for (Member& member : members_) {
    if (member.shortId == shortId && shortId != shortIdNone) return &member;
  }
  return nullptr;
}

Hub::Member* Hub::admit(uint16_t shortId, uint64_t nowUs) {
  Member* place = nullptr;
  for (Member& member : members_) {
    if (member.shortId == shortIdNone) place = &member;
    if (place == nullptr || (place->shortId != shortIdNone && member.heardUs < place->heardUs)) place = &member;
  }
  // A full hub lets go of the member that was silent longest; it pushes by itself and comes back.
  if (outstanding_ == place->shortId) outstanding_ = shortIdNone;
  *place = Member{};
  place->shortId = shortId;
  place->dueUs = nowUs + firstPollUs;
  return place;
}

void Hub::heard(uint16_t shortId, bool isAnswer, uint16_t poll, bool more, uint64_t nowUs) {
  Member* member = find(shortId);
  if (member == nullptr) member = admit(shortId, nowUs);
  member->heardUs = nowUs;
  if (member->misses >= missesSlow) member->dueUs = nowUs + firstPollUs;
  member->misses = 0;
  if (!isAnswer) return;
  settleDebts(poll, true);
  if (member->heldInPoll == poll && poll != 0) {
    member->heldLength = 0;
    member->heldInPoll = 0;
  }
  if (outstanding_ != shortId || poll != number_) return;
  outstanding_ = shortIdNone;
  if (more && member->again < repeatsMax) {
    member->again++;
    member->repeated = true;
    member->regularUs = member->dueUs - cycleUs();
    member->dueUs = nowUs;
  }
}

void Hub::left(uint16_t shortId) {
  Member* member = find(shortId);
  if (member == nullptr) return;
  if (outstanding_ == shortId) outstanding_ = shortIdNone;
  *member = Member{};
}

bool Hub::hold(uint16_t shortId, const uint8_t* packet, size_t length) {
  Member* member = find(shortId);
  if (member == nullptr || length > heldBytesMax) return false;
  memcpy(member->held, packet, length);
  member->heldLength = static_cast<uint8_t>(length);
  member->heldInPoll = 0;
  return true;
}

void Hub::owe(uint16_t target, const CustodyEntry& entry, uint64_t nowUs) {
  if (target == shortIdNone) return;
  Debt* place = &debts_[0];
  for (Debt& debt : debts_) {
    if (debt.target == shortIdNone) {
      place = &debt;
      break;
    }
    // The oldest debt is forgotten when there are too many: its packet comes again and is confirmed then.
    if (debt.dueUs < place->dueUs) place = &debt;
  }
  place->target = target;
  place->entry = entry;
  place->poll = 0;
  place->dueUs = nowUs + (isHub(target) ? debtToHubUs : debtToMemberUs);
}

void Hub::settleDebts(uint16_t poll, bool answered) {
  for (Debt& debt : debts_) {
    if (debt.target == shortIdNone || debt.poll != poll || poll == 0) continue;
    if (answered) debt.target = shortIdNone;
    debt.poll = 0;
  }
}

void Hub::tick(uint64_t nowUs, Downward& downward) {
  if (outstanding_ != shortIdNone && nowUs >= deadlineUs_) {
    Member* member = find(outstanding_);
    outstanding_ = shortIdNone;
    settleDebts(number_, false);
    if (member != nullptr) missed(*member, nowUs);
  }
  if (outstanding_ == shortIdNone) {
    for (size_t step = 0; step < membersMax; step++) {
      Member& member = members_[(turn_ + step) % membersMax];
      if (member.shortId == shortIdNone || nowUs < member.dueUs) continue;
      turn_ = (turn_ + step + 1) % membersMax;
      poll(member, nowUs, downward);
      break;
    }
  }
  payDebts(nowUs, downward);
}

void Hub::poll(Member& member, uint64_t nowUs, Downward& downward) {
  // In step with the cycle, unless a whole cycle went by.
  const uint64_t next = (member.repeated ? member.regularUs : member.dueUs) + cycleUs();
  if (!member.repeated) member.again = 0;
  member.repeated = false;
  member.dueUs = next > nowUs ? next : nowUs + cycleUs();
  number_ = static_cast<uint16_t>(number_ == 0xffff ? 1 : number_ + 1);
  uint8_t sections[bodyBytesMax];
  Writer writer(sections, sizeof sections);
  CustodyEntry entries[custodyEntriesMax];
  size_t count = 0;
  for (Debt& debt : debts_) {
    if (debt.target != member.shortId || count == custodyEntriesMax) continue;
    entries[count++] = debt.entry;
    debt.poll = number_;
  }
  const size_t hops = downward.hopsTo(member.shortId);
  bool fits = count == 0 || writeCustody(writer, entries, count);
  if (member.heldLength > 0 && writePacket(writer, 0, member.held, member.heldLength)) member.heldInPoll = number_;
  fits = writePoll(writer, number_, 1) && fits;
  if (!fits || hops == 0 || !downward.sendRouted(member.shortId, sections, writer.length())) {
    settleDebts(number_, false);
    missed(member, nowUs);
    return;
  }
  outstanding_ = member.shortId;
  deadlineUs_ = nowUs + answerBaseUs + answerPerHopUs * hops;
}

void Hub::missed(Member& member, uint64_t nowUs) {
  if (member.misses < missesGone) member.misses++;
  if (member.misses >= missesGone) {
    member = Member{};
  } else if (member.misses >= missesSlow) {
    member.dueUs = nowUs + slowCycles * cycleUs();
  }
}

void Hub::payDebts(uint64_t nowUs, Downward& downward) {
  for (Debt& first : debts_) {
    if (first.target == shortIdNone || first.poll != 0 || nowUs < first.dueUs) continue;
    const uint16_t target = first.target;
    CustodyEntry entries[custodyEntriesMax];
    size_t count = 0;
    for (Debt& debt : debts_) {
      if (debt.target != target || debt.poll != 0 || count == custodyEntriesMax) continue;
      entries[count++] = debt.entry;
      debt.target = shortIdNone;
    }
    uint8_t sections[sectionHeaderBytes + custodyEntriesMax * custodyEntryBytes];
    Writer writer(sections, sizeof sections);
    // Not sent for want of a route or room: the packets come again.
    if (writeCustody(writer, entries, count)) downward.sendRouted(target, sections, writer.length());
  }
}

uint64_t Hub::nextUs() const {
  uint64_t next = outstanding_ != shortIdNone ? deadlineUs_ : never;
  for (const Debt& debt : debts_) {
    if (debt.target != shortIdNone && debt.poll == 0 && debt.dueUs < next) next = debt.dueUs;
  }
  if (outstanding_ != shortIdNone) return next;
  for (const Member& member : members_) {
    if (member.shortId != shortIdNone && member.dueUs < next) next = member.dueUs;
  }
  return next;
}

size_t Hub::members() const {
  size_t count = 0;
  for (const Member& member : members_) count += member.shortId != shortIdNone ? 1 : 0;
  return count;
}

}  // namespace wattmesh
