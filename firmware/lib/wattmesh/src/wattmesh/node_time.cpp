// Network time from frame to frame, in two steps: a frame tells when the one before it was gone. So it does not matter how long either waited
// for the radio (PROTOCOL.md, "Time").
#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
// At 1 Mbit/s: the long preamble, 43 bytes around the frame; after it SIFS and the acknowledgement, which the sender of a unicast frame waits for.
constexpr uint64_t airUs(size_t frameBytes) { return 192 + 8 * (43 + frameBytes); }
constexpr uint64_t ackUs = 10 + 304;
// What CSMA waits on average when the medium is free.
constexpr uint64_t accessUs = 360;
// A frame that took longer may have arrived more than once, and its acknowledgement got lost the first time.
constexpr uint64_t heldUpMaxUs = 6 * usPerMs;
constexpr uint64_t parentSilentUs = 600 * usPerS;
constexpr unsigned unitShift = 4;
// Polls that come so rarely do not suffice to learn skew soon.
constexpr uint16_t rareCycleS = 300;
constexpr uint64_t learningUs = 3700 * usPerS;
// What was noted 16 us at a time in 32 bits is unambiguous for hours.
constexpr uint64_t pastMaxUs = 7200 * usPerS;
constexpr int32_t skewUnit = 64;  // 2^-24 in 2^-30

// The time nearest to `aboutUs` that has these low bits.
uint64_t whole(uint16_t low, uint64_t aboutUs) {
  const uint64_t units = aboutUs >> unitShift;
  const int64_t ahead = static_cast<int16_t>(static_cast<uint16_t>(low - units));
  return (units + static_cast<uint64_t>(ahead)) << unitShift;
}
}  // namespace

bool Node::isParent(const Neighbour& neighbour) const {
  return !rootedHere() && position().attached && memcmp(neighbour.mac, position().parent, macBytes) == 0;
}

// A leaf has the time from the answers to its reports.
bool Node::followsTime(const Neighbour& neighbour) const { return isParent(neighbour) && !sleeps(); }

// Polls may come by another way than by the parent, who then says nothing for long: a neighbour that is nearer to the gateway is as good.
bool Node::pollsInstead(const Neighbour& neighbour) const {
  if (rootedHere() || sleeps() || !position().attached || neighbour.avoided(now_)) return false;
  const bool isNearer = neighbour.hasBeacon && neighbour.beacon.grounded && neighbour.beacon.cost < position().cost;
  return isNearer && (heard_.isFrom(neighbour.mac) || heard_.isOlder(now_, parentSilentUs));
}

void Node::hearBeaconTime(const Neighbour& neighbour, const Beacon& beacon) {
  const bool isFirst = !rootedHere() && !clock_.valid() && beacon.grounded;
  if (!beacon.timeValid || !(isFirst || followsTime(neighbour))) return;
  const uint64_t stampUs = beacon.utcMs * usPerMs + beacon.subMillisecond * 10u;
  const uint64_t beforeUs = heardBeacon_.atUs(neighbour.mac, beacon.number);
  bool stepped = false;
  if (beforeUs != never && beacon.lastDelay != delayUnknown && now_ - beforeUs < pastMaxUs) {
    stepped = clock_.sampleOffset(heardBeacon_.stampUs() + beacon.lastDelay * 10u, beforeUs, now_);
  }
  heardBeacon_.note(neighbour.mac, beacon.number, stampUs, now_);
  const uint64_t utcUs = stampUs + airUs(linkHeaderBytes + beaconBytes + linkMacBytes) + accessUs;
  if (clock_.set(utcUs, now_, beacon.timeAge)) stepped = true;
  // Nobody waits a quarter of an hour for the time.
  if (stepped && position().attached) announceSoon();
}

