#include <vector>

#include "check.hpp"
#include "wattmesh/events.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;
constexpr uint64_t utc0 = 1790000000 * usPerS;

struct Bench {
  Bench() { clock.set(utc0, 0); }
  // What the next packet tells, and that it is on its way.
  std::vector<Event> tell(uint64_t nowUs, bool sent = true) {
    uint8_t plain[eventsMax * (sectionHeaderBytes + eventBytes)];
    Writer writer(plain, sizeof plain);
    events.write(writer, clock);
    events.told(sent, nowUs);
    CHECK_EQUAL(checkUpSections(plain, writer.length()), Error::none);
    std::vector<Event> told;
    Reader reader(plain, writer.length());
    Section section{};
    while (reader.remaining() > 0 && nextSection(reader, section) == Error::none) {
      Event event{};
      CHECK_EQUAL(decodeEvent(section, event), Error::none);
      told.push_back(event);
    }
    return told;
  }
  NetworkClock clock;
  Events events;
};

}  // namespace

TEST(anEventIsToldAtOnceAndAgainUntilItIsSeen) {
  Bench bench;
  CHECK_EQUAL(bench.events.nextUs(), never);
  bench.events.raise(EventCode::overCurrent, 165, 10 * s);
  CHECK_EQUAL(bench.events.nextUs(), 10 * s);
  // There was no room for it: it is tried again soon.
  CHECK_EQUAL(bench.tell(11 * s, false).size(), 1u);
  CHECK(bench.events.nextUs() > 11 * s && bench.events.nextUs() < 12 * s);
  uint64_t at = 12 * s;
  uint64_t pauseUs = 0;
  for (unsigned i = 0; i < 12; i++) {
    const std::vector<Event> told = bench.tell(at);
    CHECK_EQUAL(told.size(), 1u);
    CHECK_EQUAL(unsigned{told[0].code}, 3u);
    CHECK_EQUAL(told[0].value, 165);
    // The moment at which it happened, whenever it is told.
    CHECK_EQUAL(told[0].utcMs, (utc0 + 10 * s) / usPerMs);
    CHECK(bench.events.nextUs() - at >= pauseUs && bench.events.nextUs() - at <= 1800 * s);
    pauseUs = bench.events.nextUs() - at;
    at = bench.events.nextUs();
  }
  Event seen = bench.tell(at)[0];
  seen.utcMs++;
  bench.events.seen(seen);
  CHECK(bench.events.nextUs() != never);
  seen.utcMs--;
  bench.events.seen(seen);
  CHECK_EQUAL(bench.events.nextUs(), never);
}

TEST(anotherSessionTellsWhatWaitsAtOnce) {
  Bench bench;
  bench.events.raise(EventCode::tamper, 1, 10 * s);
  for (uint64_t at = 10 * s; at < 600 * s; at = bench.events.nextUs()) bench.tell(at);
  bench.events.again(601 * s);
  CHECK_EQUAL(bench.events.nextUs(), 601 * s);
}

TEST(aStormIsBoundedAndCounted) {
  Bench bench;
  for (unsigned i = 0; i < 100; i++) bench.events.raise(EventCode::overVoltage, 2600, 10 * s + i * usPerMs);
  std::vector<Event> told = bench.tell(11 * s);
  CHECK_EQUAL(told.size(), eventsMax);
  for (const Event& event : told) bench.events.seen(event);
  // There is room, but they came too fast.
  bench.events.tick(12 * s);
  CHECK_EQUAL(bench.events.nextUs(), never);
  bench.events.tick(10 * s + eventPeriodS * s + s);
  told = bench.tell(30 * s);
  CHECK_EQUAL(told.size(), 1u);
  CHECK_EQUAL(unsigned{told[0].code}, 9u);
  CHECK_EQUAL(told[0].value, static_cast<int16_t>(100 - eventsMax));
  // That one is told once.
  bench.events.seen(told[0]);
  bench.events.tick(100 * s);
  CHECK_EQUAL(bench.events.nextUs(), never);
}
