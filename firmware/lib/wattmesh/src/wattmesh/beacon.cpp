#include "wattmesh/beacon.hpp"

#include "wattmesh/bytes.hpp"
#include "wattmesh/checks.hpp"

namespace wattmesh {

namespace {

constexpr uint8_t flagGrounded = 0x01;
constexpr uint8_t flagPull = 0x02;
constexpr uint8_t flagCongested = 0x04;
constexpr uint8_t flagTimeValid = 0x08;
constexpr unsigned energyShift = 4;
constexpr uint8_t energyMask = 0x03;
constexpr uint8_t flagHub = 0x40;
constexpr uint8_t flagJoined = 0x80;
constexpr uint16_t subMillisecondMax = 99;

bool isValid(const Beacon& beacon) {
  return beacon.energyClass <= EnergyClass::battery && beacon.subMillisecond <= subMillisecondMax;
}

void setFlags(Beacon& beacon, uint8_t flags) {
  beacon.grounded = (flags & flagGrounded) != 0;
  beacon.pull = (flags & flagPull) != 0;
  beacon.congested = (flags & flagCongested) != 0;
  beacon.timeValid = (flags & flagTimeValid) != 0;
  beacon.energyClass = static_cast<EnergyClass>(flags >> energyShift & energyMask);
  beacon.isHub = (flags & flagHub) != 0;
  beacon.joined = (flags & flagJoined) != 0;
}

uint8_t flagsOf(const Beacon& beacon) {
  return static_cast<uint8_t>((beacon.grounded ? flagGrounded : 0) | (beacon.pull ? flagPull : 0) |
                              (beacon.congested ? flagCongested : 0) | (beacon.timeValid ? flagTimeValid : 0) |
                              static_cast<uint8_t>(beacon.energyClass) << energyShift | (beacon.isHub ? flagHub : 0) |
                              (beacon.joined ? flagJoined : 0));
}

}  // namespace

Error decodeBeacon(const uint8_t* body, size_t length, Beacon& beacon) {
  Reader reader(body, length);
  beacon.shortId = reader.u16();
  beacon.epoch = reader.u16();
  beacon.tree = reader.u16();
  beacon.gateway = reader.u16();
  beacon.nearestHub = reader.u16();
  beacon.localHubId = reader.u16();
  beacon.hops = reader.u8();
  beacon.cost = reader.u16();
  setFlags(beacon, reader.u8());
  beacon.queue = reader.u8();
  beacon.number = reader.u8();
  beacon.utcMs = reader.u48();
  beacon.lastDelay = reader.u16();
  beacon.subMillisecond = reader.u16();
  beacon.timeAge = reader.u8();
  const Error error = endError(reader);
  if (error != Error::none) return error;
  return isValid(beacon) ? Error::none : Error::badField;
}

size_t encodeBeacon(const Beacon& beacon, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  writer.u16(beacon.shortId);
  writer.u16(beacon.epoch);
  writer.u16(beacon.tree);
  writer.u16(beacon.gateway);
  writer.u16(beacon.nearestHub);
  writer.u16(beacon.localHubId);
  writer.u8(beacon.hops);
  writer.u16(beacon.cost);
  writer.u8(flagsOf(beacon));
  writer.u8(beacon.queue);
  writer.u8(beacon.number);
  writer.u48(beacon.utcMs);
  writer.u16(beacon.lastDelay);
  writer.u16(beacon.subMillisecond);
  writer.u8(beacon.timeAge);
  return writtenBytes(writer);
}

}  // namespace wattmesh
