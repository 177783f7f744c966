#include "wattmesh/item.hpp"

#include "wattmesh/checks.hpp"

namespace wattmesh {

namespace {
constexpr uint8_t hopsMask = 0x1f;
constexpr uint8_t flagMore = 0x20;
constexpr uint8_t flagAnswer = 0x40;
constexpr uint8_t flagUrgent = 0x80;
constexpr size_t itemHeaderBytes = 2;
}  // namespace

Error decodeItem(Reader& reader, Item& item) {
  const uint8_t head = reader.u8();
  item.packetLength = reader.u8();
  if (!reader.ok()) return Error::truncated;
  item.hops = head & hopsMask;
  item.more = (head & flagMore) != 0;
  item.isAnswer = (head & flagAnswer) != 0;
  item.urgent = (head & flagUrgent) != 0;
  if (item.hops > hopsMax) return Error::badField;
  // Only an answer to a poll may be empty.
  if (item.packetLength == 0 && !item.isAnswer) return Error::badLength;
  if (item.packetLength != 0 && packetLengthError(item.packetLength) != Error::none) return Error::badLength;
  for (size_t i = 0; i < item.hops; i++) item.route[i] = reader.u16();
  item.poll = item.isAnswer ? reader.u16() : uint16_t{0};
  item.packet = reader.view(item.packetLength);
  return reader.ok() ? Error::none : Error::truncated;
}

bool encodeItem(Writer& writer, const Item& item) {
  const size_t start = writer.length();
  writer.u8(static_cast<uint8_t>(item.hops | (item.more ? flagMore : 0) | (item.isAnswer ? flagAnswer : 0) |
                                 (item.urgent ? flagUrgent : 0)));
  writer.u8(static_cast<uint8_t>(item.packetLength));
  for (size_t i = 0; i < item.hops; i++) writer.u16(item.route[i]);
  if (item.isAnswer) writer.u16(item.poll);
  writer.bytes(item.packet, item.packetLength);
  return keepOrRewind(writer, start);
}

size_t itemBytes(const Item& item) {
  return itemHeaderBytes + size_t{2} * item.hops + (item.isAnswer ? 2u : 0u) + item.packetLength;
}

size_t custodianIndex(const Item& item) {
  for (size_t i = item.hops; i > 0; i--) {
    if (isHub(item.route[i - 1])) return i - 1;
  }
  return 0;
}

}  // namespace wattmesh
