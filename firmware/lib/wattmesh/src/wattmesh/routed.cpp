#include "wattmesh/routed.hpp"

#include "wattmesh/checks.hpp"

namespace wattmesh {

namespace {

constexpr size_t timeBytes = timeSectionBytes - sectionHeaderBytes;
constexpr size_t packetFlagsBytes = 1;
constexpr size_t packetTargetBytes = 2;
constexpr size_t wakePhaseBytes = 2;
constexpr size_t wakeBytes = wakePhaseBytes + beaconBytes;
constexpr uint8_t pollHopsMask = 0x1f;
constexpr uint8_t pollAsked = 0x80;

Error checkSection(const RoutedSection& section) {
  PollSection poll;
  CustodySection custody;
  PacketSection packet;
  PacketForSection packetFor;
  LeftSection left;
  TimeSection time;
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
    case routedLeft:
      return decodeLeft(section, left);
    case routedTime:
      return decodeTime(section, time);
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
  poll.packets = reader.u8();
  verdict.require(poll.packets >= 1 && poll.packets <= pollPacketsMax);
  poll.depth = reader.u8();
  verdict.require(poll.depth >= 1 && poll.depth <= hopsMax);
  if (verdict.error() != Error::none) return verdict.error() == Error::truncated ? Error::badLength : verdict.error();
  const size_t bytes = reader.remaining();
  poll.entries = bytes / pollEntryBytes;
  poll.tree = reader.view(bytes);
  if (bytes == 0 || bytes % pollEntryBytes != 0 || poll.entries > pollEntriesMax) return Error::badLength;
  // A tree in preorder: everybody but the first is below the first, and at most one hop below whoever stands before.
  const uint8_t top = pollEntry(poll.tree, 0).hops;
  for (size_t i = 0; i < poll.entries; i++) {
    const uint8_t hops = pollEntry(poll.tree, i).hops;
    const bool isBelow = i == 0 || (hops > top && hops <= pollEntry(poll.tree, i - 1).hops + 1);
    if (hops < 1 || hops > hopsMax || !isBelow) return Error::badField;
  }
  return Error::none;
}

bool findPoll(const Routed& routed, PollSection& poll) {
  Reader reader(routed.sections, routed.sectionsLength);
  RoutedSection section{};
  while (reader.remaining() > 0 && nextRoutedSection(reader, section) == Error::none) {
    if (section.kind == routedPoll && decodePoll(section, poll) == Error::none) return true;
  }
  return false;
}

bool takePoll(PollSection& poll, uint16_t child) {
  for (size_t first = 1; first < poll.entries;) {
    const size_t end = pollSubtreeEnd(poll, first);
    if (pollEntry(poll.tree, first).shortId == child) {
      poll.tree += first * pollEntryBytes;
      poll.entries = end - first;
      return true;
    }
    first = end;
  }
  return false;
}

PollEntry pollEntry(const uint8_t* tree, size_t index) {
  Reader reader(tree + index * pollEntryBytes, pollEntryBytes);
  const uint8_t head = reader.u8();
  return PollEntry{static_cast<uint8_t>(head & pollHopsMask), (head & pollAsked) != 0, reader.u16()};
}

void writePollEntry(Writer& writer, const PollEntry& entry) {
  writer.u8(static_cast<uint8_t>(entry.hops | (entry.asked ? pollAsked : 0)));
  writer.u16(entry.shortId);
}

size_t pollSubtreeEnd(const PollSection& poll, size_t index) {
  const uint8_t hops = pollEntry(poll.tree, index).hops;
  size_t end = index + 1;
  while (end < poll.entries && pollEntry(poll.tree, end).hops > hops) end++;
  return end;
}

Error decodeTime(const RoutedSection& section, TimeSection& time) {
  Reader reader(section.body, section.length);
  Verdict verdict(reader);
  time.number = reader.u16();
  time.raw = reader.u16();
  time.time = reader.u16();
  time.skew = static_cast<int16_t>(reader.u16());
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

Error decodeLeft(const RoutedSection& section, LeftSection& left) {
  if (section.length == 0 || section.length % leftEntryBytes != 0) return Error::badLength;
  const size_t entries = section.length / leftEntryBytes;
  if (entries > custodyEntriesMax) return Error::badLength;
  left.entries = static_cast<uint8_t>(entries);
  Reader reader(section.body, section.length);
  for (size_t i = 0; i < entries; i++) left.entry[i] = reader.u16();
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

void writePollHead(Writer& writer, const PollSection& poll, size_t entries, uint8_t depth) {
  writer.u8(routedPoll);
  writer.u8(static_cast<uint8_t>(pollHeadBytes + entries * pollEntryBytes));
  writer.u16(poll.number);
  writer.u8(poll.packets);
  writer.u8(depth);
}

bool writePoll(Writer& writer, const PollSection& poll) {
  const size_t start = writer.length();
  writePollHead(writer, poll, poll.entries, poll.depth);
  for (size_t i = 0; i < poll.entries; i++) writePollEntry(writer, pollEntry(poll.tree, i));
  return keepOrRewind(writer, start);
}

bool writeTime(Writer& writer, const TimeSection& time) {
  const size_t start = writer.length();
  writer.u8(routedTime);
  writer.u8(timeBytes);
  writer.u16(time.number);
  writer.u16(time.raw);
  writer.u16(time.time);
  writer.u16(static_cast<uint16_t>(time.skew));
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

bool writeLeft(Writer& writer, const uint16_t* entries, size_t count) {
  const size_t start = writer.length();
  writer.u8(routedLeft);
  writer.u8(static_cast<uint8_t>(count * leftEntryBytes));
  for (size_t i = 0; i < count; i++) writer.u16(entries[i]);
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
