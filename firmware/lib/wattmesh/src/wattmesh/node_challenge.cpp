// Who is fresh: challenges to neighbours whose frames were refused, and answers to theirs (PROTOCOL.md, section 2.5).
#include <cstring>

#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
// A broadcast is refused by many at the same moment: they challenge its sender one after the other.
constexpr uint64_t spreadUs = 100 * usPerMs;
// How soon a neighbour that has become fresh is asked for what it has to say.
constexpr uint64_t pullUs = 10 * usPerMs;
constexpr uint64_t pullBeaconSpreadUs = 40 * usPerMs;
constexpr uint64_t radioBusyUs = 20 * usPerMs;
// What a new parent has to ask of us it asks within this time.
constexpr uint64_t newParentUs = 5 * usPerS;
}  // namespace

// A frame whose MAC is right: it was made by somebody with the key, but perhaps long ago.
void Node::onVerified(const uint8_t from[macBytes], bool broadcast, const ReceivedFrame& frame, int8_t rssi) {
  if (frame.header.type == FrameType::join) {
    onJoin(from, broadcast, frame, rssi);
    return;
  }
  if (frame.header.type == FrameType::challenge) {
    onChallenge(from, frame, rssi);
    return;
  }
  Neighbour* neighbour = neighbours_.find(from);
  if (neighbour == nullptr || !neighbour->accept(frame.header.counter)) {
    refuse(from, broadcast, frame, rssi);
    return;
  }
  neighbour->heardUs = now_;
  neighbour->rssi = rssi;
  if (!broadcast) neighbour->servedUs = now_;
  onFrame(*neighbour, broadcast, frame, rssi);
}

void Node::onFrame(Neighbour& neighbour, bool broadcast, const ReceivedFrame& frame, int8_t rssi) {
  switch (frame.header.type) {
    case FrameType::beacon:
      onBeacon(neighbour, frame);
      break;
    case FrameType::data:
      onData(neighbour, frame);
      break;
    case FrameType::routed:
      onRouted(neighbour, broadcast, frame);
      break;
    case FrameType::route:
      onRoute(frame);
      break;
    case FrameType::flood:
      onFlood(frame, rssi);
      break;
    default:
      drop(Error::unknownType);
  }
}

// A verified frame that may have been recorded: nothing of it is used, but that there may be somebody to ask.
void Node::refuse(const uint8_t from[macBytes], bool broadcast, const ReceivedFrame& frame, int8_t rssi) {
  Neighbour* neighbour = neighbours_.find(from);
  if (neighbour != nullptr && neighbour->fresh()) {
    drop(Error::replay);
    neighbour->doubt(now_, broadcast ? jitter(spreadUs) : 0);
    return;
  }
  drop(Error::notFresh);
  if (!broadcast) {
    meet(from, rssi, Claim::handsOver, 0);
  } else if (frame.header.type == FrameType::beacon) {
    onClaim(from, frame, rssi);
  } else if (frame.header.type == FrameType::flood) {
    meet(from, rssi, Claim::floods, spreadUs);
  }
}

// A stranger is challenged, if there is a place for it.
void Node::meet(const uint8_t from[macBytes], int8_t rssi, Claim claim, uint64_t spreadUs) {
  Neighbour* neighbour = neighbours_.touch(from, rssi, claim, now_, position().parent);
  if (neighbour == nullptr) {
    drop(Error::queueFull);
  } else {
    neighbour->doubt(now_, spreadUs == 0 ? 0 : jitter(spreadUs));
  }
}

// A stranger beacons. Whoever looks for a parent gets a beacon of ours, but not often; and who would make a better one than those that we know
// is challenged.
void Node::onClaim(const uint8_t from[macBytes], const ReceivedFrame& frame, int8_t rssi) {
  Beacon beacon{};
  const Error error = decodeBeacon(frame.body, frame.length, beacon);
  if (error != Error::none) {
    drop(error);
    return;
  }
  if (beacon.pull && grounded() && session_.joined() && config_.routes() && solicited_.take(now_)) announceSoon();
  const uint32_t guessed = Neighbours::guess(beacon.cost, rssi);
  if (rootedHere() || !leads(beacon) || !neighbours_.wants(guessed, now_)) return;
  if (grounded()) {
    const bool muchBetter = guessed + Routing::switchCost < position().cost;
    const bool settled = !muchBetter && neighbours_.spares(now_, position().parent) >= Neighbours::sparesMin;
    if (!curiosity_.take(settled, now_)) return;
  }
  meet(from, rssi, Claim::leads, spreadUs);
  Neighbour* neighbour = neighbours_.find(from);
  if (neighbour != nullptr) neighbour->claimedCost = beacon.cost;
}

