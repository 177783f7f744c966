// Items that travel together and came the same way (PROTOCOL.md, section 2.2).
#include <vector>

#include "check.hpp"
#include "wattmesh/item.hpp"

using namespace wattmesh;

namespace {

constexpr uint8_t packet[13] = {0x13};

Item itemOver(const std::vector<uint16_t>& route) {
  Item item{};
  for (uint16_t node : route) item.route[item.hops++] = node;
  item.packet = packet;
  item.packetLength = sizeof packet;
  return item;
}

bool isSame(const Item& a, const Item& b) {
  if (a.hops != b.hops || a.packetLength != b.packetLength || a.more != b.more || a.isAnswer != b.isAnswer || a.poll != b.poll) return false;
  for (size_t i = 0; i < a.hops; i++) {
    if (a.route[i] != b.route[i]) return false;
  }
  return true;
}

// Bytes of the second item behind the first; both come back as they were.
size_t bytesBehind(const Item& first, const Item& second) {
  uint8_t bytes[200];
  Writer writer(bytes, sizeof bytes);
  CHECK(encodeItem(writer, first));
  const size_t start = writer.length();
  CHECK(encodeItem(writer, second, &first));
  Reader reader(bytes, writer.length());
  Item back[2] = {};
  CHECK_EQUAL(decodeItem(reader, back[0]), Error::none);
  CHECK_EQUAL(decodeItem(reader, back[1], &back[0]), Error::none);
  CHECK(isSame(back[0], first) && isSame(back[1], second));
  CHECK_EQUAL(reader.remaining(), 0);
  return writer.length() - start;
}

}  // namespace

TEST(theEndOfARouteIsLeftOutWhereTheItemBeforeHasIt) {
  constexpr size_t bare = 3 + sizeof packet;
  const Item first = itemOver({1, 2, 3, 4});
  CHECK_EQUAL(bytesBehind(first, itemOver({1, 2, 3, 4})), bare);
  CHECK_EQUAL(bytesBehind(first, itemOver({9, 3, 4})), bare + 2);
  CHECK_EQUAL(bytesBehind(first, itemOver({3, 4})), bare);
  CHECK_EQUAL(bytesBehind(first, itemOver({8, 7, 1, 2, 3, 4})), bare + 4);
  CHECK_EQUAL(bytesBehind(first, itemOver({1, 2, 3, 5})), bare + 8);
  CHECK_EQUAL(bytesBehind(first, itemOver({4, 9})), bare + 4);
  CHECK_EQUAL(bytesBehind(first, itemOver({})), bare);
  CHECK_EQUAL(bytesBehind(itemOver({}), itemOver({1})), bare + 2);
}

TEST(sharedRoutesSurviveAnyOrder) {
  check::Random random(4);
  for (unsigned round = 0; round < 2000; round++) {
    check::context("round", round);
    std::vector<uint16_t> routes[2];
    for (auto& route : routes) {
      for (uint32_t hops = random.below(hopsMax + 1); hops > 0; hops--) route.push_back(static_cast<uint16_t>(random.below(3)));
    }
    Item second = itemOver(routes[1]);
    second.isAnswer = random.coin();
    second.more = random.coin();
    if (second.isAnswer) second.poll = 77;
    if (second.isAnswer && random.coin()) second.packetLength = 0;
    bytesBehind(itemOver(routes[0]), second);
  }
}
