// The ROUTED body: polls, custody and packets on their way down (PROTOCOL.md, section 2.3).
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/beacon.hpp"
#include "wattmesh/bytes.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/limits.hpp"

namespace wattmesh {

constexpr uint8_t routedPoll = 1;
constexpr uint8_t routedCustody = 2;
constexpr uint8_t routedPacket = 3;
constexpr uint8_t routedPacketFor = 4;
constexpr uint8_t routedWake = 5;

constexpr uint8_t pollPacketsMax = 4;
constexpr uint8_t packetFlagHold = 0x01;
constexpr size_t custodyEntryBytes = 7;
constexpr size_t routedHeaderBytes = 2;
constexpr size_t pollSectionBytes = sectionHeaderBytes + 4;

// Bytes for sections beside a route of so many hops.
constexpr size_t routedRoom(size_t hops) { return bodyBytesMax - routedHeaderBytes - 2 * hops; }

struct Routed {
  uint8_t hops;
  uint8_t at;  // index of the node this frame is for
  uint16_t route[hopsMax];
  const uint8_t* sections;
  size_t sectionsLength;
};

struct RoutedSection {
  uint8_t kind;
  const uint8_t* body;
  uint8_t length;
};

struct PollSection {
  uint16_t number;
  uint8_t packets;  // most packets in the answer, 1..4
  bool sweeps;      // everybody on the way answers too
  uint8_t depth;    // hops to the deepest of the group that is polled together
};

struct CustodyEntry {
  uint16_t origin;
  uint8_t session;
  uint32_t counter;
};

struct CustodySection {
  uint8_t entries;
  CustodyEntry entry[custodyEntriesMax];
};

// A packet for a node on the way, or for a member of the hub at its end.
struct PacketForSection {
  uint16_t target;
  const uint8_t* packet;
  size_t packetLength;
};

// A parent's answer to a leaf that is awake. The time in the beacon is that at which the leaf's frame came.
struct WakeSection {
  uint16_t phase;  // when in its cycle the leaf is to wake, in 1/65536 of it
  Beacon beacon;   // of the parent
};

struct PacketSection {
  uint8_t flags;
  const uint8_t* packet;
  size_t packetLength;
};

// Judges the route and every section of a known kind, so that a malformed frame is dropped as a whole.
[[nodiscard]] Error decodeRouted(const uint8_t* body, size_t length, Routed& routed);
// Writes hops, at and route. False: it does not fit; then the writer is as it was.
bool encodeRoutedHeader(Writer& writer, const Routed& routed);

// The next section; call while reader.remaining() > 0. Unknown kinds are the caller's to skip.
[[nodiscard]] Error nextRoutedSection(Reader& reader, RoutedSection& section);
[[nodiscard]] Error decodePoll(const RoutedSection& section, PollSection& poll);
[[nodiscard]] Error decodeCustody(const RoutedSection& section, CustodySection& custody);
[[nodiscard]] Error decodePacketSection(const RoutedSection& section, PacketSection& packet);
[[nodiscard]] Error decodeWake(const RoutedSection& section, WakeSection& wake);
[[nodiscard]] Error decodePacketFor(const RoutedSection& section, PacketForSection& packet);

// Writers of whole sections. False: it does not fit; then the writer is as it was.
bool writePoll(Writer& writer, const PollSection& poll);
bool writeCustody(Writer& writer, const CustodyEntry* entries, size_t count);
bool writeWake(Writer& writer, const WakeSection& wake);
bool writePacket(Writer& writer, uint8_t flags, const uint8_t* packet, size_t length);
bool writePacketFor(Writer& writer, uint16_t target, const uint8_t* packet, size_t length);
constexpr size_t forSectionBytes(size_t packetLength) { return sectionHeaderBytes + 2 + packetLength; }

}  // namespace wattmesh
