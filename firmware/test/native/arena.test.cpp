#include <cstring>
#include <vector>

#include "check.hpp"
#include "wattmesh/arena.hpp"
#include "wattmesh/packet.hpp"
#include "wattmesh/queue.hpp"

using namespace wattmesh;

namespace {

struct Owner : Packed {
  int number = 0;
};

struct Bench {
  explicit Bench(size_t bytes) : memory(bytes), arena(Room{memory.data(), memory.size()}, owners, sizeof owners[0], 4) {}

  bool put(size_t index, size_t length) {
    uint8_t* room = arena.room(length);
    if (room == nullptr) return false;
    memset(room, static_cast<int>(index + 1), length);
    arena.keep(owners[index], length);
    return true;
  }
  bool holds(size_t index, size_t length) const {
    const Owner& owner = owners[index];
    const std::vector<uint8_t> expected(length, static_cast<uint8_t>(index + 1));
    return owner.length == length && memcmp(owner.bytes, expected.data(), length) == 0;
  }

  std::vector<uint8_t> memory;
  Owner owners[4];
  Arena arena;
};

Item itemOf(const std::vector<uint8_t>& packet, uint16_t origin) {
  Item item{};
  item.hops = 1;
  item.route[0] = origin;
  item.packet = packet.data();
  item.packetLength = packet.size();
  return item;
}

}  // namespace

TEST(arenaGivesAgainWhatWasFreedInTheMiddle) {
  Bench bench(100);
  CHECK(bench.put(0, 30));
  CHECK(bench.put(1, 30));
  CHECK(bench.put(2, 40));
  CHECK(!bench.put(3, 1));
  bench.owners[1].length = 0;
  CHECK(!bench.put(3, 31));
  CHECK(bench.put(3, 30));
  CHECK(bench.holds(0, 30));
  CHECK(bench.holds(2, 40));
  CHECK(bench.holds(3, 30));
}

TEST(arenaClosesUpInTheOrderOfAddresses) {
  Bench bench(60);
  CHECK(bench.put(3, 10));
  CHECK(bench.put(1, 20));
  CHECK(bench.put(0, 30));
  bench.owners[3].length = 0;
  CHECK(bench.put(2, 10));
  CHECK(bench.holds(1, 20));
  CHECK(bench.holds(0, 30));
  bench.owners[1].length = 0;
  bench.owners[0].length = 0;
  CHECK(bench.put(3, 50));
  CHECK(bench.holds(2, 10));
  CHECK(bench.holds(3, 50));
}

TEST(queueIsFullByLengthToo) {
  constexpr size_t itemBytes = 2 + 2 + packetBytesMax;
  std::vector<uint8_t> memory(2 * itemBytes + queueOwnReserveBytes);
  Queue queue(Room{memory.data(), memory.size()});
  std::vector<uint8_t> packet(packetBytesMax);
  PacketHeader header{};
  header.type = packetUp;
  Writer writer(packet.data(), packet.size());
  CHECK(encodePacketHeader(writer, header));
  CHECK(queue.push(itemOf(packet, 1), 0) != nullptr);
  CHECK(!queue.congested());
  QueuedItem* second = queue.push(itemOf(packet, 2), 0);
  CHECK(second != nullptr);
  CHECK(queue.congested());
  CHECK(queue.push(itemOf(packet, 3), 0) == nullptr);
  CHECK_EQUAL(queue.count(), 2);
  // There is still room for this node's own handshake.
  Item own{};
  own.packet = packet.data();
  own.packetLength = packet.size();
  for (size_t i = 0; i < queueOwnReserve; i++) {
    QueuedItem* part = queue.push(own, 0);
    CHECK(part != nullptr);
    part->own = true;
  }
  queue.dropOwn();
  second->state = QueuedItem::State::empty;
  const QueuedItem* third = queue.push(itemOf(packet, 3), 0);
  CHECK(third != nullptr);
  Item item{};
  for (const QueuedItem& slot : queue) {
    if (slot.state == QueuedItem::State::empty) continue;
    Reader reader(slot.bytes, slot.length);
    CHECK(decodeItem(reader, item) == Error::none);
    CHECK(item.route[0] == 1 || item.route[0] == 3);
  }
}