// Takes TIME off a frame: it is from one node to the next only.
void Node::hearTime(const Neighbour& neighbour, bool isCall, uint32_t counter, Routed& routed) {
  Reader reader(routed.sections, routed.sectionsLength);
  RoutedSection section{};
  TimeSection time{};
  const bool tells = nextRoutedSection(reader, section) == Error::none && section.kind == routedTime && decodeTime(section, time) == Error::none;
  if (tells) {
    routed.sections += reader.offset();
    routed.sectionsLength = reader.remaining();
  }
  if (!followsTime(neighbour) && !pollsInstead(neighbour)) return;
  if (!heard_.isFrom(neighbour.mac)) clock_.changeSource();
  const uint64_t atUs = tells ? heard_.atUs(neighbour.mac, isCall, time.number) : never;
  if (atUs != never && now_ - atUs < pastMaxUs) {
    const TimeReference reference{whole(time.time, clock_.utcUs(atUs)), whole(time.raw, clock_.rawUs(atUs)), int32_t{time.skew} * skewUnit};
    if (clock_.sample(reference, atUs, now_)) announceSoon();
  }
  heard_.note(neighbour.mac, isCall, counter, now_);
}

// Writes when the ROUTED frame before was gone to this neighbour, or to everybody, if that is known.
bool Node::tellTime(const uint8_t mac[macBytes], Writer& writer) const {
  const Neighbour* neighbour = const_cast<Neighbours&>(neighbours_).find(mac);
  const GoneFrame& gone = neighbour == nullptr ? called_ : neighbour->gone;
  if (!gone.known || !clock_.valid()) return false;
  const uint32_t ago = static_cast<uint32_t>(now_ >> unitShift) - gone.at;
  const uint64_t utcUs = clock_.fittedUs(now_ - (uint64_t{ago} << unitShift));
  // Who routes has a crystal: no skew is too large.
  const int16_t skew = static_cast<int16_t>(clock_.skew() / skewUnit);
  return writeTime(writer, TimeSection{gone.number, static_cast<uint16_t>(gone.at), static_cast<uint16_t>(utcUs >> unitShift), skew});
}

// A ROUTED frame is gone, or is not.
void Node::noteGone(bool ok, size_t bodyLength) {
  Neighbour* neighbour = neighbours_.find(inFlightTo_);
  const bool isCall = isBroadcast(inFlightTo_);
  if (neighbour == nullptr && !isCall) return;
  GoneFrame& gone = isCall ? called_ : neighbour->gone;
  const uint64_t afterUs = isCall ? 0 : ackUs;
  const size_t frameBytes = linkHeaderBytes + bodyLength + linkMacBytes;
  FrameHeader header{};
  const uint8_t* body = nullptr;
  const bool isIntact = openFrame(frame_, frameBytes, header, body, bodyLength) == Error::none;
  gone.known = ok && isIntact && now_ - handedUs_ <= airUs(frameBytes) + afterUs + heldUpMaxUs;
  gone.number = static_cast<uint16_t>(header.counter);
  gone.at = static_cast<uint32_t>((now_ - afterUs) >> unitShift);
  if (!ok || config_.pollCycleS < rareCycleS || (!isCall && children_.has(neighbour->shortId, now_))) return;
  // Polls come rarely: what is known of this frame is told at once, and another one is sent if nothing is known of it. Later on, what a poll
  // tells of the one before will do.
  const size_t sectionsBytes = bodyLength - 2 - 2 * size_t{body[0]};
  const bool tells = sectionsBytes > 0 && body[bodyLength - sectionsBytes] == routedTime;
  const bool isYoung = now_ - bootUs_ < learningUs;
  const bool isWanted = gone.known ? !tells || (isYoung && sectionsBytes > timeSectionBytes) : isYoung && sectionsBytes > 0 && !tells;
  if (!isWanted) return;
  Routed routed{};
  routed.hops = 1;
  routed.route[0] = isCall ? session_.shortId() : neighbour->shortId;
  (void)sendTowards(inFlightTo_, routed, now_);
}

}  // namespace wattmesh
