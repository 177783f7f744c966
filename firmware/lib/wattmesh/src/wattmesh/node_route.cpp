// ROUTE frames on their way up: who hangs on whom now, who is out of reach, and who needs a newer tree (PROTOCOL.md, section 2.4).
#include <cstring>

#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
// Between two requests for a newer tree; doubled each time.
constexpr uint64_t askTreeUs = usPerS;
constexpr uint64_t askTreeMaxUs = 60 * usPerS;
// Without a parent, and without a child that still sends, for so long and for so many cycles, what was announced may be forgotten: nobody
// believes it any more.
constexpr uint64_t forgetTreeUs = 180 * usPerS;
constexpr uint64_t forgetTreeCycles = 3;
// Asked in vain for half a minute: a parent that leads nowhere is given up together with its tree.
constexpr uint64_t letGoWaitUs = 16 * usPerS;
// A request for the same tree was passed on so lately that the wave it asks for may still come.
constexpr uint64_t sameTreeUs = usPerS;
}  // namespace

void Node::sendRoute(const uint8_t mac[macBytes], RouteKind kind, uint16_t node, uint16_t other, uint16_t number, uint8_t hops) {
  uint8_t body[routeBytes];
  const size_t length = encodeRoute(Route{hops, kind, node, other, number}, body, sizeof body);
  if (length == 0 || !control_.push(FrameType::route, mac, body, length, now_)) drop(Error::queueFull);
}

// Hubs above learn at once whom they reach us by; without it they would ask the former parent until the next packet came.
void Node::tellParent() {
  if (!position().attached || position().hops == 0 || !session_.joined() || floods()) return;
  sendRoute(position().parent, RouteKind::parentChanged, session_.shortId(), position().parentShort, ++routeNumber_, 0);
}

bool Node::isAlone() {
  const uint64_t cyclesUs = forgetTreeCycles * config_.pollCycleS * usPerS;
  const uint64_t quietUs = cyclesUs > forgetTreeUs ? cyclesUs : forgetTreeUs;
  if (position().attached || now_ - parentUs_ < quietUs) return false;
  for (const Neighbour& neighbour : neighbours_) {
    if (neighbour.used && neighbour.dataUs != 0 && now_ - neighbour.dataUs < quietUs) return false;
  }
  return true;
}

void Node::settleStarving() {
  if (!routing_.starving()) {
    askTreeWaitUs_ = askTreeUs;
    return;
  }
  if (now_ < askTreeDueUs_) return;
  if (isAlone()) routing_.forgetTree(now_);
  if (askTreeWaitUs_ >= letGoWaitUs) routing_.letGo(neighbours_, now_);
  askTreeDueUs_ = now_ + askTreeWaitUs_ + jitter(askTreeWaitUs_ / 2);
  if (askTreeWaitUs_ < askTreeMaxUs) askTreeWaitUs_ *= 2;
  sendRoute(routing_.asksBy(), RouteKind::newTree, session_.shortId(), shortIdNone, routing_.wantedTree(), 0);
}

void Node::onRoute(const ReceivedFrame& frame) {
  Route route{};
  const Error error = decodeRoute(frame.body, frame.length, route);
  if (error != Error::none) {
    drop(error);
    return;
  }
  if (route.kind == RouteKind::newTree) {
    onTreeWanted(route);
    return;
  }
  if (hub_ != nullptr) {
    if (route.kind == RouteKind::parentChanged) hub_->routes.moved(route.node, route.other);
    if (route.kind == RouteKind::unreachable) hub_->routes.forget(route.other, route.node);
  }
  passRoute(route);
}

void Node::onTreeWanted(const Route& route) {
  if (routing_.hasTree(route.number)) {
    announceSoon();  // there is one already: only its news got lost
  } else if (rootedHere()) {
    // Each tree is a wave of beacons through the whole network: who asks again and again gets no more of them.
    if (!trees_.take(now_)) {
      drop(Error::queueFull);
    } else if (routing_.newTree(route.number)) {
      announceSoon();
    }
  } else if (route.number != treeAsked_ || now_ - treeAskedUs_ >= sameTreeUs) {
    treeAsked_ = route.number;
    treeAskedUs_ = now_;
    passRoute(route);
  }
}

void Node::passRoute(const Route& route) {
  if (rootedHere() || !routing_.hop().exists) return;
  if (route.hops + 1u >= hopsMax) {
    drop(Error::tooManyHops);
    return;
  }
  sendRoute(routing_.hop().mac, route.kind, route.node, route.other, route.number, static_cast<uint8_t>(route.hops + 1));
}

// A frame on its way down could not go on: those who route through here are told to look for another way.
void Node::tellUnreachable(uint16_t hop) {
  const Neighbour* neighbour = neighbours_.findShort(hop);
  // After a burst it is there again, and by the same way.
  if (neighbour != nullptr && neighbour->hasBeacon && !neighbour->troubled()) return;
  if (hop == shortIdNone || rootedHere() || !routing_.hop().exists || !session_.joined()) return;
  sendRoute(routing_.hop().mac, RouteKind::unreachable, session_.shortId(), hop, ++routeNumber_, 0);
}

}  // namespace wattmesh
