#include "wattmesh/item.hpp"

#include "wattmesh/checks.hpp"

namespace wattmesh {

namespace {
constexpr uint8_t hopsMask = 0x1f;
constexpr uint8_t flagMore = 0x20;
constexpr uint8_t flagAnswer = 0x40;
constexpr uint8_t flagUrgent = 0x80;

// How many entries at the ends of both routes are the same.
uint8_t sharedHops(const Item& item, const Item& before) {
  uint8_t shared = 0;
  while (shared < item.hops && shared < before.hops && item.route[item.hops - 1 - shared] == before.route[before.hops - 1 - shared]) shared++;
  return shared;
}
}  // namespace

Error decodeItem(Reader& reader, Item& item, const Item* before) {
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
  const uint8_t shared = before == nullptr ? uint8_t{0} : reader.u8();
  if (shared > item.hops || (before != nullptr && shared > before->hops)) return Error::badField;
  for (size_t i = 0; i + shared < item.hops; i++) item.route[i] = reader.u16();
  for (size_t i = 1; i <= shared; i++) item.route[item.hops - i] = before->route[before->hops - i];
  item.poll = item.isAnswer ? reader.u16() : uint16_t{0};
  item.packet = reader.view(item.packetLength);
  return reader.ok() ? Error::none : Error::truncated;
}

bool encodeItem(Writer& writer, const Item& item, const Item* before) {
  const size_t start = writer.length();
  writer.u8(static_cast<uint8_t>(item.hops | (item.more ? flagMore : 0) | (item.isAnswer ? flagAnswer : 0) |
                                 (item.urgent ? flagUrgent : 0)));
  writer.u8(static_cast<uint8_t>(item.packetLength));
  const uint8_t shared = before == nullptr ? uint8_t{0} : sharedHops(item, *before);
  if (before != nullptr) writer.u8(shared);
  for (size_t i = 0; i + shared < item.hops; i++) writer.u16(item.route[i]);
  if (item.isAnswer) writer.u16(item.poll);
  writer.bytes(item.packet, item.packetLength);
  return keepOrRewind(writer, start);
}

size_t custodianIndex(const Item& item) {
  for (size_t i = item.hops; i > 0; i--) {
    if (isHub(item.route[i - 1])) return i - 1;
  }
  return 0;
}

uint16_t servingHub(const Item& item) {
  for (size_t i = 0; i < item.hops; i++) {
    if (isHub(item.route[i])) return item.route[i];
  }
  return shortIdNone;
}

}  // namespace wattmesh
