// The end-to-end packet: header, handshake payloads, suite "none" (PROTOCOL.md, section 3).
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/bytes.hpp"
#include "wattmesh/config.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/limits.hpp"

namespace wattmesh {

constexpr uint8_t packetM1 = 1;
constexpr uint8_t packetM2 = 2;
constexpr uint8_t packetUp = 3;
constexpr uint8_t packetDown = 4;

constexpr uint8_t suiteNone = 0x00;
constexpr uint8_t suiteEcc = 0x01;
constexpr uint8_t suiteRsa = 0x10;

constexpr size_t upHeaderBytes = 13;
constexpr size_t downHeaderBytes = 17;
constexpr size_t crcBytes = 4;
constexpr size_t logIdBytes = 4;
constexpr size_t m1PayloadBytes = 28;
constexpr size_t m2PayloadBytes = 40;

constexpr uint16_t capabilityRoutes = 0x01;
constexpr uint16_t capabilityRelay = 0x02;
constexpr uint16_t capabilityBattery = 0x04;
constexpr uint16_t capabilitySimulated = 0x08;
constexpr uint16_t capabilitiesKnown = 0x0f;

constexpr uint16_t policySuiteNone = 0x01;
constexpr uint16_t policyFlooding = 0x02;
constexpr uint16_t policiesKnown = 0x03;

constexpr uint8_t resetCauseMax = 6;

struct PacketHeader {
  uint8_t type;
  uint8_t suite;
  bool fragment;
  uint8_t nodeId[nodeIdBytes];
  uint8_t session;
  uint32_t epoch;  // down only
  uint32_t counter;
  size_t headerLength;

  bool down() const { return type == packetM2 || type == packetDown; }
};

struct M1Payload {
  uint32_t handshake;
  uint8_t logId[logIdBytes];
  uint8_t firmware[3];
  Role role;
  uint16_t bootCount;
  uint16_t capabilities;
  uint16_t localHubId;
  uint16_t shortId;
  uint16_t intervalS;
  uint16_t pollCycleS;
  EnergyClass energyClass;
  uint8_t resetCause;
  uint16_t registerMask;
};

struct M2Payload {
  uint8_t session;
  uint16_t shortId;
  uint8_t keyId;  // 0 under suite "none"
  uint8_t knet[networkKeyBytes];
  uint16_t localHubId;
  uint64_t utcMs;
  uint32_t acknowledged;
  uint16_t policy;
};

// Judges version, type, suite, flags and the length of the packet as a whole; sets headerLength.
[[nodiscard]] Error decodePacketHeader(const uint8_t* packet, size_t length, PacketHeader& header);
// Writes 13 or 17 bytes by type. False: they do not fit; then the writer is as it was.
bool encodePacketHeader(Writer& writer, const PacketHeader& header);

// Suite "none": appends the CRC to header ‖ plaintext. Returns the new length, 0 when it does not fit.
size_t sealNone(uint8_t* packet, size_t length, size_t capacity);
// Suite "none": checks the CRC; `plain` points into `packet`.
[[nodiscard]] Error openNone(const uint8_t* packet, size_t length, size_t headerLength, const uint8_t*& plain, size_t& plainLength);

// Payloads have exactly m1PayloadBytes and m2PayloadBytes. Encoders return the bytes written, 0 when they do not fit.
[[nodiscard]] Error decodeM1Payload(const uint8_t* bytes, size_t length, M1Payload& payload);
[[nodiscard]] Error decodeM2Payload(const uint8_t* bytes, size_t length, M2Payload& payload);
size_t encodeM1Payload(const M1Payload& payload, uint8_t* out, size_t capacity);
size_t encodeM2Payload(const M2Payload& payload, uint8_t* out, size_t capacity);

}  // namespace wattmesh
