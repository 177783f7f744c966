// A battery leaf's own side: reports when it wakes, and sleep in between (PROTOCOL.md, section 2.11).
#include <cstring>

#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
// Who has lost the same parent wakes and asks at another moment.
constexpr uint64_t pullSpreadUs = 50 * usPerMs;
// After joining: all nodes of a network may have got their power at once.
constexpr uint64_t firstReportSpreadUs = 2 * usPerS;
// An M2 takes its time from the head-end.
constexpr uint64_t answerM2Us = 5 * usPerS;
constexpr uint64_t retryMinUs = usPerS;
}  // namespace

// A flood comes at any time: who takes part listens.
bool Node::sleeps() const { return meter_ != nullptr && !config_.routes() && !floods(); }

void Node::settleLeaf() {
  if (!sleeps()) {
    if (leaf_.asleep()) leaf_.wake(now_);
    return;
  }
  const bool settled = session_.joined() && position().attached;
  if (leaf_.asleep()) {
    if (now_ < leaf_.wakeUs() && !eventDue()) return;
    leaf_.wake(now_);
    if (settled) {
      leaf_.report(now_);
    } else {
      leaf_.search(now_);
    }
  }
  if (!position().attached && leaf_.takePull(now_)) beaconSoon(0, pullSpreadUs);
  if (leaf_.settle(settled, now_)) leaf_.report(now_ + (leaf_.everAnswered() ? 0 : jitter(firstReportSpreadUs)));
  if (settled) settleExchange();
  if (mayRest()) rest();
}

void Node::settleExchange() {
  if (leaf_.unheard(now_) && leaf_.unanswered(now_) == Leaf::Verdict::otherParent) leafUnanswered();
  const bool more = leaf_.free() && leaf_.takeMore() && meter_->handedOn();
  if (leaf_.free() && (more || commands_.urgent() || eventDue())) leaf_.report(now_);
  if (!leaf_.reportDue(now_) || !position().attached || queue_.holdsOwn()) return;
  report(true, 0, 0);
  leaf_.reporting(meter_->moreRows());
}

// Another parent, found at once or by asking for beacons.
void Node::leafUnanswered() {
  if (!leaf_.nextParent()) return;
  routing_.shun(neighbours_, now_);
  settleRoute();
  if (position().attached) {
    leaf_.report(now_);
  } else {
    leaf_.search(now_);
  }
}

void Node::leafSent(bool ok) {
  if (leaf_.exchange() != Leaf::Exchange::sending) return;
  // Its rows go with the next report, which is another packet.
  if (!ok) queue_.dropOwn();
  if (leaf_.sent(ok, now_) == Leaf::Verdict::otherParent) leafUnanswered();
}

// A leaf stays with its parent, which alone can answer it, and judges by the answers when to leave it.
Routing::NextHop Node::nextHop() const {
  if (config_.routes()) return routing_.hop();
  Routing::NextHop hop;
  hop.exists = position().attached;
  memcpy(hop.mac, position().parent, macBytes);
  return hop;
}

// The parent's answer: where it stands, the time at which our frame came, and when to wake.
void Node::onWake(const WakeSection& wake) {
  Neighbour* parent = neighbours_.find(position().parent);
  if (!sleeps() || !position().attached || parent == nullptr || wake.beacon.shortId != position().parentShort) {
    drop(Error::noParent);
    return;
  }
  parent->learn(wake.beacon, now_);
  const uint64_t heardUs = leaf_.sentUs() != 0 ? leaf_.sentUs() : now_;
  leaf_.answered(wake.phase);
  if (!wake.beacon.timeValid) return;
  const uint64_t utcUs = wake.beacon.utcMs * usPerMs + wake.beacon.subMillisecond * 10u;
  scale_.sync(utcUs, scale_.ticks(heardUs), scale_.ticks(now_));
  // The whole difference at once: until the next answer nothing else is heard. The rate is in the scale.
  clock_ = NetworkClock{};
  clock_.set(utcUs, heardUs, wake.beacon.timeAge);
}

bool Node::mayRest() const {
  if (inFlight_ != InFlight::none || control_.nextUs() != never || leaf_.searching(now_)) return false;
  if (session_.joined() && position().attached && leaf_.exchange() != Leaf::Exchange::none) return false;
  return !position().attached || !queue_.holdsOwn();
}

void Node::rest() {
  uint64_t untilUs = 0;
  if (session_.joined() && position().attached && clock_.valid()) {
    untilUs = leaf_.nextReportUs(now_, clock_.utcUs(now_), Leaf::cycleUs(config_));
    // The second step of a command that moves something is on its way.
    if (commands_.prepared(now_) && now_ + Leaf::preparedPauseUs < untilUs) untilUs = now_ + Leaf::preparedPauseUs;
  } else if (!session_.joined() && position().attached && session_.nextUs() != never) {
    untilUs = session_.nextUs() > now_ + retryMinUs ? session_.nextUs() : now_ + retryMinUs;
  } else {
    untilUs = now_ + leaf_.pause(Leaf::cycleUs(config_));
  }
  leaf_.sleep(untilUs);
}

// What may wake a sleeping leaf: its report, an event, and a row that is due, which the radio has no part in.
uint64_t Node::leafNextUs() const {
  const uint64_t listensUs = leafListensUs();
  return clock_.valid() && meter_->nextUs(now_, clock_) < listensUs ? meter_->nextUs(now_, clock_) : listensUs;
}

uint64_t Node::leafListensUs() const {
  return events_.nextUs() > now_ && events_.nextUs() < leaf_.wakeUs() ? events_.nextUs() : leaf_.wakeUs();
}

void Node::stayForM2() {
  if (!sleeps()) return;
  if (leaf_.asleep()) leaf_.wake(now_);
  leaf_.stay(now_ + answerM2Us);
}

}  // namespace wattmesh
