#include <cstring>
#include <memory>
#include <vector>

#include "check.hpp"
#include "wattmesh/flood.hpp"

using namespace wattmesh;

namespace {

constexpr uint16_t origin = 7;

// One station's share of the flooding: its queue, and a radio that takes every frame.
struct Station {
  Station() {
    flooding.begin(100);
    flooding.use(Room{known.data(), known.size()});
  }

  QueuedItem* start() { return flooding.start(origin, Direction::up, packet.data(), packet.size(), *queue, 0); }

  Flood heard(uint16_t number, uint8_t ttl = 5) const { return Flood{ttl, 3, number, Direction::down, packet.data(), packet.size()}; }

  // The body that goes out at this time, as it would be received.
  bool send(uint64_t nowUs, Flood& flood) {
    QueuedItem* slot = flooding.due(*queue, nowUs);
    if (slot == nullptr) return false;
    CHECK(decodeFlood(slot->bytes, slot->length, flood) == Error::none);
    slot->state = QueuedItem::State::inFlight;
    flooding.sent(*queue, nowUs + Flooding::listenUs);
    return true;
  }

  std::vector<uint8_t> memory = std::vector<uint8_t>(meterQueueBytes);
  std::unique_ptr<Queue> queue = std::make_unique<Queue>(Room{memory.data(), memory.size()});
  Flooding flooding;
  std::vector<uint8_t> known = std::vector<uint8_t>(Flooding::memoryBytes);
  std::vector<uint8_t> packet = std::vector<uint8_t>(packetBytesMin, 0x13);
};

}  // namespace

TEST(floodIsRepeatedWithLessToLive) {
  Station station;
  const Flood flood = station.heard(1);
  CHECK(station.flooding.heard(flood, *station.queue));
  CHECK(station.flooding.repeat(flood, *station.queue, 0, 10));
  CHECK_EQUAL(station.flooding.nextUs(*station.queue), 10);
  Flood out{};
  CHECK(!station.send(9, out));
  CHECK(station.send(10, out));
  CHECK_EQUAL(out.ttl, 4);
  CHECK_EQUAL(out.origin, 3);
  CHECK_EQUAL(out.number, 1);
  CHECK(out.direction == Direction::down);
  // The next one repeats it too: that is all there is to do.
  CHECK(!station.flooding.heard(station.heard(1, 3), *station.queue));
  CHECK(!station.send(10 * usPerS, out));
  CHECK_EQUAL(station.queue->count(), 0);
  CHECK(!station.flooding.heard(flood, *station.queue));
}

TEST(relayThatHearsNobodyElseSendsTwice) {
  Station station;
  const Flood flood = station.heard(1);
  CHECK(station.flooding.heard(flood, *station.queue));
  CHECK(station.flooding.repeat(flood, *station.queue, 0, 10));
  Flood out{};
  unsigned sends = 0;
  for (uint64_t nowUs = 10; station.send(nowUs, out); nowUs += Flooding::listenUs) {
    CHECK(!station.send(nowUs, out));
    sends++;
  }
  CHECK_EQUAL(sends, Flooding::relaySendsMax);
  CHECK_EQUAL(station.queue->count(), 0);
}

TEST(floodThatEnoughNeighboursRepeatedIsLetGo) {
  for (unsigned copies = 1; copies <= Flooding::copiesEnough; copies++) {
    check::context("copies", copies);
    Station station;
    const Flood flood = station.heard(1);
    CHECK(station.flooding.heard(flood, *station.queue));
    CHECK(station.flooding.repeat(flood, *station.queue, 0, 10));
    for (unsigned copy = 1; copy < copies; copy++) CHECK(!station.flooding.heard(station.heard(1, 3), *station.queue));
    Flood out{};
    CHECK_EQUAL(station.send(10, out), copies < Flooding::copiesEnough);
    CHECK_EQUAL(station.send(usPerS, out), copies == 1);
    CHECK_EQUAL(station.queue->count(), 0);
  }
}

TEST(originRepeatsUntilSomebodyIsHeard) {
  for (unsigned heardAfter = 1; heardAfter <= Flooding::originSendsMax; heardAfter++) {
    check::context("heard after", heardAfter);
    Station station;
    CHECK(station.start() != nullptr);
    Flood out{};
    uint64_t nowUs = 0;
    unsigned sends = 0;
    for (; station.send(nowUs, out); nowUs += Flooding::listenUs) {
      CHECK_EQUAL(out.ttl, Flooding::ttlMax);
      CHECK_EQUAL(out.number, 101);
      CHECK(!station.send(nowUs, out));
      if (++sends == heardAfter) CHECK(!station.flooding.heard(out, *station.queue));
    }
    CHECK_EQUAL(sends, heardAfter);
    CHECK_EQUAL(station.queue->count(), 0);
  }
}

TEST(copiesOfOtherFloodsDoNotCount) {
  Station station;
  const Flood flood = station.heard(1);
  CHECK(station.flooding.heard(flood, *station.queue));
  CHECK(station.flooding.repeat(flood, *station.queue, 0, 10));
  for (uint16_t number = 2; number < 6; number++) {
    CHECK(station.flooding.heard(station.heard(number), *station.queue));
    CHECK(!station.flooding.heard(station.heard(number), *station.queue));
  }
  Flood out{};
  CHECK(station.send(10, out));
}

TEST(fullQueueTakesNoFlood) {
  Station station;
  for (size_t i = 0; i < queueFramesMax; i++) CHECK(station.start() != nullptr);
  CHECK(station.start() == nullptr);
  CHECK(!station.flooding.repeat(station.heard(1), *station.queue, 0, 0));
}

TEST(refusedFloodComesAgain) {
  Station station;
  CHECK(station.start() != nullptr);
  QueuedItem* slot = station.flooding.due(*station.queue, 0);
  CHECK(slot != nullptr);
  station.flooding.refused(*slot, 50);
  CHECK(station.flooding.due(*station.queue, 49) == nullptr);
  CHECK(station.flooding.due(*station.queue, 50) == slot);
}
