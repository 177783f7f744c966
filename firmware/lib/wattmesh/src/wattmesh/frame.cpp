#include "wattmesh/frame.hpp"

#include "wattmesh/bytes.hpp"

namespace wattmesh {

Error openFrame(const uint8_t* frame, size_t length, FrameHeader& header, const uint8_t*& body, size_t& bodyLength) {
  if (length > frameBytesMax) return Error::oversize;
  Reader reader(frame, length);
  const uint8_t versionAndType = reader.u8();
  header.type = static_cast<FrameType>(versionAndType & 0x0f);
  header.keyId = reader.u8() >> 4;
  header.counter = reader.u32();
  if (length == 0) return Error::truncated;
  if (versionAndType >> 4 != wireVersion) return Error::badVersion;
  if (header.type < FrameType::beacon || header.type > FrameType::flood) return Error::unknownType;
  if (!reader.ok() || reader.remaining() < linkMacBytes) return Error::truncated;
  body = frame + linkHeaderBytes;
  bodyLength = reader.remaining() - linkMacBytes;
  return Error::none;
}

size_t writeFrameHeader(uint8_t* out, FrameType type, uint8_t keyId, uint32_t counter) {
  Writer writer(out, linkHeaderBytes);
  writer.u8(static_cast<uint8_t>(wireVersion << 4 | static_cast<uint8_t>(type)));
  writer.u8(static_cast<uint8_t>(keyId << 4));
  writer.u32(counter);
  return writer.length();
}

void frameMac(const Port& port, const uint8_t linkKey[networkKeyBytes], const uint8_t transmitter[macBytes],
              const uint8_t receiver[macBytes], uint32_t networkNumber, const uint8_t* frame, size_t lengthWithoutMac,
              uint8_t out[linkMacBytes]) {
  uint8_t buffer[hmacRoomBytes + 2 * macBytes + 4 + frameBytesMax];
  Writer writer(buffer + hmacRoomBytes, sizeof buffer - hmacRoomBytes);
  writer.bytes(transmitter, macBytes);
  writer.bytes(receiver, macBytes);
  writer.u32(networkNumber);
  writer.bytes(frame, lengthWithoutMac);
  uint8_t hash[hashBytes];
  hmacSha256(port, linkKey, networkKeyBytes, buffer, writer.length(), hash);
  memcpy(out, hash, linkMacBytes);
}

}  // namespace wattmesh
