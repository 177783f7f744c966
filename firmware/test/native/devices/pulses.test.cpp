#include "../check.hpp"
#include "inputs/pulse_debouncer.hpp"
#include "inputs/pulse_meter.hpp"
#include "inputs/register_masks.hpp"

using inputs::PulseCount;
using inputs::PulseDebouncer;
using inputs::PulseMeter;
using wattmesh::Registers;

namespace {

constexpr uint64_t us = 1;
constexpr uint64_t ms = 1000 * us;
constexpr uint64_t s = 1000 * ms;

Registers readAt(const PulseMeter& meter, uint64_t nowUs) {
  Registers registers{};
  meter.read(nowUs, registers);
  return registers;
}

}  // namespace

TEST(pulseDebouncerCountsCleanPulses) {
  PulseDebouncer line;
  line.begin(10 * ms, false, 0);
  for (uint32_t pulse = 1; pulse <= 3; pulse++) {
    const uint32_t atUs = pulse * 100000;
    line.edge(true, atUs);
    line.edge(false, atUs + 30000);
    CHECK_EQUAL(line.count().pulses, pulse);
    CHECK_EQUAL(line.count().lastUs, atUs);
  }
}

TEST(pulseDebouncerCountsABouncingContactOnce) {
  PulseDebouncer line;
  line.begin(10 * ms, false, 0);
  for (uint32_t bounce = 0; bounce < 8; bounce++) line.edge(bounce % 2 == 0, static_cast<uint32_t>(100 * ms + bounce * 500 * us));
  line.edge(true, 105 * ms);
  CHECK_EQUAL(line.count().pulses, 0);
  // A dip in the middle of the pulse, and bounces at its end.
  line.edge(false, 120 * ms);
  line.edge(true, 121 * ms);
  line.edge(false, 140 * ms);
  line.edge(true, 141 * ms);
  line.edge(false, 142 * ms);
  line.settle(160 * ms);
  CHECK_EQUAL(line.count().pulses, 1);
  CHECK_EQUAL(line.count().lastUs, 105 * ms);
}

TEST(pulseDebouncerIgnoresSpikesAndMissedEdges) {
  PulseDebouncer line;
  line.begin(10 * ms, false, 0);
  for (uint32_t at = 1; at < 50; at++) {
    line.edge(true, static_cast<uint32_t>(at * 20 * ms));
    line.edge(false, static_cast<uint32_t>(at * 20 * ms + 3 * ms));
  }
  CHECK_EQUAL(line.count().pulses, 0);
  // The handler came too late and saw the level of before twice.
  line.edge(false, 2000 * ms);
  line.edge(true, 2100 * ms);
  line.edge(true, 2104 * ms);
  line.settle(2113 * ms);
  CHECK_EQUAL(line.count().pulses, 0);
  line.settle(2114 * ms);
  CHECK_EQUAL(line.count().pulses, 1);
}

TEST(pulseDebouncerStartsInTheMiddleOfAPulse) {
  PulseDebouncer line;
  line.begin(10 * ms, true, 0);
  line.settle(50 * ms);
  line.edge(false, 60 * ms);
  line.settle(90 * ms);
  CHECK_EQUAL(line.count().pulses, 0);
  line.edge(true, 100 * ms);
  line.settle(110 * ms);
  CHECK_EQUAL(line.count().pulses, 1);
}

TEST(pulseDebouncerGoesOnWhenTheClockWrapsRound) {
  PulseDebouncer line;
  const uint32_t start = 0u - static_cast<uint32_t>(5 * ms);
  line.begin(10 * ms, false, start - static_cast<uint32_t>(100 * ms));
  line.edge(true, start);
  line.settle(static_cast<uint32_t>(4 * ms));
  CHECK_EQUAL(line.count().pulses, 0);
  line.settle(static_cast<uint32_t>(5 * ms));
  CHECK_EQUAL(line.count().pulses, 1);
  CHECK_EQUAL(line.count().lastUs, start);
}

TEST(pulseMeterGivesEnergyFromTheFirstPulseAndPowerFromTheSecond) {
  PulseMeter meter(1000);
  CHECK_EQUAL(readAt(meter, s).mask, inputs::maskImport);
  meter.update(PulseCount{1, static_cast<uint32_t>(10 * s)}, 10 * s + 30 * ms);
  CHECK_EQUAL(readAt(meter, 11 * s).mask, inputs::maskImport);
  CHECK_EQUAL(readAt(meter, 11 * s).importDwh, 10);
  // 1 Wh in 3.6 s: 1,000 W.
  meter.update(PulseCount{2, static_cast<uint32_t>(13600 * ms)}, 13700 * ms);
  const Registers registers = readAt(meter, 13700 * ms);
  CHECK_EQUAL(registers.mask, inputs::maskImport | inputs::maskPower);
  CHECK_EQUAL(registers.importDwh, 20);
  CHECK_EQUAL(registers.powerDw, 10000);
}

TEST(pulseMeterSharesTheTimeOfPulsesThatCameTogether) {
  PulseMeter meter(1000);
  meter.update(PulseCount{1, 0}, 0);
  meter.update(PulseCount{5, static_cast<uint32_t>(4 * s)}, 4 * s);
  CHECK_EQUAL(readAt(meter, 4 * s).powerDw, 36000);
  CHECK_EQUAL(readAt(meter, 4 * s).importDwh, 50);
}

TEST(pulseMeterPowerFallsWhileThePulseStaysAway) {
  PulseMeter meter(1000);
  meter.update(PulseCount{1, 0}, 0);
  meter.update(PulseCount{2, static_cast<uint32_t>(36 * s)}, 36 * s);
  CHECK_EQUAL(readAt(meter, 50 * s).powerDw, 1000);
  CHECK_EQUAL(readAt(meter, 36 * s + 72 * s).powerDw, 500);
  CHECK_EQUAL(readAt(meter, 36 * s + 36000 * s).powerDw, 1);
  CHECK_EQUAL(readAt(meter, 36 * s + 400000 * s).powerDw, 0);
}

TEST(pulseMeterKnowsTimesBeyondTheWrapOfMicroseconds) {
  PulseMeter meter(1000);
  const uint64_t late = (uint64_t{5} << 32) + 100;
  meter.update(PulseCount{1, static_cast<uint32_t>(late - 200)}, late);
  meter.update(PulseCount{2, static_cast<uint32_t>(late - 200 + 3600 * ms)}, late + 4000 * ms);
  CHECK_EQUAL(readAt(meter, late + 4000 * ms).powerDw, 10000);
}

TEST(pulseMeterGoesOnFromTheLog) {
  PulseMeter meter(375);  // 2.667 Wh a pulse
  meter.resume(123456789012);
  uint64_t before = 123456789012;
  for (uint32_t pulse = 1; pulse <= 375; pulse++) {
    meter.update(PulseCount{pulse, pulse * 1000}, pulse * 1000);
    const uint64_t now = readAt(meter, pulse * 1000).importDwh;
    CHECK(now - before == 26 || now - before == 27);
    before = now;
  }
  CHECK_EQUAL(before, 123456789012 + 10000);
}

TEST(pulseMeterCounterWrapsRound) {
  PulseMeter meter(1000);
  meter.update(PulseCount{0xffffffff, 0}, 0);
  const uint64_t before = readAt(meter, 0).importDwh;
  meter.update(PulseCount{2, 1000}, 1000);
  CHECK_EQUAL(readAt(meter, 1000).importDwh - before, 30);
  CHECK_EQUAL(readAt(meter, 1000).powerDw, 108000000);  // three pulses in a millisecond
}
