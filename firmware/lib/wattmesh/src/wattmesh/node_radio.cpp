// What goes to the radio next: small frames first, then beacons, then data.
#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
constexpr uint8_t attemptsMax = 30;
constexpr uint64_t retryStepUs = 20 * usPerMs;
constexpr uint64_t retryMaxUs = 5 * usPerS;
// A hub keeps what it has handed on, and says it again, until custody of it is confirmed.
constexpr uint64_t custodyRepeatUs = 25 * usPerS;
// After a data frame the next one waits until that has gone two hops further, where its sender would not be heard (CTP does the same).
constexpr uint64_t paceUs = 12 * usPerMs;
constexpr uint64_t paceSpreadUs = 12 * usPerMs;
// A parent whose link failed twice in a row is asked whether it is there, unless something got through before: data goes by others meanwhile,
// and might not try it again before the next round of polls.
constexpr uint64_t askParentAfterUs = 3 * usPerS;
constexpr size_t fullBodyBytes = 180;  // what is worth a frame without waiting for more
}  // namespace

void Node::pump() {
  if (inFlight_ != InFlight::none || leaf_.asleep()) return;
  if (pumpChallenge()) return;
  if (pumpControl()) return;
  if (pumpBeacon()) return;
  if (pumpFlood()) return;
  pumpData();
}

bool Node::transmit(FrameType type, const uint8_t to[macBytes], size_t bodyLength) {
  size_t length = 0;
  const Error error = link_.seal(type, to, frame_, bodyLength, length);
  if (error != Error::none) {
    drop(error);
    return false;
  }
  if (!port_.radioSend(port_.context, to, frame_, length)) return false;
  memcpy(inFlightTo_, to, macBytes);
  handedUs_ = now_;
  counters_.framesSent++;
  return true;
}

// What is for a neighbour whose link rests waits, but for a leaf, which is awake now. A call that is gone comes here when its answers are due.
ControlFrame* Node::dueControl() {
  for (ControlFrame* frame = control_.due(now_); frame != nullptr; frame = control_.due(now_)) {
    if (frame->attempts > 0 && isCall(*frame)) {
      askSilent(*frame);
      continue;
    }
    const Neighbour* to = neighbours_.find(frame->to);
    if (frame->once || to == nullptr || !to->rests(now_)) return frame;
    frame->dueUs = to->restUntilUs + jitter(retryStepUs);
  }
  return nullptr;
}

bool Node::pumpControl() {
  ControlFrame* frame = dueControl();
  if (frame == nullptr) return false;
  memcpy(frame_ + linkHeaderBytes, frame->bytes, frame->length);
  if (!transmit(frame->type, frame->to, frame->length)) {
    frame->dueUs = now_ + retryStepUs;
    return false;
  }
  frame->inFlight = true;
  inFlight_ = InFlight::control;
  return true;
}

bool Node::dataReady() const {
  size_t bytes = 0;
  for (const QueuedItem& slot : const_cast<Queue&>(queue_)) {
    if (slot.state != QueuedItem::State::waiting && !(slot.state == QueuedItem::State::handedOn && slot.dueUs <= now_)) continue;
    if (slot.dueUs <= now_) return true;
    if (slot.attempts == 0) bytes += slot.length;
  }
  return bytes >= fullBodyBytes;
}

