#include "wattmesh/packet.hpp"

#include "wattmesh/checks.hpp"
#include "wattmesh/frame.hpp"
#include "wattmesh/item.hpp"
#include "wattmesh/row.hpp"

namespace wattmesh {

namespace {

constexpr uint8_t suiteMask = 0x1f;
constexpr uint8_t flagFragment = 0x20;

}  // namespace

Error decodePacketHeader(const uint8_t* packet, size_t length, PacketHeader& header) {
  const Error error = packetLengthError(length);
  if (error != Error::none) return error;
  Reader reader(packet, length);
  const uint8_t versionAndType = reader.u8();
  const uint8_t suiteAndFlags = reader.u8();
  if (versionAndType >> 4 != wireVersion) return Error::badVersion;
  header.type = versionAndType & 0x0f;
  if (header.type < packetM1 || header.type > packetDown) return Error::unknownType;
  header.suite = suiteAndFlags & suiteMask;
  header.fragment = (suiteAndFlags & flagFragment) != 0;
  if (header.suite != suiteNone && header.suite != suiteEcc && header.suite != suiteRsa) return Error::badField;
  if (header.fragment && header.suite != suiteRsa) return Error::badField;
  reader.copy(header.nodeId, nodeIdBytes);
  header.session = reader.u8();
  header.epoch = header.down() ? reader.u32() : uint32_t{0};
  header.counter = reader.u32();
  header.headerLength = reader.offset();
  if (!reader.ok()) return Error::truncated;
  const bool isHandshake = header.type == packetM1 || header.type == packetM2;
  return isHandshake && header.session != 0 ? Error::badField : Error::none;
}

bool encodePacketHeader(Writer& writer, const PacketHeader& header) {
  const size_t start = writer.length();
  writer.u8(static_cast<uint8_t>(wireVersion << 4 | header.type));
  writer.u8(static_cast<uint8_t>(header.suite | (header.fragment ? flagFragment : 0)));
  writer.bytes(header.nodeId, nodeIdBytes);
  writer.u8(header.session);
  if (header.down()) writer.u32(header.epoch);
  writer.u32(header.counter);
  return keepOrRewind(writer, start);
}

size_t sealNone(uint8_t* packet, size_t length, size_t capacity) {
  if (length > capacity || capacity - length < crcBytes) return 0;
  Writer writer(packet + length, crcBytes);
  writer.u32(crc32(packet, length));
  return length + crcBytes;
}

Error openNone(const uint8_t* packet, size_t length, size_t headerLength, const uint8_t*& plain, size_t& plainLength) {
  if (length < headerLength + crcBytes) return Error::truncated;
  const size_t protectedLength = length - crcBytes;
  if (Reader(packet + protectedLength, crcBytes).u32() != crc32(packet, protectedLength)) return Error::badCrc;
  plain = packet + headerLength;
  plainLength = protectedLength - headerLength;
  return Error::none;
}

Error decodeM1Payload(const uint8_t* bytes, size_t length, M1Payload& payload) {
  Reader reader(bytes, length);
  Verdict verdict(reader);
  payload.handshake = reader.u32();
  reader.copy(payload.logId, logIdBytes);
  reader.copy(payload.firmware, sizeof payload.firmware);
  payload.role = static_cast<Role>(reader.u8());
  verdict.require(payload.role >= Role::meter && payload.role <= Role::gateway);
  payload.bootCount = reader.u16();
  payload.capabilities = reader.u16() & capabilitiesKnown;
  payload.localHubId = reader.u16();
  payload.shortId = reader.u16();
  payload.intervalS = reader.u16();
  payload.pollCycleS = reader.u16();
  payload.energyClass = static_cast<EnergyClass>(reader.u8());
  verdict.require(payload.energyClass <= EnergyClass::battery);
  payload.resetCause = reader.u8();
  verdict.require(payload.resetCause <= resetCauseMax);
  payload.registerMask = reader.u16();
  verdict.require((payload.registerMask & ~registerMaskAll) == 0);
  return verdict.end();
}

size_t encodeM1Payload(const M1Payload& payload, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  writer.u32(payload.handshake);
  writer.bytes(payload.logId, logIdBytes);
  writer.bytes(payload.firmware, sizeof payload.firmware);
  writer.u8(static_cast<uint8_t>(payload.role));
  writer.u16(payload.bootCount);
  writer.u16(payload.capabilities);
  writer.u16(payload.localHubId);
  writer.u16(payload.shortId);
  writer.u16(payload.intervalS);
  writer.u16(payload.pollCycleS);
  writer.u8(static_cast<uint8_t>(payload.energyClass));
  writer.u8(payload.resetCause);
  writer.u16(payload.registerMask);
  return writtenBytes(writer);
}

Error decodeM2Payload(const uint8_t* bytes, size_t length, M2Payload& payload) {
  Reader reader(bytes, length);
  Verdict verdict(reader);
  payload.session = reader.u8();
  verdict.require(payload.session != 0);
  payload.shortId = reader.u16();
  verdict.require(payload.shortId != shortIdNone && payload.shortId != shortIdReserved);
  payload.keyId = reader.u8();
  verdict.require(payload.keyId <= keyIdMax);
  reader.copy(payload.knet, networkKeyBytes);
  payload.localHubId = reader.u16();
  payload.utcMs = reader.u64();
  verdict.require(payload.utcMs <= wireNumberMax);
  payload.acknowledged = reader.u32();
  payload.policy = reader.u16() & policiesKnown;
  reader.u32();
  return verdict.end();
}

size_t encodeM2Payload(const M2Payload& payload, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  writer.u8(payload.session);
  writer.u16(payload.shortId);
  writer.u8(payload.keyId);
  writer.bytes(payload.knet, networkKeyBytes);
  writer.u16(payload.localHubId);
  writer.u64(payload.utcMs);
  writer.u32(payload.acknowledged);
  writer.u16(payload.policy);
  writer.u32(0);
  return writtenBytes(writer);
}

}  // namespace wattmesh
