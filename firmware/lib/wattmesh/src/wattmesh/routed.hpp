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
constexpr uint8_t routedLeft = 5;
constexpr uint8_t routedTime = 6;
constexpr uint8_t routedWake = 7;

constexpr uint8_t pollPacketsMax = 4;
constexpr uint8_t packetFlagHold = 0x01;
constexpr size_t custodyEntryBytes = 7;
constexpr size_t leftEntryBytes = 2;
constexpr size_t routedHeaderBytes = 2;
constexpr size_t pollHeadBytes = 4;
constexpr size_t pollEntryBytes = 3;
// Nodes in the tree of a poll: what a frame holds beside its head.
constexpr size_t pollEntriesMax = (bodyBytesMax - 4 - sectionHeaderBytes - pollHeadBytes) / pollEntryBytes;
constexpr size_t timeSectionBytes = sectionHeaderBytes + 8;

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
  uint8_t packets;      // most packets in an answer, 1..4
  uint8_t depth;        // hops to the deepest of the group that is polled together
  const uint8_t* tree;  // who is to pass it on and to answer: the receiver, and everybody below it, in preorder
  size_t entries;       // 1..pollEntriesMax
};

// A node in the tree of a poll.
struct PollEntry {
  uint8_t hops;  // from the hub, 1..20
  bool asked;    // it is to answer
  uint16_t shortId;
};

// From one node to the next only: when the ROUTED frame before this one was gone.
struct TimeSection {
  uint16_t number;  // low half of that frame's link counter
  uint16_t raw;     // the sender's own clock then, in 16 us, the low 16 bits
  uint16_t time;    // network time then, likewise
  int16_t skew;     // how much faster network time goes than the sender's clock, in 2^-24
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

// Members that another hub serves now.
struct LeftSection {
  uint8_t entries;  // 1..custodyEntriesMax
  uint16_t entry[custodyEntriesMax];
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
[[nodiscard]] Error decodeTime(const RoutedSection& section, TimeSection& time);
[[nodiscard]] Error decodeCustody(const RoutedSection& section, CustodySection& custody);
[[nodiscard]] Error decodeLeft(const RoutedSection& section, LeftSection& left);
[[nodiscard]] Error decodePacketSection(const RoutedSection& section, PacketSection& packet);
[[nodiscard]] Error decodeWake(const RoutedSection& section, WakeSection& wake);
[[nodiscard]] Error decodePacketFor(const RoutedSection& section, PacketForSection& packet);

// The frame's poll; false: it holds none.
bool findPoll(const Routed& routed, PollSection& poll);
// Narrows a poll to a child of its first node and those below that child; false: it is none of these.
bool takePoll(PollSection& poll, uint16_t child);
PollEntry pollEntry(const uint8_t* tree, size_t index);
void writePollEntry(Writer& writer, const PollEntry& entry);
// Index behind the last of those below `index`.
size_t pollSubtreeEnd(const PollSection& poll, size_t index);

// Writers of whole sections. False: it does not fit; then the writer is as it was.
// What stands before so many entries, which are a part of the poll's and as deep as that.
void writePollHead(Writer& writer, const PollSection& poll, size_t entries, uint8_t depth);
bool writePoll(Writer& writer, const PollSection& poll);
bool writeTime(Writer& writer, const TimeSection& time);
bool writeCustody(Writer& writer, const CustodyEntry* entries, size_t count);
bool writeLeft(Writer& writer, const uint16_t* entries, size_t count);
bool writeWake(Writer& writer, const WakeSection& wake);
bool writePacket(Writer& writer, uint8_t flags, const uint8_t* packet, size_t length);
bool writePacketFor(Writer& writer, uint16_t target, const uint8_t* packet, size_t length);
constexpr size_t pollSectionBytes(size_t entries) { return sectionHeaderBytes + pollHeadBytes + entries * pollEntryBytes; }
constexpr size_t forSectionBytes(size_t packetLength) { return sectionHeaderBytes + 2 + packetLength; }

}  // namespace wattmesh
