#include "wattmesh/control.hpp"

#include "wattmesh/bytes.hpp"
#include "wattmesh/checks.hpp"

namespace wattmesh {

namespace {

constexpr uint8_t challengeAsks = 1;
constexpr uint8_t challengeAnswers = 2;

// `direction`, at most `last`, and the packet are the rest of the body. Nothing rides on a solicitation.
Error takePacket(Reader& reader, Direction last, Direction& direction, const uint8_t*& packet, size_t& packetLength) {
  Verdict verdict(reader);
  direction = static_cast<Direction>(reader.u8());
  verdict.require(direction >= Direction::up && direction <= last);
  if (verdict.error() != Error::none) return verdict.error();
  packetLength = 0;
  if (direction == Direction::solicit) return endError(reader);
  packetLength = reader.remaining();
  packet = reader.view(packetLength);
  return packetLengthError(packetLength);
}

}  // namespace

Error decodeRoute(const uint8_t* body, size_t length, Route& route) {
  Reader reader(body, length);
  Verdict verdict(reader);
  route.hops = reader.u8();
  route.kind = static_cast<RouteKind>(reader.u8());
  verdict.require(route.kind >= RouteKind::parentChanged && route.kind <= RouteKind::newTree);
  route.node = reader.u16();
  route.other = reader.u16();
  route.number = reader.u16();
  return verdict.end();
}

size_t encodeRoute(const Route& route, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  writer.u8(route.hops);
  writer.u8(static_cast<uint8_t>(route.kind));
  writer.u16(route.node);
  writer.u16(route.other);
  writer.u16(route.number);
  return writtenBytes(writer);
}

Error decodeChallenge(const uint8_t* body, size_t length, Challenge& challenge) {
  Reader reader(body, length);
  Verdict verdict(reader);
  const uint8_t kind = reader.u8();
  verdict.require(kind == challengeAsks || kind == challengeAnswers);
  challenge.isAnswer = kind == challengeAnswers;
  reader.copy(challenge.nonce, nonceBytes);
  challenge.counter = challenge.isAnswer ? reader.u32() : uint32_t{0};
  return verdict.end();
}

size_t encodeChallenge(const Challenge& challenge, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  writer.u8(challenge.isAnswer ? challengeAnswers : challengeAsks);
  writer.bytes(challenge.nonce, nonceBytes);
  if (challenge.isAnswer) writer.u32(challenge.counter);
  return writtenBytes(writer);
}

Error decodeJoin(const uint8_t* body, size_t length, Join& join) {
  Reader reader(body, length);
  return takePacket(reader, Direction::solicit, join.direction, join.packet, join.packetLength);
}

size_t encodeJoin(const Join& join, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  writer.u8(static_cast<uint8_t>(join.direction));
  writer.bytes(join.packet, join.packetLength);
  return writtenBytes(writer);
}

Error decodeLeave(const uint8_t* body, size_t length, Leave& leave) {
  Reader reader(body, length);
  leave.origin = reader.u16();
  leave.newHub = reader.u16();
  leave.number = reader.u16();
  return endError(reader);
}

size_t encodeLeave(const Leave& leave, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  writer.u16(leave.origin);
  writer.u16(leave.newHub);
  writer.u16(leave.number);
  return writtenBytes(writer);
}

Error decodeFlood(const uint8_t* body, size_t length, Flood& flood) {
  Reader reader(body, length);
  flood.ttl = reader.u8();
  flood.origin = reader.u16();
  flood.number = reader.u16();
  return takePacket(reader, Direction::down, flood.direction, flood.packet, flood.packetLength);
}

size_t encodeFlood(const Flood& flood, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  writer.u8(flood.ttl);
  writer.u16(flood.origin);
  writer.u16(flood.number);
  writer.u8(static_cast<uint8_t>(flood.direction));
  writer.bytes(flood.packet, flood.packetLength);
  return writtenBytes(writer);
}

}  // namespace wattmesh
