// What cannot wait for a poll: events, and the doubt whether the mesh tells the right time.
#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
// What a sealed time and ours may differ by before ours is wrong.
constexpr int64_t timeDoubtMs = 2000;
}  // namespace

uint64_t Node::raise(EventCode code, int16_t value, uint64_t nowUs) {
  now_ = scale_.local(nowUs);
  events_.raise(code, value, now_);
  settle();
  return nextUs();
}

bool Node::eventDue() const { return now_ >= events_.nextUs() && mayReport() && clock_.valid(); }

// A packet of its own: a short one is through sooner, and what else waits is no hurry. A leaf's go with its report.
void Node::settleEvents() {
  events_.tick(now_);
  if (sleeps() || !eventDue()) return;
  uint8_t plain[eventsMax * (sectionHeaderBytes + eventBytes)];
  uint8_t packet[packetBytesMax];
  Writer writer(plain, sizeof plain);
  events_.write(writer, clock_);
  Item item{};
  item.urgent = true;
  item.packet = packet;
  uint32_t counter = 0;
  item.packetLength = session_.seal(plain, writer.length(), packet, counter);
  events_.told(item.packetLength > 0 && enqueueReport(item) != nullptr, now_);
}

// The head-end's time, which nobody on the way can forge, as a bound: it may have waited for long, but is never ahead; and rows were measured
// before they were acknowledged.
void Node::judgeTime(const AckSection& ack) {
  if (!clock_.valid() || ack.utcMs == 0) return;
  int64_t aheadMs = static_cast<int64_t>(clock_.utcUs(now_) / usPerMs - ack.utcMs);
  if (aheadMs >= -timeDoubtMs) {
    aheadMs = static_cast<int64_t>(meter_->measuredMs(ack.logId, ack.cumulative) - ack.utcMs);
    if (aheadMs < 0) aheadMs = 0;
  }
  const bool isWrong = aheadMs < -timeDoubtMs || aheadMs > timeDoubtMs;
  if (isWrong && !timeDoubted_) {
    const int64_t aheadS = aheadMs / 1000;
    events_.raise(EventCode::clockWrong, static_cast<int16_t>(aheadS > INT16_MAX ? INT16_MAX : aheadS < INT16_MIN ? INT16_MIN : aheadS), now_);
  }
  timeDoubted_ = isWrong;
}

}  // namespace wattmesh
