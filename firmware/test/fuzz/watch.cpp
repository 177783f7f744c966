#include "watch.hpp"

#include "demand.hpp"
#include "wattmesh/batch.hpp"
#include "wattmesh/beacon.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/frame.hpp"
#include "wattmesh/item.hpp"
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
  const auto last = committed_.rbegin();
  const bool isAgain = last != committed_.rend() && last->first == seq;
  if (isAgain) {
    DEMAND(last->second.crc == crc);
  } else if (last != committed_.rend()) {
    DEMAND(seq == last->first + 1);
    DEMAND(t > last->second.t);
  }
  committed_[seq] = Committed{crc, t};
}

void Watch::judge(Meter& meter) {
  const Log& log = meter.log();
  DEMAND(log.oldest() >= oldest_);
  DEMAND(log.next() >= next_);
  DEMAND(log.oldest() <= log.next());
  DEMAND(meter.delivery().next(log) >= log.oldest());
  DEMAND(meter.delivery().next(log) <= log.next());
  DEMAND(meter.delivery().cumulative() < log.next());
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
    const auto known = committed_.find(seq);
    DEMAND(known == committed_.end() || known->second.crc == crcOf(row));
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
    default:
      break;
  }
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
    DEMAND(memcmp(header.nodeId, session.nodeId(), nodeIdBytes) == 0);
    judgeOwn(item, header, meter);
  }
}

void Watch::judgeOwn(const Item& item, const PacketHeader& header, Meter* meter) {
  const uint8_t* plain = nullptr;
  size_t plainLength = 0;
  DEMAND(openNone(item.packet, item.packetLength, header.headerLength, plain, plainLength) == Error::none);
  if (header.type == packetM1) {
    DEMAND(header.counter >= handshake_);
    handshake_ = header.counter;
    return;
  }
  DEMAND(header.type == packetUp);
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
  }
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
    const auto known = committed_.find(row.seq);
    DEMAND(known == committed_.end() || known->second.crc == crc);
    offered[row.seq] = crc;
  }
}

}  // namespace fuzz
