#include "watch.hpp"

#include <algorithm>
#include <iterator>

#include "demand.hpp"
#include "wattmesh/batch.hpp"
#include "wattmesh/beacon.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/frame.hpp"
#include "wattmesh/item.hpp"
#include "wattmesh/noise.hpp"
#include "wattmesh/routed.hpp"
#include "wattmesh/sections.hpp"

using namespace wattmesh;

namespace fuzz {

namespace {

// Ticks in one second without anything to show for them. A hub may give up each of 64 members in a tick of its own.
constexpr unsigned quietTicksMax = 2 * membersMax;

// Of a clock that was wrong before.
constexpr uint32_t stepBackMaxS = 3600;

uint32_t crcOf(const Row& row) {
  uint8_t bytes[rowBytes];
  Writer writer(bytes, sizeof bytes);
  writeRow(writer, row);
  return crc32(bytes, sizeof bytes);
}

}  // namespace

void Watch::rebooted() {
  quietTicks_ = 0;
  sealed_.clear();
}

void Watch::ticked(uint64_t nowUs) {
  if (nowUs - quietUs_ >= usPerS) {
    quietUs_ = nowUs;
    quietTicks_ = 0;
  }
  DEMAND(++quietTicks_ <= quietTicksMax);
}

void Watch::traced(Trace event, const uint8_t* body, size_t length) {
  if (event == Trace::joined) sealed_.clear();
  if (event != Trace::rowCommitted) return;
  effect();
  DEMAND(length == logIdBytes + rowBytes);
  Reader reader(body + logIdBytes, rowBytes);
  Row row{};
  readRow(reader, row);
  DEMAND(isValidRow(row));
  rowCommitted(row);
}

// The log traces its last row again when it is opened. Otherwise seq only rises; and so does time, but for a clock that had been wrong by
// more than an hour, and for rows that are written again because an earlier life had used their seqs.
void Watch::rowCommitted(const Row& row) {
  const auto newest = measured_.rbegin();
  if (newest != measured_.rend()) {
    const Row& last = newest->second;
    const bool isAgain = last.seq == row.seq && crcOf(last) == crcOf(row);
    DEMAND(isAgain || row.seq > last.seq);
    DEMAND(isAgain || row.t > last.t || last.t - row.t > stepBackMaxS || isCopy(row));
  }
  measured_[row.seq] = row;
}

bool Watch::isCopy(const Row& row) const {
  return std::any_of(measured_.begin(), measured_.end(), [&row](const auto& each) {
    Row known = each.second;
    known.seq = row.seq;
    return crcOf(known) == crcOf(row);
  });
}

void Watch::relayMoved() {
  effect();
  DEMAND(++relayMoves_ <= committed_.size());
}

void Watch::judge(Meter& meter) {
  const Log& log = meter.log();
  DEMAND(log.oldest() >= oldest_);
  DEMAND(log.next() >= next_);
  DEMAND(log.oldest() <= log.next());
  DEMAND(meter.delivery().next(log) >= log.oldest());
  DEMAND(meter.delivery().next(log) <= log.next());
  DEMAND(meter.delivery().cumulative() < log.next());
  // What has not been measured yet cannot have been acknowledged.
  DEMAND(!meter.delivery().marked(log.next()));
  oldest_ = log.oldest();
  next_ = log.next();
}

void Watch::judgeRows(Log& mounted, const Log& log) const {
  DEMAND(mounted.oldest() == log.oldest());
  DEMAND(mounted.next() == log.next());
  Row row{};
  for (uint32_t seq = mounted.oldest(); mounted.readFrom(seq, row) == Error::none; seq = row.seq + 1) {
    DEMAND(row.seq >= seq && row.seq < mounted.next());
  }
  for (auto known = measured_.lower_bound(mounted.oldest()); known != measured_.end(); ++known) {
    DEMAND(mounted.read(known->first, row) == Error::none);
    DEMAND(crcOf(row) == crcOf(known->second));
  }
}

uint32_t Watch::toldUpTo(uint32_t first) const {
  for (uint32_t seq = first;;) {
    const auto after = lost.upper_bound(seq);
    if (offered.count(seq) == 1) {
      seq++;
    } else if (after != lost.begin() && std::prev(after)->second >= seq) {
      seq = std::prev(after)->second + 1;
    } else {
      return seq - 1;
    }
  }
}

void Watch::judgeFrame(const uint8_t* frame, size_t length, const Session& session, Meter* meter) {
  FrameHeader header{};
  const uint8_t* body = nullptr;
  size_t bodyLength = 0;
  DEMAND(openFrame(frame, length, header, body, bodyLength) == Error::none);
  DEMAND(header.counter > linkCounter_);
  linkCounter_ = header.counter;
  Beacon beacon{};
  Routed routed{};
  Route route{};
  Join join{};
  Challenge challenge{};
  Flood flood{};
  if (header.keyId != joinKeyId) keyId_ = header.keyId;
  DEMAND((header.keyId == joinKeyId) == (header.type == FrameType::join));
  switch (header.type) {
    case FrameType::beacon:
      DEMAND(decodeBeacon(body, bodyLength, beacon) == Error::none);
      DEMAND(beacon.shortId == session.shortId());
      // A tree that floats has a cost too.
      DEMAND((beacon.cost != costNone) == (beacon.hops <= hopsMax));
      DEMAND(!beacon.grounded || beacon.cost != costNone);
      DEMAND(beacon.pull != beacon.grounded || !session.joined());
      break;
    case FrameType::data:
      judgeData(body, bodyLength, session, meter);
      break;
    case FrameType::routed:
      DEMAND(decodeRouted(body, bodyLength, routed) == Error::none);
      break;
    case FrameType::route:
      DEMAND(decodeRoute(body, bodyLength, route) == Error::none);
      DEMAND(route.hops < hopsMax);
      break;
    case FrameType::challenge:
      DEMAND(decodeChallenge(body, bodyLength, challenge) == Error::none);
      break;
    case FrameType::join:
      DEMAND(decodeJoin(body, bodyLength, join) == Error::none);
      judgeJoin(join, session);
      break;
    case FrameType::flood:
      DEMAND(decodeFlood(body, bodyLength, flood) == Error::none);
      judgeFlood(flood, session, meter);
      break;
    default:
      DEMAND(false);
  }
}

// Under the key that everybody knows nothing but handshakes and solicitations, which say nothing, goes out.
void Watch::judgeJoin(const Join& join, const Session& session) {
  if (join.direction == Direction::solicit) return;
  PacketHeader header{};
  DEMAND(decodePacketHeader(join.packet, join.packetLength, header) == Error::none);
  DEMAND(header.type == (join.direction == Direction::up ? packetM1 : packetM2));
  if (join.direction == Direction::up) judgeM1(header, session);
}

void Watch::judgeM1(const PacketHeader& header, const Session& session) {
  DEMAND(memcmp(header.nodeId, session.nodeId(), nodeIdBytes) == 0);
  DEMAND(header.counter >= handshake_);
  handshake_ = header.counter;
}

void Watch::judgeData(const uint8_t* body, size_t length, const Session& session, Meter* meter) {
  DEMAND(role_ != Role::gateway);
  DEMAND(length > dataHeaderBytes);
  Reader reader(body, length);
  reader.u16();
  Item items[2] = {};  // the present one and the one before
  for (size_t at = 0; reader.remaining() > 0; at++) {
    Item& item = items[at % 2];
    DEMAND(decodeItem(reader, item, at == 0 ? nullptr : &items[(at + 1) % 2]) == Error::none);
    DEMAND(item.hops > 0 && item.route[item.hops - 1] == session.shortId());
    if (item.hops > 1) continue;
    if (item.isAnswer) answered.push_back(item.poll);
    if (item.packetLength == 0) continue;
    PacketHeader header{};
    DEMAND(decodePacketHeader(item.packet, item.packetLength, header) == Error::none);
    // An M1 that came in a JOIN frame begins its route here, too.
    const bool isOwn = memcmp(header.nodeId, session.nodeId(), nodeIdBytes) == 0;
    DEMAND(isOwn || (header.type == packetM1 && item.route[0] == shortIdNone));
    if (isOwn) judgeOwn(item.packet, item.packetLength, header, session, meter);
  }
}

// What is repeated for others is theirs; who floods begins with its own packets, and a gateway with those of the host.
void Watch::judgeFlood(const Flood& flood, const Session& session, Meter* meter) {
  PacketHeader header{};
  DEMAND(decodePacketHeader(flood.packet, flood.packetLength, header) == Error::none);
  DEMAND(flood.ttl >= 1 && flood.ttl <= hopsMax);
  DEMAND(header.down() == (flood.direction == Direction::down));
  if (header.down()) return;
  // A gateway hands packets up to the host itself.
  DEMAND(role_ != Role::gateway);
  if (memcmp(header.nodeId, session.nodeId(), nodeIdBytes) == 0) judgeOwn(flood.packet, flood.packetLength, header, session, meter);
}

void Watch::judgeOwn(const uint8_t* packet, size_t length, const PacketHeader& header, const Session& session, Meter* meter) {
  if (header.type == packetM1) {
    judgeM1(header, session);
    return;
  }
  DEMAND(header.type == packetUp);
  // What the board's AEAD seals stands there to be read.
  const uint8_t* plain = packet + header.headerLength;
  size_t plainLength = length - header.headerLength - (header.suite == suiteNone ? 0 : tagBytes);
  if (header.suite == suiteNone) {
    DEMAND(openNone(packet, length, header.headerLength, plain, plainLength) == Error::none);
  }
  DEMAND(checkUpSections(plain, plainLength) == Error::none);
  const uint32_t crc = crc32(packet, length - crcBytes);
  const auto known = sealed_.find(header.counter);
  DEMAND(known == sealed_.end() || known->second == crc);
  sealed_[header.counter] = crc;
  Reader reader(plain, plainLength);
  Section section{};
  while (reader.remaining() > 0) {
    DEMAND(nextSection(reader, section) == Error::none);
    if (section.kind == sectionReadings) judgeReadings(section, meter);
    if (section.kind == sectionResult) judgeResult(section);
    if (section.kind == sectionLost) judgeLost(section, meter);
  }
}

void Watch::judgeResult(const Section& section) {
  Result result{};
  DEMAND(decodeResult(section, result) == Error::none);
  DEMAND(result.length == (result.outcome == Outcome::prepared ? nonceBytes : 0));
  if (result.outcome == Outcome::prepared) memcpy(prepared_.data(), result.data, nonceBytes);
}

void Watch::judgeLost(const Section& section, Meter* meter) {
  DEMAND(meter != nullptr);
  Lost told{};
  DEMAND(decodeLost(section, told) == Error::none);
  DEMAND(memcmp(told.logId, meter->log().logId(), logIdBytes) == 0);
  DEMAND(told.first <= told.last && told.last < meter->log().next());
  const auto known = measured_.lower_bound(told.first);
  DEMAND(known == measured_.end() || known->first > told.last);
  uint32_t& last = lost[told.first];
  last = std::max(last, told.last);
}

void Watch::judgeReadings(const Section& section, Meter* meter) {
  DEMAND(meter != nullptr);
  BatchReader batch(section.body, section.length);
  BatchHead head{};
  DEMAND(batch.open(head) == Error::none);
  DEMAND(memcmp(head.logId, meter->log().logId(), logIdBytes) == 0);
  DEMAND(head.oldest <= meter->log().oldest());
  DEMAND(head.first >= head.oldest);
  DEMAND(head.first + head.count <= meter->log().next());
  for (unsigned i = 0; i < head.count; i++) {
    Row row{};
    DEMAND(batch.next(row) == Error::none);
    const uint32_t crc = crcOf(row);
    const auto known = measured_.find(row.seq);
    DEMAND(known == measured_.end() || crcOf(known->second) == crc);
    offered[row.seq] = crc;
  }
}

}  // namespace fuzz
