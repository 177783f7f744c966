// A node's session and its head-end, joined or about to be.
#pragma once
#include "../backend.hpp"
#include "../device.hpp"
#include "head-end.hpp"
#include "wattmesh/session.hpp"

constexpr uint8_t suites[] = {wattmesh::suiteNone, wattmesh::suiteEcc, wattmesh::suiteRsa};
constexpr uint8_t noLog[wattmesh::logIdBytes] = {};
constexpr uint32_t pollCycleS = 60;

inline wattmesh::M2Payload someM2(uint8_t session = 7) {
  wattmesh::M2Payload m2{};
  m2.session = session;
  m2.shortId = 0x1234;
  m2.keyId = 3;
  for (size_t i = 0; i < wattmesh::networkKeyBytes; i++) m2.knet[i] = static_cast<uint8_t>(0xa0 + i);
  m2.utcMs = 1768471200000;
  m2.acknowledged = 41;
  m2.policy = wattmesh::policySuiteNone;
  return m2;
}

struct Fixture {
  explicit Fixture(uint8_t suite, wattmesh::EnergyClass energy = wattmesh::EnergyClass::mains)
      : chip(wattmesh::recordSectors), port(portOf(chip)), config(configOf(suite, energy)), headEnd(port, config) {
    boot();
  }

  void boot() {
    session = wattmesh::Session();
    records = wattmesh::Records();
    CHECK(records.open(port, 0) == wattmesh::Error::none);
    CHECK(session.begin(port, config, records) == wattmesh::Error::none);
  }

  // The packets of the M1 that is due now; none when none is.
  std::vector<Bytes> tick(uint64_t atUs, bool waiting = false) {
    nowUs = atUs;
    std::vector<Bytes> packets;
    if (!session.tick(nowUs, true, waiting) || session.makeM1(noLog, 0x7f) != wattmesh::Error::none) return packets;
    uint8_t out[wattmesh::packetBytesMax];
    for (size_t part = 0, length = 0; (length = session.m1(part, out)) > 0; part++) packets.emplace_back(out, out + length);
    return packets;
  }

  wattmesh::Error answer(const Bytes& m2) {
    wattmesh::PacketHeader header{};
    const wattmesh::Error error = wattmesh::decodePacketHeader(m2.data(), m2.size(), header);
    return error == wattmesh::Error::none ? session.openM2(header, m2.data(), m2.size(), nowUs, taken) : error;
  }

  wattmesh::Error receive(const Bytes& packet) {
    wattmesh::PacketHeader header{};
    const wattmesh::Error error = wattmesh::decodePacketHeader(packet.data(), packet.size(), header);
    if (error != wattmesh::Error::none) return error;
    uint8_t out[wattmesh::packetBytesMax];
    size_t length = 0;
    const wattmesh::Error verdict = session.openDown(header, packet.data(), packet.size(), nowUs, out, length);
    if (verdict == wattmesh::Error::none) received.assign(out, out + length);
    return verdict;
  }

  Bytes seal(const Bytes& plain) {
    uint8_t out[wattmesh::packetBytesMax];
    const size_t length = session.seal(plain.data(), plain.size(), out, counter);
    return Bytes(out, out + length);
  }

  // A whole handshake, starting at `atUs`.
  void join(uint64_t atUs, uint8_t sessionId = 7) {
    const std::vector<Bytes> m1 = tick(atUs);
    CHECK(headEnd.readM1(m1));
    CHECK(answer(headEnd.m2(someM2(sessionId))) == wattmesh::Error::none);
    CHECK(session.joined());
  }

  Device chip;
  wattmesh::Port port;
  wattmesh::Config config;
  HeadEnd headEnd;
  wattmesh::Records records;
  wattmesh::Session session;
  uint64_t nowUs = 0;
  wattmesh::M2Payload taken = {};
  Bytes received;
  uint32_t counter = 0;

 private:
  static wattmesh::Port portOf(Device& chip) {
    wattmesh::Port port = chip.port();
    useBackend(port);
    port.rsaOaepEncrypt = fakeOaep;
    return port;
  }
  static wattmesh::Config configOf(uint8_t suite, wattmesh::EnergyClass energy) {
    wattmesh::Config config{};
    config.role = wattmesh::Role::hub;
    config.networkNumber = 0x12345678;
    config.intervalS = 60;
    config.pollCycleS = pollCycleS;
    config.suite = suite;
    config.energy = energy;
    for (uint8_t& byte : config.psk) byte = 0x42;
    return config;
  }
};
