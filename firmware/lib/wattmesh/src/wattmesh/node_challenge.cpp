// Who is fresh: challenges to neighbours whose frames were refused, and answers to theirs (PROTOCOL.md, section 2.5).
#include <cstring>

#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
// A broadcast is refused by many at the same moment: they challenge its sender one after the other.
constexpr uint64_t spreadUs = 100 * usPerMs;
// How soon a neighbour that has become fresh is asked for what it has to say.
constexpr uint64_t pullUs = 10 * usPerMs;
constexpr uint64_t pullSpreadUs = 40 * usPerMs;
constexpr uint64_t busyUs = 20 * usPerMs;
}  // namespace

// A verified frame that may have been recorded: nothing of it is used, but that there may be somebody to ask.
void Node::refuse(Neighbour& neighbour, bool broadcast) {
  drop(neighbour.freshness.fresh() ? Error::replay : Error::notFresh);
  neighbour.freshness.doubt(now_, broadcast ? jitter(spreadUs) : 0);
}

void Node::onChallenge(const uint8_t from[macBytes], const ReceivedFrame& frame, int8_t rssi) {
  Challenge challenge{};
  const Error error = decodeChallenge(frame.body, frame.length, challenge);
  if (error != Error::none) {
    drop(error);
    return;
  }
  if (!challenge.isAnswer) {
    // Who asks was not here before, or counts anew: it is asked in return, and first, so that both are fresh after one exchange.
    Neighbour* neighbour = neighbours_.touch(from, rssi, Claim::asks, now_, position().parent);
    if (neighbour != nullptr && !neighbour->freshness.accept(frame.header.counter)) neighbour->freshness.doubt(now_, 0);
    onAsked(from, challenge.nonce);
    return;
  }
  Neighbour* neighbour = neighbours_.find(from);
  if (neighbour == nullptr || !neighbour->freshness.answered(challenge, frame.header.counter, now_)) {
    drop(Error::replay);
    return;
  }
  neighbours_.proved(*neighbour, rssi, now_, position().parent);
  // Its beacons were refused so far: it is asked for another.
  if (!rootedHere() && !position().attached) beaconSoon(pullUs, pullSpreadUs);
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
    Freshness& freshness = neighbour.freshness;
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
      freshness.unreached(now_, busyUs);
      return false;
    }
    inFlight_ = InFlight::challenge;
    return true;
  }
  return false;
}

void Node::challengeSent(bool ok) {
  Neighbour* neighbour = ok ? nullptr : neighbours_.find(inFlightTo_);
  if (neighbour != nullptr) neighbour->freshness.unreached(now_, busyUs + jitter(spreadUs));
}

}  // namespace wattmesh
