// Whole devices in situations that need more than one part to go wrong.
#include "station.hpp"
#include "wattmesh/envelope.hpp"

using namespace station;

TEST(packetThatNobodyAnswersGivesWayToM1) {
  Station station(Role::meter);
  MeterDevice device(station.chip, station.config);
  CHECK(device.node.boot(station.nowUs) == Error::none);
  station.join(device.node);
  // Rows have gone out, and more are on the air.
  station.run(device.node, 12 * usPerS);
  station.hearBeacon(device.node);
  station.run(device.node, 12 * usPerS, packetUp);
  CHECK_EQUAL(station.packetOnAir(), packetUp);
  // Half a minute without an answer asks for a new session; the radio gives the frame back only then.
  for (unsigned period = 0; period < 5; period++) {
    station.nowUs += 5 * usPerS;
    station.hearBeacon(device.node);
  }
  CHECK(device.node.session().joined());
  station.onAir.clear();
  station.nextUs = device.node.sent(false, station.nowUs);
  station.run(device.node, 15 * usPerS, packetM1);
  CHECK_EQUAL(station.packetOnAir(), packetM1);
}

TEST(gatewayRestsWhileItsHostIsSilent) {
  Station station(Role::gateway);
  GatewayDevice device(station.chip, station.config);
  CHECK(device.node.boot(station.nowUs) == Error::none);
  HelloHost hello{};
  hello.networkNumber = station.config.networkNumber;
  Bytes envelope(envelopeBytesMax);
  envelope.resize(encodeHelloHost(hello, envelope.data(), envelope.size()));
  station.nextUs = device.node.hostBytes(envelope.data(), envelope.size(), station.nowUs);
  station.run(device.node, 40 * usPerS);
  // Its handshakes wait for the host to come back.
  CHECK(device.node.queued() > 0);
  CHECK(station.run(device.node, 10 * usPerS) < 100);
}

TEST(clockTakesNoTimeThatRowsCannotCarry) {
  NetworkClock clock;
  CHECK(!clock.set((uint64_t{1} << 48) * usPerMs, 0));
  CHECK(!clock.valid());
  CHECK(clock.set(utcMs * usPerMs, 0));
  CHECK(clock.valid());
  clock.set(uint64_t{UINT32_MAX} * usPerS, 0);
  CHECK_EQUAL(clock.utcS(0), utcMs / 1000);
}

TEST(clockTellsWhenItHasBecomeAnotherTime) {
  NetworkClock clock;
  CHECK(clock.set(utcMs * usPerMs, 0));
  CHECK(!clock.set(utcMs * usPerMs + 50 * usPerMs, 0));
  CHECK(!clock.set(utcMs * usPerMs + usPerS - 10 * usPerMs, usPerS));
  CHECK(clock.set(utcMs * usPerMs + 2 * usPerS, usPerS));
}

TEST(meterRestsWhenABeaconClaimsAnImpossibleTime) {
  Station station(Role::meter);
  MeterDevice device(station.chip, station.config);
  CHECK(device.node.boot(station.nowUs) == Error::none);
  Beacon beacon{};
  beacon.shortId = parentShortId;
  beacon.grounded = beacon.timeValid = true;
  beacon.utcMs = (uint64_t{1} << 48) - 1;
  Bytes body(beaconBytes);
  encodeBeacon(beacon, body.data(), body.size());
  station.hear(device.node, FrameType::beacon, true, body);
  CHECK(station.run(device.node, 10 * usPerS) < 100);
}
