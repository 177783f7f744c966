#include "judge.hpp"

#include <cstring>

#include "wattmesh/batch.hpp"
#include "wattmesh/beacon.hpp"
#include "wattmesh/checks.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/envelope.hpp"
#include "wattmesh/frame.hpp"
#include "wattmesh/routed.hpp"
#include "wattmesh/sections.hpp"
#include "wattmesh/slip.hpp"

using namespace wattmesh;

namespace {

int judgedLength = 0;

// Decodes into `value` and writes its encoding.
template <typename T>
Error recode(Error (*decode)(const uint8_t*, size_t, T&), size_t (*encode)(const T&, uint8_t*, size_t), const uint8_t* in, size_t length,
             Writer& out) {
  T value{};
  const Error error = decode(in, length, value);
  if (error != Error::none) return error;
  uint8_t bytes[envelopeBytesMax];
  const size_t written = encode(value, bytes, sizeof bytes);
  if (written == 0) return Error::oversize;
  out.bytes(bytes, written);
  return Error::none;
}

// The same for a section of either family.
template <typename S, typename T>
Error recodeSection(Error (*decode)(const S&, T&), bool (*write)(Writer&, const T&), const S& section, Writer& out) {
  T value{};
  const Error error = decode(section, value);
  if (error != Error::none) return error;
  return write(out, value) ? Error::none : Error::oversize;
}

// A section of an unknown kind stays as it is.
template <typename S>
Error keep(const S& section, Writer& out) {
  out.u8(section.kind);
  out.u8(section.length);
  out.bytes(section.body, section.length);
  return Error::none;
}

Error judgeData(const uint8_t* in, size_t length, Writer& out) {
  Reader reader(in, length);
  out.u16(reader.u16());
  if (!reader.ok()) return Error::truncated;
  Item items[2] = {};  // the present one and the one before
  size_t at = 0;
  do {
    Item& item = items[at % 2];
    const Item* before = at == 0 ? nullptr : &items[(at + 1) % 2];
    const Error error = decodeItem(reader, item, before);
    if (error != Error::none) return error;
    if (!encodeItem(out, item, before)) return Error::oversize;
    at++;
  } while (reader.remaining() > 0);
  return Error::none;
}

bool writeDecodedCustody(Writer& out, const CustodySection& custody) { return writeCustody(out, custody.entry, custody.entries); }

bool writeDecodedPacket(Writer& out, const PacketSection& packet) {
  return writePacket(out, packet.flags, packet.packet, packet.packetLength);
}

bool writeDecodedPacketFor(Writer& out, const PacketForSection& packet) {
  return writePacketFor(out, packet.target, packet.packet, packet.packetLength);
}

bool writeDecodedLeft(Writer& out, const LeftSection& left) { return writeLeft(out, left.entry, left.entries); }

Error judgeRoutedSection(const RoutedSection& section, Writer& out) {
  switch (section.kind) {
    case routedPoll:
      return recodeSection(decodePoll, writePoll, section, out);
    case routedCustody:
      return recodeSection(decodeCustody, writeDecodedCustody, section, out);
    case routedPacket:
      return recodeSection(decodePacketSection, writeDecodedPacket, section, out);
    case routedPacketFor:
      return recodeSection(decodePacketFor, writeDecodedPacketFor, section, out);
    case routedLeft:
      return recodeSection(decodeLeft, writeDecodedLeft, section, out);
    case routedTime:
      return recodeSection(decodeTime, writeTime, section, out);
    case routedWake:
      return recodeSection(decodeWake, writeWake, section, out);
    default:
      return keep(section, out);
  }
}

Error judgeRouted(const uint8_t* in, size_t length, Writer& out) {
  Routed routed{};
  Error error = decodeRouted(in, length, routed);
  if (error != Error::none) return error;
  if (!encodeRoutedHeader(out, routed)) return Error::oversize;
  Reader reader(routed.sections, routed.sectionsLength);
  while (error == Error::none && reader.remaining() > 0) {
    RoutedSection section{};
    error = nextRoutedSection(reader, section);
    if (error == Error::none) error = judgeRoutedSection(section, out);
  }
  return error;
}

Error judgeFrameBody(FrameType type, const uint8_t* body, size_t length, Writer& out) {
  switch (type) {
    case FrameType::beacon:
      return recode(decodeBeacon, encodeBeacon, body, length, out);
    case FrameType::data:
      return judgeData(body, length, out);
    case FrameType::routed:
      return judgeRouted(body, length, out);
    case FrameType::route:
      return recode(decodeRoute, encodeRoute, body, length, out);
    case FrameType::challenge:
      return recode(decodeChallenge, encodeChallenge, body, length, out);
    case FrameType::join:
      return recode(decodeJoin, encodeJoin, body, length, out);
    case FrameType::leave:
      return recode(decodeLeave, encodeLeave, body, length, out);
    case FrameType::flood:
      return recode(decodeFlood, encodeFlood, body, length, out);
  }
  return Error::unknownType;
}

Error judgeFrame(const uint8_t* in, size_t length, Writer& out) {
  FrameHeader header{};
  const uint8_t* body = nullptr;
  size_t bodyLength = 0;
  Error error = openFrame(in, length, header, body, bodyLength);
  if (error != Error::none) return error;
  uint8_t bytes[linkHeaderBytes];
  out.bytes(bytes, writeFrameHeader(bytes, header.type, header.keyId, header.counter));
  error = judgeFrameBody(header.type, body, bodyLength, out);
  out.bytes(body + bodyLength, linkMacBytes);
  return error;
}

Error judgeGatewayEnvelope(const uint8_t* in, size_t length, Writer& out) {
  EnvelopeType type{};
  const Error error = openEnvelope(in, length, type);
  if (error != Error::none) return error;
  switch (type) {
    case EnvelopeType::hello:
      return recode(decodeHelloGateway, encodeHelloGateway, in, length, out);
    case EnvelopeType::up:
      return recode(decodeUp, encodeUp, in, length, out);
    case EnvelopeType::downResult:
      return recode(decodeDownResult, encodeDownResult, in, length, out);
    case EnvelopeType::stats:
      return recode(decodeGatewayStats, encodeGatewayStats, in, length, out);
    case EnvelopeType::log:
      return recode(decodeLogText, encodeLogText, in, length, out);
    default:
      return Error::unknownType;
  }
}

Error judgeHostEnvelope(const uint8_t* in, size_t length, Writer& out) {
  EnvelopeType type{};
  const Error error = openEnvelope(in, length, type);
  if (error != Error::none) return error;
  switch (type) {
    case EnvelopeType::hello:
      return recode(decodeHelloHost, encodeHelloHost, in, length, out);
    case EnvelopeType::upAck:
      return recode(decodeUpAck, encodeUpAck, in, length, out);
    case EnvelopeType::down:
      return recode(decodeDown, encodeDown, in, length, out);
    case EnvelopeType::time:
      return recode(decodeHostTime, encodeHostTime, in, length, out);
    default:
      return Error::unknownType;
  }
}

Error judgePacket(const uint8_t* in, size_t length, Writer& out) {
  PacketHeader header{};
  const Error error = decodePacketHeader(in, length, header);
  if (error != Error::none) return error;
  if (!encodePacketHeader(out, header)) return Error::oversize;
  out.bytes(in + header.headerLength, length - header.headerLength);
  return Error::none;
}

Error judgeReadings(const Section& section, Writer& out) {
  BatchReader reader(section.body, section.length);
  BatchHead head{};
  Error error = reader.open(head);
  if (error != Error::none) return error;
  if (head.count == 0) {
    out.u8(section.kind);
    out.u8(batchHeadBytes);
    writeBatchHead(out, head);
    return reader.end();
  }
  uint8_t bytes[sectionHeaderBytes + sectionBodyBytesMax];
  BatchWriter writer(bytes, sizeof bytes, head.logId, head.oldest);
  for (unsigned i = 0; i < head.count; i++) {
    Row row{};
    error = reader.next(row);
    if (error != Error::none) return error;
    if (!writer.add(row)) return Error::oversize;
  }
  out.bytes(bytes, writer.finish());
  return reader.end();
}

Error judgeUpSection(const Section& section, Writer& out) {
  Error error = Error::none;
  switch (section.kind) {
    case sectionReadings:
      return judgeReadings(section, out);
    case sectionTelemetry:
      return recodeSection(decodeTelemetry, writeTelemetry, section, out);
    case sectionEcho:
      return recodeSection(decodeEcho, writeEcho, section, out);
    case sectionResult:
      return recodeSection(decodeResult, writeResult, section, out);
    case sectionProbe:
      error = decodeProbe(section);
      if (error == Error::none) writeProbe(out);
      return error;
    case sectionEvent:
      return recodeSection(decodeEvent, writeEvent, section, out);
    case sectionLost:
      return recodeSection(decodeLost, writeLost, section, out);
    default:
      return keep(section, out);
  }
}

Error judgeDownSection(const Section& section, Writer& out) {
  switch (section.kind) {
    case sectionAck:
      return recodeSection(decodeAck, writeAck, section, out);
    case sectionCommand:
      return recodeSection(decodeCommand, writeCommand, section, out);
    case sectionNetworkKey:
      return recodeSection(decodeNetworkKey, writeNetworkKey, section, out);
    case sectionEventSeen:
      return recodeSection(decodeEvent, writeEventSeen, section, out);
    default:
      return keep(section, out);
  }
}

// What the node asks of the whole first, checkDownSections, must agree with the sections one by one.
Error judgeSections(Error (*check)(const uint8_t*, size_t), Error (*judgeOne)(const Section&, Writer&), const uint8_t* in, size_t length,
                    Writer& out) {
  Error error = check(in, length);
  Reader reader(in, length);
  while (error == Error::none && reader.remaining() > 0) {
    Section section{};
    error = nextSection(reader, section);
    if (error == Error::none) error = judgeOne(section, out);
  }
  return error;
}

Error judgeSlip(const uint8_t* in, size_t length, Writer& out) {
  SlipDecoder decoder;
  for (size_t i = 0; i < length; i++) {
    const bool isWhole = decoder.push(in[i]);
    if (decoder.refused() > 0) return decoder.lastError();
    if (!isWhole) continue;
    if (i + 1 < length) return Error::trailingBytes;
    uint8_t bytes[slipEncodedBytesMax];
    out.bytes(bytes, encodeSlip(decoder.data(), decoder.length(), bytes, sizeof bytes));
    return Error::none;
  }
  return Error::truncated;
}

Error judge(JudgeKind kind, const uint8_t* in, size_t length, Writer& out) {
  switch (kind) {
    case JudgeKind::frame:
      return judgeFrame(in, length, out);
    case JudgeKind::gatewayEnvelope:
      return judgeGatewayEnvelope(in, length, out);
    case JudgeKind::hostEnvelope:
      return judgeHostEnvelope(in, length, out);
    case JudgeKind::packet:
      return judgePacket(in, length, out);
    case JudgeKind::upSections:
      return judgeSections(checkUpSections, judgeUpSection, in, length, out);
    case JudgeKind::downSections:
      return judgeSections(checkDownSections, judgeDownSection, in, length, out);
    case JudgeKind::m1Payload:
      return recode(decodeM1Payload, encodeM1Payload, in, length, out);
    case JudgeKind::m2Payload:
      return recode(decodeM2Payload, encodeM2Payload, in, length, out);
    case JudgeKind::slip:
      return judgeSlip(in, length, out);
  }
  return Error::unknownType;
}

}  // namespace

int wm_judge(int kind, int length) {
  judgedLength = 0;
  if (kind < static_cast<int>(JudgeKind::frame) || kind > static_cast<int>(JudgeKind::slip)) return -1;
  if (length < 0 || static_cast<size_t>(length) > ioBytes) return static_cast<int>(Error::oversize);
  uint8_t bytes[ioBytes];
  Writer out(bytes, sizeof bytes);
  const Error error = judge(static_cast<JudgeKind>(kind), wm_io_buffer, static_cast<size_t>(length), out);
  if (error != Error::none) return static_cast<int>(error);
  if (!out.ok()) return static_cast<int>(Error::oversize);
  memcpy(wm_io_buffer, bytes, out.length());
  judgedLength = static_cast<int>(out.length());
  return 0;
}

int wm_judge_length() { return judgedLength; }
