// One item of a DATA frame: a packet on its way up, with the route it took (PROTOCOL.md, section 2.2).
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/bytes.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/limits.hpp"

namespace wattmesh {

constexpr uint16_t shortIdNone = 0;
constexpr uint16_t shortIdReserved = 0xffff;
constexpr uint16_t hubShortIdMin = 0x8000;
constexpr size_t dataHeaderBytes = 2;  // the sender's cost, before the items

// True for the short ids of hubs and gateways.
inline bool isHub(uint16_t shortId) { return shortId >= hubShortIdMin && shortId != shortIdReserved; }

struct Item {
  uint8_t hops;
  uint16_t route[hopsMax];  // the origin first
  bool more;
  bool isAnswer;
  bool urgent;
  uint16_t poll;          // of an answer
  const uint8_t* packet;  // points into what was decoded
  size_t packetLength;    // 0: an empty answer
};

// Reads one item; afterwards reader.remaining() > 0 means that another follows. `before`: the item in front of it in a DATA frame, with which
// it shares the last part of its route; nullptr for the first one.
[[nodiscard]] Error decodeItem(Reader& reader, Item& item, const Item* before = nullptr);
// False: it does not fit; then the writer is as it was.
bool encodeItem(Writer& writer, const Item& item, const Item* before = nullptr);
// A report of a battery leaf: it answers poll 0, which no hub sends, and is never polled.
inline bool isLeafReport(const Item& item) { return item.isAnswer && item.poll == 0; }
// Index in the route of the custodian: the last hub, or the origin when there is none.
size_t custodianIndex(const Item& item);
// The hub whose member the origin is: the first one in the route, or the origin when it is one itself; 0: none so far.
uint16_t servingHub(const Item& item);

}  // namespace wattmesh
