#include "watch.hpp"

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
  rowCommitted(row.seq, crcOf(row), row.t);
}

// The log traces its last row again when it is opened; otherwise seq and time only rise.
void Watch::rowCommitted(uint32_t seq, uint32_t crc, uint32_t t) {
  const auto last = measured_.rbegin();
  const bool isAgain = last != measured_.rend() && last->first == seq;
  if (isAgain) {
    DEMAND(last->second.crc == crc);
  } else if (last != measured_.rend()) {
    DEMAND(seq == last->first + 1);
    DEMAND(t > last->second.t);
  }
  measured_[seq] = Measured{crc, t};
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
  uint32_t lastS = 0;
  for (uint32_t seq = mounted.oldest(); seq < mounted.next(); seq++) {
    Row row{};
    DEMAND(mounted.read(seq, row) == Error::none);
    DEMAND(row.seq == seq);
    DEMAND(row.t > lastS);
    lastS = row.t;
    const auto known = measured_.find(seq);
    DEMAND(known == measured_.end() || known->second.crc == crcOf(row));
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
  Join join{};
  Challenge challenge{};
  if (header.keyId != joinKeyId) keyId_ = header.keyId;
  DEMAND((header.keyId == joinKeyId) == (header.type == FrameType::join));
  switch (header.type) {
    case FrameType::beacon:
      DEMAND(decodeBeacon(body, bodyLength, beacon) == Error::none);
      DEMAND(beacon.shortId == session.shortId());
      DEMAND(beacon.grounded == (beacon.hops <= hopsMax));
      break;
    case FrameType::data:
      judgeData(body, bodyLength, session, meter);
      break;
    case FrameType::routed:
      DEMAND(decodeRouted(body, bodyLength, routed) == Error::none);
      break;
    case FrameType::challenge:
      DEMAND(decodeChallenge(body, bodyLength, challenge) == Error::none);
      break;
    case FrameType::join:
      DEMAND(decodeJoin(body, bodyLength, join) == Error::none);
      judgeJoin(join, session);
      break;
    default:
      DEMAND(false);
  }
}

// Under the key that everybody knows nothing but handshakes goes out.
void Watch::judgeJoin(const Join& join, const Session& session) {
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
  while (reader.remaining() > 0) {
    Item item{};
    DEMAND(decodeItem(reader, item) == Error::none);
    DEMAND(item.hops > 0 && item.route[item.hops - 1] == session.shortId());
    if (item.hops > 1) continue;
    if (item.isAnswer) answered.push_back(item.poll);
    if (item.packetLength == 0) continue;
    PacketHeader header{};
    DEMAND(decodePacketHeader(item.packet, item.packetLength, header) == Error::none);
    // An M1 that came in a JOIN frame begins its route here, too.
    const bool isOwn = memcmp(header.nodeId, session.nodeId(), nodeIdBytes) == 0;
    DEMAND(isOwn || (header.type == packetM1 && item.route[0] == shortIdNone));
    if (isOwn) judgeOwn(item, header, session, meter);
  }
}

void Watch::judgeOwn(const Item& item, const PacketHeader& header, const Session& session, Meter* meter) {
  if (header.type == packetM1) {
    judgeM1(header, session);
    return;
  }
  DEMAND(header.type == packetUp);
  // What the board's AEAD seals stands there to be read.
  const uint8_t* plain = item.packet + header.headerLength;
  size_t plainLength = item.packetLength - header.headerLength - (header.suite == suiteNone ? 0 : tagBytes);
  if (header.suite == suiteNone) {
    DEMAND(openNone(item.packet, item.packetLength, header.headerLength, plain, plainLength) == Error::none);
  }
  DEMAND(checkUpSections(plain, plainLength) == Error::none);
  const uint32_t crc = crc32(item.packet, item.packetLength - crcBytes);
  const auto known = sealed_.find(header.counter);
  DEMAND(known == sealed_.end() || known->second == crc);
  sealed_[header.counter] = crc;
  Reader reader(plain, plainLength);
  Section section{};
  while (reader.remaining() > 0) {
    DEMAND(nextSection(reader, section) == Error::none);
    if (section.kind == sectionReadings) judgeReadings(section, meter);
    if (section.kind == sectionResult) judgeResult(section);
  }
}

void Watch::judgeResult(const Section& section) {
  Result result{};
  DEMAND(decodeResult(section, result) == Error::none);
  DEMAND(result.length == (result.outcome == Outcome::prepared ? nonceBytes : 0));
  if (result.outcome == Outcome::prepared) memcpy(prepared_.data(), result.data, nonceBytes);
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
    DEMAND(known == measured_.end() || known->second.crc == crc);
    offered[row.seq] = crc;
  }
}

}  // namespace fuzz