bool Node::pumpData() {
  const Routing::NextHop hop = nextHop();
  if (rootedHere() || !hop.exists || now_ < dataUs_ || !dataReady()) return false;
  Writer body(frame_ + linkHeaderBytes, bodyBytesMax);
  body.u16(hop.cost);
  Item items[2] = {};
  size_t count = 0;
  // What is urgent first: not all may find room.
  for (unsigned pass = 0; pass < 2; pass++) {
    for (QueuedItem& slot : queue_) {
      if (slot.urgent != (pass == 0)) continue;
      const bool due = slot.dueUs <= now_;
      const bool repeat = slot.state == QueuedItem::State::handedOn && due;
      // What has not been tried yet may ride along before its time; what failed keeps its back-off.
      const bool first = slot.state == QueuedItem::State::waiting && (due || slot.attempts == 0);
      if (!repeat && !first) continue;
      // Before it has a short id a node sends nothing but its own handshake.
      if (!session_.joined() && !(slot.own && slot.uncustodied)) continue;
      if (!appendItem(body, slot, items[count % 2], count == 0 ? nullptr : &items[(count + 1) % 2])) continue;
      slot.state = QueuedItem::State::inFlight;
      count++;
    }
  }
  if (body.length() == dataHeaderBytes) return false;
  inFlight_ = InFlight::data;
  if (transmit(FrameType::data, hop.mac, body.length())) return true;
  dataSent(false);
  inFlight_ = InFlight::none;
  return false;
}

bool Node::appendItem(Writer& body, QueuedItem& slot, Item& item, const Item* before) {
  Reader reader(slot.bytes, slot.length);
  if (decodeItem(reader, item) != Error::none || item.hops == hopsMax) {
    // Twenty hops without arriving: the origin still holds the rows.
    slot.state = QueuedItem::State::empty;
    drop(Error::tooManyHops);
    return false;
  }
  item.route[item.hops] = session_.shortId();
  item.hops++;
  if (slot.own && !slot.uncustodied && owedPoll_ != 0) {
    item.isAnswer = true;
    item.poll = owedPoll_;
  }
  if (encodeItem(body, item, before)) return true;
  if (body.length() == dataHeaderBytes) {
    // It fits no frame any more, even alone.
    slot.state = QueuedItem::State::empty;
    drop(Error::oversize);
  }
  return false;
}

void Node::dataSent(bool ok) {
  // A leaf has its parent's ear for a moment only.
  if (config_.routes()) dataUs_ = now_ + paceUs + jitter(paceSpreadUs);
  for (QueuedItem& slot : queue_) {
    if (slot.state != QueuedItem::State::inFlight) continue;
    // Its session ended while it was in the air, and nothing but a handshake may go out before the next one.
    if (ok && slot.own && !slot.uncustodied) owedPoll_ = 0;
    const bool isStale = slot.own && !slot.uncustodied && !session_.joined();
    if (isStale) {
      slot.state = QueuedItem::State::empty;
    } else if (!ok) {
      retryLater(slot);
    } else if (config_.isHub() && !slot.uncustodied && !slot.own) {
      slot.state = QueuedItem::State::handedOn;
      slot.dueUs = now_ + custodyRepeatUs;
    } else {
      slot.state = QueuedItem::State::empty;
    }
  }
}

void Node::retryLater(QueuedItem& slot) {
  slot.state = QueuedItem::State::waiting;
  if (slot.attempts < 255) slot.attempts++;
  // A hub keeps what it took into custody; a relay or origin may let go, for the meter's log still holds the rows.
  if (slot.attempts >= attemptsMax && !(config_.isHub() && !slot.uncustodied && !slot.own)) {
    slot.state = QueuedItem::State::empty;
    drop(Error::noParent);
    return;
  }
  const uint64_t stepUs = retryStepUs * slot.attempts;
  const uint64_t waitUs = stepUs + jitter(stepUs);
  slot.dueUs = now_ + (waitUs < retryMaxUs ? waitUs : retryMaxUs);
}

void Node::judgeNeighbour(bool ok) {
  Neighbour* neighbour = neighbours_.find(inFlightTo_);
  if (neighbour == nullptr) return;
  neighbour->sent(ok, now_);
  if (sleeps() || !isParent(*neighbour)) return;
  if (ok) {
    askParentUs_ = never;
  } else if (askParentUs_ == never && neighbour->failures > 1) {
    askParentUs_ = now_ + askParentAfterUs;
  }
}

}  // namespace wattmesh
