#include "wire.hpp"

#include "wattmesh/beacon.hpp"
#include "wattmesh/routed.hpp"
#include "wattmesh/sections.hpp"

using namespace wattmesh;

namespace fuzz {

namespace {

constexpr size_t scratchBytes = 1024;
constexpr uint8_t suiteMask = 0x1f;
constexpr size_t rsaNonceBytes = 16;

// What `write` writes.
template <typename Write>
Bytes written(Write write) {
  uint8_t scratch[scratchBytes];
  Writer writer(scratch, sizeof scratch);
  write(writer);
  return Bytes(scratch, scratch + writer.length());
}

// `before`: what a handshake has in front of the ciphertext.
Bytes sealed(const PacketHeader& header, uint8_t suite, size_t before, const Bytes& plain) {
  const size_t tag = (suite & suiteMask) == suiteNone ? crcBytes : tagBytes;
  Bytes packet = written([&](Writer& writer) {
    encodePacketHeader(writer, header);
    for (size_t i = 0; i < before; i++) writer.u8(1);
    writer.bytes(plain.data(), plain.size());
    for (size_t i = 0; i < tag; i++) writer.u8(0);
  });
  packet[1] = suite;
  repairPacket(packet.data(), packet.size());
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

Bytes pollSection(uint16_t number, uint16_t shortId) {
  uint8_t tree[pollEntryBytes];
  Writer entry(tree, sizeof tree);
  writePollEntry(entry, PollEntry{1, true, shortId});
  return written([&](Writer& writer) { writePoll(writer, PollSection{number, 1, 1, tree, 1}); });
}

Bytes joinDown(const Bytes& packet) {
  Bytes body(joinHeaderBytes + packet.size());
  body.resize(encodeJoin(Join{Direction::down, packet.data(), packet.size()}, body.data(), body.size()));
  return body;
}

Bytes m2Payload(uint16_t shortId, uint32_t acknowledged, uint8_t keyId) {
  M2Payload payload{};
  payload.session = firstSession;
  payload.shortId = shortId;
  payload.keyId = keyId;
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
  const uint8_t kind = suite & suiteMask;
  return sealed(header, suite, kind == suiteEcc ? keyBytes : kind == suiteRsa ? rsaNonceBytes : 0, payload);
}

Bytes down(const Sealing& sealing, uint32_t epoch, uint32_t counter, const Bytes& plain) {
  PacketHeader header{};
  header.type = packetDown;
  memcpy(header.nodeId, sealing.nodeId, nodeIdBytes);
  header.session = sealing.session;
  header.epoch = epoch;
  header.counter = counter;
  return sealed(header, sealing.suite, 0, plain);
}

Bytes ackSection(uint32_t cumulative) {
  AckSection ack{};
  memcpy(ack.logId, meterLogId, sizeof ack.logId);
  ack.cumulative = cumulative;
  ack.utcMs = startUtcMs;
  return written([&](Writer& writer) { writeAck(writer, ack); });
}

Bytes commitSection(uint16_t command, const uint8_t nonce[nonceBytes]) {
  CommandSection section{};
  section.command = command;
  section.operation = static_cast<uint8_t>(Operation::relayCommit);
  section.length = nonceBytes;
  memcpy(section.arguments, nonce, nonceBytes);
  return written([&](Writer& writer) { writeCommand(writer, section); });
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

void repairPacket(uint8_t* packet, size_t length) {
  if (length < packetBytesMin || (packet[1] & suiteMask) != suiteNone) return;
  sealNone(packet, length - crcBytes, length);
}

void repairPackets(Bytes& routedBody) {
  Routed at{};
  if (decodeRouted(routedBody.data(), routedBody.size(), at) != Error::none) return;
  Reader reader(at.sections, at.sectionsLength);
  RoutedSection section{};
  while (reader.remaining() > 0 && nextRoutedSection(reader, section) == Error::none) {
    PacketSection packet{};
    if (section.kind != routedPacket || decodePacketSection(section, packet) != Error::none) continue;
    repairPacket(routedBody.data() + (packet.packet - routedBody.data()), packet.packetLength);
  }
}

}  // namespace fuzz
