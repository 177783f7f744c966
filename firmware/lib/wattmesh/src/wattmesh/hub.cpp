#include "wattmesh/hub.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/item.hpp"

namespace wattmesh {

namespace {
constexpr uint8_t repeatsMax = 3;
constexpr uint8_t missesGone = 64;
constexpr uint8_t skipDoublingsMax = 4;
// A round begins when the rows of the boundary have been taken, and each hub's a little after another's.
constexpr uint64_t pollGapUs = 60 * usPerMs;
constexpr uint32_t rowsTakenMs = 500;
constexpr uint32_t hubStepMs = 1200;
constexpr uint32_t hubSteps = 8;
// And so much of a step apart: two of the same one that do not hear each other would disturb each other at whom both reach.
constexpr uint32_t hubFineMs = 60;
// So often all polls of a round have room for the time, and in the first rounds.
constexpr uint64_t timePeriodUs = 300 * usPerS;
constexpr uint8_t firstRounds = 8;
}  // namespace

void Hub::begin(const Port& port, const Config& config) {
  config_ = &config;
  uint8_t start[3];
  port.random(port.context, start, sizeof start);
  // Poll numbers of an earlier life must not match.
  number_ = static_cast<uint16_t>(start[0] | start[1] << 8);
  offsetMs_ = rowsTakenMs + hubStepMs * (start[2] % hubSteps) + hubFineMs * (start[2] / hubSteps);
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
  if (isAnswer && poll != 0) answered(*member, poll, nowUs);
  if (more && !member->sleeps && member->again < repeatsMax) {
    member->again++;
    member->pending = true;
  }
}

void Hub::answered(Member& member, uint16_t poll, uint64_t nowUs) {
  if (member.inPoll == poll) {
    member.owed = false;
    member.length = 0;
    member.inPoll = 0;
  }
  if (member.asked != poll) return;
  member.asked = 0;
  const Outstanding* outstanding = underWay(poll);
  if (outstanding != nullptr) member.timer.answered(nowUs - outstanding->sentUs);
  close(poll);
}

bool Hub::awaits() const {
  for (const Outstanding& each : outstanding_) {
    if (each.poll != 0) return true;
  }
  return false;
}

Hub::Outstanding* Hub::underWay(uint16_t poll) {
  for (Outstanding& each : outstanding_) {
    if (each.poll == poll && poll != 0) return &each;
  }
  return nullptr;
}

// Nothing more is awaited of a poll that all have answered.
void Hub::close(uint16_t poll) {
  for (const Member& member : *this) {
    if (member.asked == poll) return;
  }
  Outstanding* outstanding = underWay(poll);
  if (outstanding != nullptr) *outstanding = Outstanding{};
}

void Hub::expire(uint64_t nowUs) {
  for (Outstanding& each : outstanding_) {
    if (each.poll == 0 || nowUs < each.deadlineUs) continue;
    for (Member& member : *this) {
      if (member.asked == each.poll) missed(member);
    }
    each = Outstanding{};
  }
}

void Hub::left(uint16_t shortId) {
  Member* member = find(shortId);
  if (member == nullptr) return;
  const uint16_t poll = member->asked;
  *member = Member{};
  if (poll != 0) close(poll);
}

// Something new is to go to a member: what an earlier poll carried is not all of it any more.
void Hub::waits(Member& member, uint64_t nowUs) {
  // What a new member waits for, it has been waiting for at the hub before.
  const bool isNew = member.waitsUs == 0;
  if (!member.owed && !member.holds()) member.waitsUs = !isNew ? nowUs : nowUs > cycleUs() ? nowUs - cycleUs() : RoughTime::stepUs;
  member.inPoll = 0;
}

bool Hub::hold(uint16_t shortId, const uint8_t* packet, size_t length, uint64_t nowUs) {
  Member* member = find(shortId);
  if (member == nullptr || length > heldBytesMax) return false;
  waits(*member, nowUs);
  // It takes the place of what is held already.
  member->length = 0;
  uint8_t* room = held_.room(length);
  if (room == nullptr) return false;
  memcpy(room, packet, length);
  held_.keep(*member, length);
  heldUs_ = nowUs;
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
  if (isHub(target)) addDebt(Debt{entry, target, false, 0}, nowUs);
}

void Hub::tick(uint64_t nowUs, const NetworkClock& clock, Downward& downward) {
  if (nowUs >= roundUs_) beginRound(nowUs, clock);
  expire(nowUs);
  pollGroup(nowUs, downward);
  payDebts(nowUs, downward);
  payMembers(nowUs, downward);
}

void Hub::beginRound(uint64_t nowUs, const NetworkClock& clock) {
  const uint64_t cycle = cycleUs();
  const uint64_t offsetUs = offsetMs_ * usPerMs % cycle;
  const uint64_t phaseUs = clock.valid() ? (clock.utcUs(nowUs) + cycle - offsetUs) % cycle : 0;
  roundUs_ = nowUs + cycle - phaseUs;
  // The clock may have turned back a little since this moment was foreseen: it is not foreseen again.
  if (cycle - phaseUs < cycle / 8) roundUs_ += cycle;
  rounds_++;
  tellsTime_ = timeRounds_ < firstRounds || nowUs >= timeUs_;
  if (tellsTime_) timeUs_ = nowUs + timePeriodUs;
  if (timeRounds_ < firstRounds) timeRounds_++;
  for (Member& member : *this) {
    if (member.shortId == shortIdNone) continue;
    member.again = 0;
    member.pending = member.skips == 0 && !member.sleeps;
    if (member.skips > 0) member.skips--;
  }
}

// Who has been asked least in this round, and of those the deepest. `branch`: of those that are reached through this neighbour, 0 any.
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
  if (poll(*target, nowUs, downward)) {
    groupSent_++;
    pollUs_ = nowUs + pollGapUs;
  }
}

// Asked once more in this round; then, from the second miss on, a member is left out of 1, 2, 4, ... rounds. A push of its own ends that.
void Hub::missed(Member& member) {
  member.asked = 0;
  if (member.sleeps) return;
  member.pending = member.misses == 0 && member.again == 0;
  if (member.pending) {
    member.again = 1;
    return;
  }
  if (member.misses < missesGone) member.misses++;
  if (member.misses >= missesGone) {
    member = Member{};
  } else if (member.misses >= 2) {
    const uint8_t doublings = static_cast<uint8_t>(member.misses - 2 < skipDoublingsMax ? member.misses - 2 : skipDoublingsMax);
    member.skips = static_cast<uint8_t>(1u << doublings);
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
  // A leaf's parent keeps it until the leaf wakes.
  const size_t reach = deepest->sleeps && hops > 1 ? hops - 1 : hops;
  const uint16_t target = hops > 0 ? path[reach - 1] : deepest->shortId;
  if (deepest->sleeps) writeFor(deepest->shortId, writer);
  writeOwed(writer, path, reach);
  writeHeld(writer, path, reach);
  writeForLeaves(writer, path, reach);
  // Not sent for want of a route or room: it comes again.
  if (writer.length() > 0) downward.sendRouted(target, sections, writer.length());
  for (Member& member : *this) {
    if (member.inPoll != number_ && &member != deepest) continue;
    member.owed = false;
    member.length = 0;
    member.inPoll = 0;
  }
}

uint64_t Hub::nextUs() const {
  uint64_t next = roundUs_;
  const bool isGroupFull = groupSent_ == groupMax && awaits();
  for (const Outstanding& each : outstanding_) {
    if (each.poll != 0 && each.deadlineUs < next) next = each.deadlineUs;
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
