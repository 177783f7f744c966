// The gateway's host side, as far as it concerns the whole node.
#include <cstring>

#include "wattmesh/node.hpp"

namespace wattmesh {

void Node::hostTime(uint64_t utcMs) {
  const uint64_t utcUs = utcMs * usPerMs;
  const bool isNew = clock_.set(utcUs, now_);
  if (isNew) tables_->hostTime = EarliestTime{};
  EarliestTime& best = tables_->hostTime;
  const bool stepped = best.add(utcUs, now_, clock_) && clock_.sample(TimeReference{best.utcUs(), best.utcUs(), 0}, best.atUs(), now_);
  if (isNew || stepped) announceSoon();
}

Error Node::hostDown(const uint8_t* packet, size_t length, bool hold) {
  const Error error = routeDown(packet, length, hold);
  if (error != Error::none) drop(error);
  return error;
}

void Node::fillHello(HelloGateway& hello) const {
  memcpy(hello.nodeId, session_.nodeId(), nodeIdBytes);
  hello.shortId = session_.shortId();
  memcpy(hello.firmware, firmwareVersion, sizeof hello.firmware);
  hello.role = config_.role;
  hello.networkNumber = config_.networkNumber;
}

void Node::fillStats(GatewayStats& stats) const {
  stats.uptimeS = static_cast<uint32_t>((now_ - bootUs_) / usPerS);
  stats.framesReceived = counters_.framesReceived;
  stats.framesSent = counters_.framesSent;
  stats.sendsFailed = counters_.sendsFailed;
  stats.badMac = counters_.badMac;
  stats.replays = counters_.replays;
  stats.malformed = counters_.malformed + gateway_->malformed();
  stats.queueFull = counters_.queueFull;
  stats.queue = static_cast<uint16_t>(packets());
  stats.members = static_cast<uint16_t>(hub_->hub.members());
  stats.neighbours = static_cast<uint16_t>(neighbours_.count());
}

}  // namespace wattmesh
