// Frames and packets as neighbours and the head-end make them. MACs are zeros, as the board's SHA-256 makes them; CRCs are right, and
// under the keyed suites what is sealed is the plaintext behind which a tag of zeros stands, as the board's AEAD makes it.
#pragma once
#include "input.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/frame.hpp"
#include "wattmesh/noise.hpp"
#include "wattmesh/packet.hpp"

namespace fuzz {

constexpr uint8_t networkKeyId = 1;
constexpr uint32_t networkNumber = 0x12345678;
// What the boards' clocks are set to at first, and the log id of the meter: those of the vectors, so that their packets fit.
constexpr uint64_t startUtcMs = 1790000000123;
constexpr uint8_t meterLogId[wattmesh::logIdBytes] = {0xc0, 0xff, 0xee, 0x01};
constexpr uint8_t firstSession = 7;

// A body that is too long for a frame is cut.
Bytes frame(uint8_t type, uint8_t keyId, uint32_t counter, const Bytes& body);

// A ROUTED body whose frame is for the node at the end of the route.
Bytes routed(const std::vector<uint16_t>& route, const Bytes& sections);
Bytes packetSection(uint8_t flags, const Bytes& packet);
Bytes pollSection(uint16_t number, uint16_t shortId);

// The body of a JOIN frame with an M2.
Bytes joinDown(const Bytes& packet);

// With the network key `keyId`.
Bytes m2Payload(uint16_t shortId, uint32_t acknowledged, uint8_t keyId);
// `suite`: suite and flags as they stand on the wire.
Bytes m2(const uint8_t nodeId[wattmesh::nodeIdBytes], uint32_t handshake, uint8_t suite, const Bytes& payload);

struct Sealing {
  const uint8_t* nodeId;
  uint8_t suite;
  uint8_t session;
};
Bytes down(const Sealing& sealing, uint32_t epoch, uint32_t counter, const Bytes& plain);
Bytes ackSection(uint32_t cumulative);
Bytes commitSection(uint16_t command, const uint8_t nonce[wattmesh::nonceBytes]);

struct Announcement {
  uint16_t shortId;
  uint16_t epoch;
  uint16_t tree;
  uint8_t number;
  uint64_t utcMs;
};
// The BEACON body of a gateway that is grounded and knows the time.
Bytes gatewayBeacon(const Announcement& announcement);

// Puts the right CRC behind a packet under suite "none", and behind every such packet of a ROUTED body.
void repairPacket(uint8_t* packet, size_t length);
void repairPackets(Bytes& routedBody);

}  // namespace fuzz
