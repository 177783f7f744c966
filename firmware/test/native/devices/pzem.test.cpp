// With frames made here; what real devices said is judged by test/firmware/pzem.test.ts.
#include <vector>

#include "../check.hpp"
#include "inputs/pzem_meter.hpp"
#include "inputs/register_masks.hpp"

using namespace inputs;

namespace {

using Bytes = std::vector<uint8_t>;
constexpr uint64_t s = 1000000;

// Modbus CRC as polynomial division of the mirrored message: another way than the parser's.
uint16_t modbusCrc(const Bytes& bytes) {
  uint32_t remainder = 0xffff;
  for (const uint8_t byte : bytes) {
    for (unsigned bit = 0; bit < 8; bit++) {
      const bool isOut = ((remainder >> 15) ^ (byte >> bit)) & 1;
      remainder = (remainder << 1 & 0xffff) ^ (isOut ? 0x8005 : 0);
    }
  }
  uint16_t mirrored = 0;
  for (unsigned bit = 0; bit < 16; bit++) mirrored = static_cast<uint16_t>(mirrored << 1 | (remainder >> bit & 1));
  return mirrored;
}

void append(Bytes& bytes, uint16_t value) {
  bytes.push_back(static_cast<uint8_t>(value >> 8));
  bytes.push_back(static_cast<uint8_t>(value));
}

Bytes withCrc(Bytes bytes) {
  const uint16_t crc = modbusCrc(bytes);
  bytes.push_back(static_cast<uint8_t>(crc));
  bytes.push_back(static_cast<uint8_t>(crc >> 8));
  return bytes;
}

Bytes replyOf(uint8_t address, const PzemReading& reading) {
  Bytes bytes = {address, 4, 20};
  append(bytes, reading.voltageDv);
  for (const uint32_t value : {reading.currentMa, reading.powerDw, reading.energyWh}) {
    append(bytes, static_cast<uint16_t>(value));
    append(bytes, static_cast<uint16_t>(value >> 16));
  }
  append(bytes, reading.frequencyDhz);
  append(bytes, reading.powerFactorPct);
  append(bytes, reading.alarm ? 0xffff : 0);
  return withCrc(bytes);
}

PzemReading someReading(uint32_t energyWh = 0x20003) { return {2301, 0x10002, 0x30004, energyWh, 499, 97, true}; }

unsigned heard(PzemReceiver& receiver, const Bytes& bytes, PzemReading& last) {
  unsigned count = 0;
  for (const uint8_t byte : bytes) count += receiver.push(byte, last) ? 1 : 0;
  return count;
}

Bytes joined(const Bytes& a, const Bytes& b) {
  Bytes all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

void hear(PzemMeter& meter, uint32_t energyWh, uint64_t nowUs) {
  for (const uint8_t byte : replyOf(1, someReading(energyWh))) meter.receive(byte, nowUs);
}

}  // namespace

TEST(pzemRequestAsksForTenRegisters) {
  uint8_t request[pzemRequestBytes];
  writePzemRequest(0x11, request);
  CHECK(Bytes(request, request + sizeof request) == withCrc({0x11, 4, 0, 0, 0, 10}));
}

TEST(pzemReplyIsRead) {
  PzemReceiver receiver(7);
  PzemReading reading{};
  CHECK_EQUAL(heard(receiver, replyOf(7, someReading()), reading), 1);
  CHECK_EQUAL(reading.voltageDv, 2301);
  CHECK_EQUAL(reading.currentMa, 0x10002);
  CHECK_EQUAL(reading.powerDw, 0x30004);
  CHECK_EQUAL(reading.energyWh, 0x20003);
  CHECK_EQUAL(reading.frequencyDhz, 499);
  CHECK_EQUAL(reading.powerFactorPct, 97);
  CHECK(reading.alarm);
}

TEST(pzemReplyIsFoundBehindNoiseAndEcho) {
  PzemReading reading{};
  uint8_t request[pzemRequestBytes];
  writePzemRequest(7, request);
  const Bytes echo(request, request + sizeof request);
  for (const Bytes& before : {Bytes{0x7f}, Bytes{7, 4}, echo, Bytes{7, 4, 20, 0, 0}, Bytes(40, 7)}) {
    PzemReceiver receiver(7);
    CHECK_EQUAL(heard(receiver, joined(before, replyOf(7, someReading())), reading), 1);
  }
  PzemReceiver receiver(7);
  CHECK_EQUAL(heard(receiver, joined(replyOf(7, someReading()), replyOf(7, someReading())), reading), 2);
}

TEST(pzemReplyOfAnotherMeterIsLeftAlone) {
  PzemReading reading{};
  PzemReceiver receiver(7);
  CHECK_EQUAL(heard(receiver, replyOf(8, someReading()), reading), 0);
  PzemReceiver any(pzemAnyAddress);
  CHECK_EQUAL(heard(any, replyOf(8, someReading()), reading), 1);
}

TEST(pzemReplyWithAnyBitWrongIsRefused) {
  const Bytes good = replyOf(7, someReading());
  for (size_t bit = 0; bit < 8 * good.size(); bit++) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<uint8_t>(bad[bit / 8] ^ 1 << bit % 8);
    PzemReceiver receiver(7);
    PzemReading reading{};
    CHECK_EQUAL(heard(receiver, bad, reading), 0);
  }
  // An exception, and values that cannot be.
  PzemReceiver receiver(7);
  PzemReading reading = someReading();
  reading.powerFactorPct = 101;
  CHECK_EQUAL(heard(receiver, joined(withCrc({7, 0x84, 2}), replyOf(7, reading)), reading), 0);
}

