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

void Node::onChallenge(Neighbour& neighbour, const ReceivedFrame& frame) {
  Challenge challenge{};
  const Error error = decodeChallenge(frame.body, frame.length, challenge);
  if (error != Error::none) {
    drop(error);
    return;
  }
  Freshness& freshness = neighbour.freshness;
  if (!challenge.isAnswer) {
    freshness.challenged(challenge.nonce, now_);
    // Who asks was not here before, or counts anew: it is asked in return.
    if (!freshness.accept(frame.header.counter)) freshness.doubt(now_, 0);
    return;
  }
  if (!freshness.answered(challenge, frame.header.counter, now_)) {
    drop(Error::replay);
    return;
  }
  neighbour.heardUs = now_;
  // Its beacons were refused so far: it is asked for another.
  if (!rootedHere() && !position().attached) beaconSoon(pullUs, pullSpreadUs);
}

bool Node::pumpChallenge() {
  for (Neighbour& neighbour : neighbours_) {
    Freshness& freshness = neighbour.freshness;
    if (!neighbour.used || freshness.dueUs() > now_) continue;
    if (!keys_.hasKey()) {
      freshness.postponeAsk(never);
      freshness.postponeAnswer(never);
      continue;
    }
    const bool asks = freshness.asks(now_);
    TokenBucket& rate = asks ? asks_ : answers_;
    if (!rate.take(now_)) {
      const uint64_t laterUs = rate.nextUs() + jitter(spreadUs);
      asks ? freshness.postponeAsk(laterUs) : freshness.postponeAnswer(laterUs);
      continue;
    }
    uint8_t nonce[nonceBytes] = {};
    if (asks) port_.random(port_.context, nonce, sizeof nonce);
    const Challenge challenge =
        asks ? freshness.ask(nonce, link_.counter() + 1, now_) : freshness.answer(link_.counter(), now_);
    const size_t length = encodeChallenge(challenge, frame_ + linkHeaderBytes, bodyBytesMax);
    if (!transmit(FrameType::challenge, neighbour.mac, length)) {
      freshness.unreached(!asks, now_, busyUs);
      return false;
    }
    inFlight_ = asks ? InFlight::challenge : InFlight::answer;
    return true;
  }
  return false;
}

void Node::challengeSent(bool ok) {
  Neighbour* neighbour = ok ? nullptr : neighbours_.find(inFlightTo_);
  if (neighbour != nullptr) neighbour->freshness.unreached(inFlight_ == InFlight::answer, now_, busyUs + jitter(spreadUs));
}

}  // namespace wattmesh