void Node::onChallenge(const uint8_t from[macBytes], const ReceivedFrame& frame, int8_t rssi) {
  Challenge challenge{};
  const Error error = decodeChallenge(frame.body, frame.length, challenge);
  if (error != Error::none) {
    drop(error);
    return;
  }
  if (!challenge.isAnswer) {
    // Who asks was not here before, or counts anew: where there is room it is asked in return, and first, so that both are fresh after one
    // exchange.
    Neighbour* neighbour = neighbours_.touch(from, rssi, Claim::asks, now_, position().parent);
    if (neighbour == nullptr && neighbours_.full(now_, position().parent)) {
      drop(Error::queueFull);
      return;
    }
    const bool isFresh = neighbour != nullptr && neighbour->accept(frame.header.counter);
    if (neighbour != nullptr && !isFresh) neighbour->doubt(now_, 0);
    onAsked(from, challenge.nonce);
    if (isFresh) repeatToParent(*neighbour);
    return;
  }
  Neighbour* neighbour = neighbours_.find(from);
  if (neighbour == nullptr || !neighbour->answered(challenge, frame.header.counter, now_)) {
    drop(Error::replay);
    return;
  }
  neighbours_.proved(*neighbour, rssi, now_, position().parent);
  // Its beacons were refused so far: it is asked for another.
  if (!rootedHere() && !grounded()) beaconSoon(pullUs, pullBeaconSpreadUs);
}

// A parent that we have just taken asks whether we are there: what it got from us so far was refused.
void Node::repeatToParent(const Neighbour& asks) {
  if (!position().attached || memcmp(asks.mac, position().parent, macBytes) != 0 || now_ - parentUs_ > newParentUs) return;
  tellParent();
  if (meter_ != nullptr) meter_->delivery().rewind();
}

// Whoever asks is answered: that takes no place in the table.
void Node::onAsked(const uint8_t from[macBytes], const uint8_t nonce[nonceBytes]) {
  Challenge answer{};
  answer.isAnswer = true;
  answer.counter = link_.counter();
  memcpy(answer.nonce, nonce, nonceBytes);
  uint8_t body[challengeBytesMax];
  const size_t length = encodeChallenge(answer, body, sizeof body);
  if (control_.waits(FrameType::challenge, from) || !answers_.take(now_)) return;
  if (!control_.push(FrameType::challenge, from, body, length, now_)) drop(Error::queueFull);
}

bool Node::pumpChallenge() {
  for (Neighbour& neighbour : neighbours_) {
    Freshness& freshness = neighbour;
    if (!neighbour.used || freshness.askUs() > now_) continue;
    if (!keys_.hasKey()) {
      freshness.postpone(never);
      continue;
    }
    if (!asks_.take(now_)) {
      freshness.postpone(asks_.nextUs() + jitter(spreadUs));
      continue;
    }
    uint8_t nonce[nonceBytes];
    port_.random(port_.context, nonce, sizeof nonce);
    const Challenge challenge = freshness.ask(nonce, link_.counter() + 1, now_);
    const size_t length = encodeChallenge(challenge, frame_ + linkHeaderBytes, bodyBytesMax);
    if (!transmit(FrameType::challenge, neighbour.mac, length)) {
      freshness.unreached(now_, radioBusyUs);
      return false;
    }
    inFlight_ = InFlight::challenge;
    return true;
  }
  return false;
}

// A parent whose link failed and was not tried again is asked whether it is there.
void Node::settleParent() {
  if (now_ < askParentUs_) return;
  askParentUs_ = never;
  Neighbour* parent = position().attached && !rootedHere() ? neighbours_.find(position().parent) : nullptr;
  if (parent != nullptr && parent->failures > 0) parent->doubt(now_, 0);
}

void Node::challengeSent(bool ok) {
  judgeNeighbour(ok);
  Neighbour* neighbour = ok ? nullptr : neighbours_.find(inFlightTo_);
  if (neighbour == nullptr) return;
  // Once may be chance, and whoever is new has hurry.
  const bool isBurst = neighbour->failures > 1 && neighbour->rests(now_);
  const uint64_t waitUs = isBurst ? neighbour->restUntilUs - now_ : radioBusyUs;
  neighbour->unreached(now_, waitUs + jitter(spreadUs));
}

}  // namespace wattmesh
