#include "wattmesh/routed.hpp"

#include "wattmesh/checks.hpp"

namespace wattmesh {

namespace {

constexpr size_t pollBytes = pollSectionBytes - sectionHeaderBytes;
constexpr size_t packetFlagsBytes = 1;
constexpr size_t packetTargetBytes = 2;
constexpr size_t wakePhaseBytes = 2;
constexpr size_t wakeBytes = wakePhaseBytes + beaconBytes;
constexpr uint8_t pollSweeps = 0x80;

Error checkSection(const RoutedSection& section) {
  PollSection poll;
  CustodySection custody;
  PacketSection packet;
  PacketForSection packetFor;
  WakeSection wake;
  switch (section.kind) {
    case routedPoll:
      return decodePoll(section, poll);
    case routedCustody:
      return decodeCustody(section, custody);
    case routedPacket:
      return decodePacketSection(section, packet);
    case routedPacketFor:
      return decodePacketFor(section, packetFor);
    case routedWake:
      return decodeWake(section, wake);
    default:
      return Error::none;
  }
}

Error checkSections(const uint8_t* sections, size_t length) {
  Reader reader(sections, length);
  while (reader.remaining() > 0) {
    RoutedSection section;
    Error error = nextRoutedSection(reader, section);
    if (error == Error::none) error = checkSection(section);
    if (error != Error::none) return error;
  }
  return Error::none;
}

}  // namespace

Error decodeRouted(const uint8_t* body, size_t length, Routed& routed) {
  Reader reader(body, length);
  routed.hops = reader.u8();
  routed.at = reader.u8();
  if (!reader.ok()) return Error::truncated;
  if (routed.hops == 0 || routed.hops > hopsMax || routed.at >= routed.hops) return Error::badField;
  for (size_t i = 0; i < routed.hops; i++) routed.route[i] = reader.u16();
  if (!reader.ok()) return Error::truncated;
  routed.sectionsLength = reader.remaining();
  routed.sections = reader.view(routed.sectionsLength);
  return checkSections(routed.sections, routed.sectionsLength);
}

bool encodeRoutedHeader(Writer& writer, const Routed& routed) {
  const size_t start = writer.length();
  writer.u8(routed.hops);
  writer.u8(routed.at);
  for (size_t i = 0; i < routed.hops; i++) writer.u16(routed.route[i]);
  return keepOrRewind(writer, start);
}

Error nextRoutedSection(Reader& reader, RoutedSection& section) {
  section.kind = reader.u8();
  section.length = reader.u8();
  section.body = reader.view(section.length);
  return reader.ok() ? Error::none : Error::truncated;
}

Error decodePoll(const RoutedSection& section, PollSection& poll) {
  Reader reader(section.body, section.length);
  Verdict verdict(reader);
  poll.number = reader.u16();
  const uint8_t packets = reader.u8();
  poll.sweeps = (packets & pollSweeps) != 0;
  poll.packets = static_cast<uint8_t>(packets & ~pollSweeps);
  verdict.require(poll.packets >= 1 && poll.packets <= pollPacketsMax);
  poll.depth = reader.u8();
  verdict.require(poll.depth >= 1 && poll.depth <= hopsMax);
  return verdict.endOfSection();
}

Error decodeCustody(const RoutedSection& section, CustodySection& custody) {
  if (section.length == 0 || section.length % custodyEntryBytes != 0) return Error::badLength;
  const size_t entries = section.length / custodyEntryBytes;
  if (entries > custodyEntriesMax) return Error::badLength;
  custody.entries = static_cast<uint8_t>(entries);
  Reader reader(section.body, section.length);
  for (size_t i = 0; i < entries; i++) {
    custody.entry[i].origin = reader.u16();
    custody.entry[i].session = reader.u8();
    custody.entry[i].counter = reader.u32();
  }
  return Error::none;
}

Error decodeWake(const RoutedSection& section, WakeSection& wake) {
  if (section.length != wakeBytes) return Error::badLength;
  wake.phase = Reader(section.body, section.length).u16();
  return decodeBeacon(section.body + wakePhaseBytes, beaconBytes, wake.beacon);
}

Error decodePacketSection(const RoutedSection& section, PacketSection& packet) {
  if (section.length < packetFlagsBytes + packetBytesMin || section.length > packetFlagsBytes + packetBytesMax) {
    return Error::badLength;
  }
  packet.flags = section.body[0] & packetFlagHold;
  packet.packet = section.body + packetFlagsBytes;
  packet.packetLength = section.length - packetFlagsBytes;
  return Error::none;
}

Error decodePacketFor(const RoutedSection& section, PacketForSection& packet) {
  if (section.length < packetTargetBytes + packetBytesMin || section.length > packetTargetBytes + packetBytesMax) return Error::badLength;
  Reader reader(section.body, section.length);
  packet.target = reader.u16();
  packet.packetLength = reader.remaining();
  packet.packet = reader.view(packet.packetLength);
  return Error::none;
}

bool writePoll(Writer& writer, const PollSection& poll) {
  const size_t start = writer.length();
  writer.u8(routedPoll);
  writer.u8(pollBytes);
  writer.u16(poll.number);
  writer.u8(static_cast<uint8_t>(poll.packets | (poll.sweeps ? pollSweeps : 0)));
  writer.u8(poll.depth);
  return keepOrRewind(writer, start);
}

bool writeCustody(Writer& writer, const CustodyEntry* entries, size_t count) {
  const size_t start = writer.length();
  writer.u8(routedCustody);
  writer.u8(static_cast<uint8_t>(count * custodyEntryBytes));
  for (size_t i = 0; i < count; i++) {
    writer.u16(entries[i].origin);
    writer.u8(entries[i].session);
    writer.u32(entries[i].counter);
  }
  return keepOrRewind(writer, start);
}

bool writeWake(Writer& writer, const WakeSection& wake) {
  const size_t start = writer.length();
  uint8_t beacon[beaconBytes];
  writer.u8(routedWake);
  writer.u8(wakeBytes);
  writer.u16(wake.phase);
  writer.bytes(beacon, encodeBeacon(wake.beacon, beacon, sizeof beacon));
  return keepOrRewind(writer, start);
}

bool writePacket(Writer& writer, uint8_t flags, const uint8_t* packet, size_t length) {
  const size_t start = writer.length();
  writer.u8(routedPacket);
  writer.u8(static_cast<uint8_t>(packetFlagsBytes + length));
  writer.u8(flags);
  writer.bytes(packet, length);
  return keepOrRewind(writer, start);
}

bool writePacketFor(Writer& writer, uint16_t target, const uint8_t* packet, size_t length) {
  const size_t start = writer.length();
  writer.u8(routedPacketFor);
  writer.u8(static_cast<uint8_t>(packetTargetBytes + length));
  writer.u16(target);
  writer.bytes(packet, length);
  return keepOrRewind(writer, start);
}

}  // namespace wattmesh
