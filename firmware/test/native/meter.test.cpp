#include <cstring>

#include "check.hpp"
#include "device.hpp"
#include "wattmesh/meter.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;
constexpr uint16_t intervalS = 10;
constexpr uint16_t cycleS = 60;

bool readRegisters(void*, Registers* out) {
  *out = Registers{};
  out->mask = 1;
  return true;
}

struct Bench {
  Bench() : chip(recordSectors + 3), port(chip.port()) {
    port.readRegisters = readRegisters;
    config.intervalS = intervalS;
    config.pollCycleS = cycleS;
    clock.set(1768471200 * s, 0);
    CHECK_EQUAL(records.open(port, 0), Error::none);
    CHECK_EQUAL(meter.begin(port, config, records, 1, static_cast<uint32_t>(recordSectors * sectorBytes), 3 * static_cast<uint32_t>(sectorBytes)), Error::none);
  }

  void tick(uint64_t nowUs, bool grounded) { CHECK_EQUAL(meter.tick(nowUs, clock, grounded), Error::none); }

  // Everything that waits goes out in one packet, which a custodian takes and loses.
  void loseEverything(uint64_t nowUs) {
    uint8_t out[200];
    CHECK(meter.write(out, sizeof out) > 0);
    meter.sent(1, nowUs);
    meter.delivery().custody(1);
    CHECK(!meter.hasRows());
  }

  Device chip;
  Port port;
  Config config = {};
  NetworkClock clock;
  Records records;
  Meter meter;
};

}  // namespace

TEST(rowsThatNobodyAcknowledgesGoOutAgainAfterThreeCyclesWithAParent) {
  Bench bench;
  for (uint64_t now = 0; now <= 20 * s; now += s) bench.tick(now, true);
  CHECK(bench.meter.hasRows());
  bench.loseEverything(20 * s);
  bench.port.readRegisters = [](void*, Registers*) { return false; };  // no further rows
  // The parent is lost for a second in every ten, and once for five minutes.
  uint64_t now = 20 * s;
  for (uint64_t grounded = 0; grounded < 3 * cycleS * s; grounded += 9 * s) {
    CHECK(!bench.meter.hasRows());
    for (int second = 0; second < 9; second++) bench.tick(now += s, true);
    for (int second = 0; second < (grounded == 90 * s ? 300 : 1); second++) bench.tick(now += s, false);
  }
  bench.tick(now += s, true);
  CHECK(bench.meter.hasRows());
}