TEST(pzemMeterAsksEverySecond) {
  PzemMeter meter(1);
  uint8_t request[pzemRequestBytes];
  CHECK(meter.tick(0, request));
  CHECK(!meter.tick(s - 1, request));
  CHECK(meter.tick(s, request));
}

TEST(pzemMeterGivesProtocolUnits) {
  PzemMeter meter(1);
  wattmesh::Registers registers{};
  for (uint64_t at = 0; at < 3; at++) {
    CHECK(!meter.read(at * s, registers));
    hear(meter, 131075, at * s);
  }
  CHECK(meter.read(2 * s, registers));
  CHECK_EQUAL(registers.mask, 0x7d);
  CHECK_EQUAL(registers.importDwh, 1310750);
  CHECK_EQUAL(registers.powerDw, 0x30004);
  CHECK_EQUAL(registers.voltageDv, 2301);
  CHECK_EQUAL(registers.currentCa, 6554);  // 65.538 A
  CHECK_EQUAL(registers.frequencyChz, 4990);
  CHECK_EQUAL(registers.powerFactorPct, 97);
  CHECK(!meter.read(13 * s, registers));
}

TEST(energyRegisterIgnoresHalfDoneCarries) {
  EnergyRegister energy(30000);
  for (uint64_t at = 0; at < 5; at++) energy.update(65535, at * s);
  energy.update(0, 5 * s);  // the low word has gone over, the high one not yet
  CHECK_EQUAL(energy.importDwh(), 655350);
  energy.update(65536, 6 * s);
  CHECK_EQUAL(energy.importDwh(), 655360);
  energy.update(131072, 7 * s);  // or the other way round
  CHECK_EQUAL(energy.importDwh(), 655360);
  energy.update(65537, 8 * s);
  CHECK_EQUAL(energy.importDwh(), 655370);
}

TEST(energyRegisterGoesOnAfterAReset) {
  EnergyRegister energy(30000);
  for (uint64_t at = 0; at < 5; at++) energy.update(9999990, at * s);
  for (uint32_t at = 5; at < 20; at++) energy.update(at - 5, at * s);
  CHECK_EQUAL(energy.importDwh(), 99999900 + 10 * (14 - 2));  // three readings until it was believed
}

TEST(energyRegisterNeverGoesBack) {
  check::Random random(5);
  EnergyRegister energy(30000);
  uint64_t before = 0;
  uint32_t counter = 1000;
  for (uint64_t at = 0; at < 20000; at++) {
    counter += random.below(3);
    if (random.below(500) == 0) counter = random.below(200000);
    energy.update(random.below(20) == 0 ? static_cast<uint32_t>(random.next()) : counter, at * s);
    CHECK(energy.importDwh() >= before);
    before = energy.importDwh();
  }
}

TEST(energyRegisterGoesOnFromTheLog) {
  EnergyRegister same(30000);
  same.resume(500);
  EnergyRegister exchanged(30000);
  exchanged.resume(100000);
  for (uint64_t at = 0; at < 3; at++) {
    CHECK(!same.valid());
    same.update(60, at * s);
    exchanged.update(60, at * s);
  }
  CHECK_EQUAL(same.importDwh(), 600);          // counted on while we were off
  CHECK_EQUAL(exchanged.importDwh(), 100000);  // another counter: on from where the register stood
  exchanged.update(61, 3 * s);
  CHECK_EQUAL(exchanged.importDwh(), 100010);
}
