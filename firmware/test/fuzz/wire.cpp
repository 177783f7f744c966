#include "wire.hpp"

#include "wattmesh/beacon.hpp"
#include "wattmesh/routed.hpp"
#include "wattmesh/sections.hpp"

using namespace wattmesh;

namespace fuzz {

namespace {

constexpr size_t scratchBytes = 1024;

// What `write` writes.
template <typename Write>
Bytes written(Write write) {
  uint8_t scratch[scratchBytes];
  Writer writer(scratch, sizeof scratch);
  write(writer);
  return Bytes(scratch, scratch + writer.length());
}

Bytes sealed(const PacketHeader& header, uint8_t suite, const Bytes& plain) {
  Bytes packet = written([&](Writer& writer) {
    encodePacketHeader(writer, header);
    writer.bytes(plain.data(), plain.size());
    writer.u32(0);
  });
  packet[1] = suite;
  sealNone(packet.data(), packet.size() - crcBytes, packet.size());
  return packet;
}

}  // namespace

Bytes frame(uint8_t type, uint8_t keyId, uint32_t counter, const Bytes& body) {
  const size_t length = body.size() < bodyBytesMax ? body.size() : bodyBytesMax;
  Bytes bytes(linkHeaderBytes + length + linkMacBytes, 0);
  writeFrameHeader(bytes.data(), static_cast<FrameType>(type & 0x0f), keyId, counter);
  if (length > 0) memcpy(bytes.data() + linkHeaderBytes, body.data(), length);
  return bytes;
}

Bytes routed(const std::vector<uint16_t>& route, const Bytes& sections) {
  return written([&](Writer& writer) {
    writer.u8(static_cast<uint8_t>(route.size()));
    writer.u8(static_cast<uint8_t>(route.size() - 1));
    for (const uint16_t hop : route) writer.u16(hop);
    writer.bytes(sections.data(), sections.size());
  });
}

Bytes packetSection(uint8_t flags, const Bytes& packet) {
  return written([&](Writer& writer) { writePacket(writer, flags, packet.data(), packet.size()); });
}

Bytes pollSection(uint16_t number) {
  return written([&](Writer& writer) { writePoll(writer, PollSection{number, 1, false, 1}); });
}

Bytes m2Payload(uint8_t session, uint16_t shortId, uint32_t acknowledged) {
  M2Payload payload{};
  payload.session = session;
  payload.shortId = shortId;
  payload.utcMs = startUtcMs;
  payload.acknowledged = acknowledged;
  payload.policy = policySuiteNone;
  Bytes bytes(m2PayloadBytes);
  encodeM2Payload(payload, bytes.data(), bytes.size());
  return bytes;
}

Bytes m2(const uint8_t nodeId[nodeIdBytes], uint32_t handshake, uint8_t suite, const Bytes& payload) {
  PacketHeader header{};
  header.type = packetM2;
  memcpy(header.nodeId, nodeId, nodeIdBytes);
  header.epoch = 1;
  header.counter = handshake;
  return sealed(header, suite, payload);
}

Bytes down(const uint8_t nodeId[nodeIdBytes], uint8_t session, uint32_t epoch, uint32_t counter, const Bytes& plain) {
  PacketHeader header{};
  header.type = packetDown;
  memcpy(header.nodeId, nodeId, nodeIdBytes);
  header.session = session;
  header.epoch = epoch;
  header.counter = counter;
  return sealed(header, suiteNone, plain);
}

Bytes ackSection(uint32_t cumulative) {
  AckSection ack{};
  memcpy(ack.logId, meterLogId, sizeof ack.logId);
  ack.cumulative = cumulative;
  ack.utcMs = startUtcMs;
  return written([&](Writer& writer) { writeAck(writer, ack); });
}

Bytes gatewayBeacon(const Announcement& announcement) {
  Beacon beacon{};
  beacon.shortId = announcement.shortId;
  beacon.epoch = announcement.epoch;
  beacon.tree = announcement.tree;
  beacon.gateway = announcement.shortId;
  beacon.nearestHub = announcement.shortId;
  beacon.grounded = true;
  beacon.timeValid = true;
  beacon.isHub = true;
  beacon.joined = true;
  beacon.number = announcement.number;
  beacon.utcMs = announcement.utcMs;
  beacon.lastDelay = delayUnknown;
  Bytes body(beaconBytes);
  encodeBeacon(beacon, body.data(), body.size());
  return body;
}

void repairPackets(Bytes& routedBody) {
  Routed at{};
  if (decodeRouted(routedBody.data(), routedBody.size(), at) != Error::none) return;
  Reader reader(at.sections, at.sectionsLength);
  RoutedSection section{};
  while (reader.remaining() > 0 && nextRoutedSection(reader, section) == Error::none) {
    PacketSection packet{};
    if (section.kind != routedPacket || decodePacketSection(section, packet) != Error::none) continue;
    uint8_t* bytes = routedBody.data() + (packet.packet - routedBody.data());
    sealNone(bytes, packet.packetLength - crcBytes, packet.packetLength);
  }
}

}  // namespace fuzz
