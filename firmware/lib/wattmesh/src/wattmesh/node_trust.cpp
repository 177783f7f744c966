// Whether the parent leads anywhere, judged by what comes back from the head-end and never by what it tells (PROTOCOL.md, section 4.1): somebody
// with the network key can claim any cost, take every frame and hand on none.
#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
constexpr uint64_t patienceCycles = 3;
constexpr uint64_t patienceMinUs = 30 * usPerS;
}  // namespace

// True when something is to come back. A meter's rows ask for it; a hub owns none: it hears what it is to hold for its members, and when that
// stays away for half the time, and there is somebody else to try, it asks the head-end for a sign of life.
bool Node::awaitsAnswer(uint64_t patienceUs) {
  if (meter_ != nullptr) return meter_->waiting();
  const uint64_t heardUs = downUs_ > hub_->hub.heldUs() ? downUs_ : hub_->hub.heldUs();
  const bool isQuiet = hub_->hub.members() > 0 && now_ - heardUs >= patienceUs / 2 && routing_.hasOther(neighbours_, now_);
  if (isQuiet && !probing_) probeUs_ = now_;
  return isQuiet;
}

// The parent's silence is counted over all the times that it was the parent: who comes and goes is not judged anew each time.
void Node::settleTrust() {
  const uint64_t passedMs = (now_ - judgedUs_) / usPerMs;
  judgedUs_ += passedMs * usPerMs;
  const uint32_t mark = meter_ == nullptr ? 0 : meter_->delivery().cumulative();
  const bool isProven = mark != provenMark_;
  provenMark_ = mark;
  if (rootedHere() || floods() || !grounded() || !session_.joined()) return;
  Neighbour* parent = neighbours_.find(position().parent);
  if (parent == nullptr) return;
  const uint64_t cyclesUs = patienceCycles * config_.cycleS() * usPerS;
  const uint64_t patienceUs = cyclesUs > patienceMinUs ? cyclesUs : patienceMinUs;
  if (isProven || !awaitsAnswer(patienceUs)) {
    parent->silentMs = 0;
    return;
  }
  parent->silentMs += static_cast<uint32_t>(passedMs);
  // Where only a newer tree lets us leave it, which costs all a beacon, two cycles more: acknowledgements may have been lost.
  const uint64_t moreUs = routing_.mayChange(neighbours_, now_) ? 0 : patienceUs * 2 / patienceCycles;
  if (parent->silentMs * usPerMs < patienceUs + moreUs) return;
  parent->silentMs = 0;
  // What it was given goes another way now.
  if (routing_.distrust(neighbours_, patienceUs, now_) && meter_ != nullptr) meter_->delivery().rewind();
}

}  // namespace wattmesh
