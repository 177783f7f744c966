#include "samples.hpp"

#include <cstring>

#include "check.hpp"
#include "wattmesh/batch.hpp"
#include "wattmesh/beacon.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/envelope.hpp"
#include "wattmesh/frame.hpp"
#include "wattmesh/routed.hpp"
#include "wattmesh/sections.hpp"
#include "wattmesh/slip.hpp"

using namespace wattmesh;

namespace {

const uint8_t packetBytes[40] = {0x13, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

Bytes frameOf(FrameType type, const Bytes& body) {
  Bytes frame(linkHeaderBytes);
  writeFrameHeader(frame.data(), type, 1, 0x01020304);
  frame.insert(frame.end(), body.begin(), body.end());
  frame.insert(frame.end(), linkMacBytes, 0xaa);
  return frame;
}

template <typename T>
Bytes encoded(size_t (*encode)(const T&, uint8_t*, size_t), const T& value) {
  Bytes bytes(envelopeBytesMax);
  bytes.resize(encode(value, bytes.data(), bytes.size()));
  return bytes;
}

template <typename T>
Bytes written(bool (*write)(Writer&, const T&), const T& value) {
  uint8_t bytes[300];
  Writer writer(bytes, sizeof bytes);
  write(writer, value);
  return Bytes(bytes, bytes + writer.length());
}

Item itemSample() {
  Item item{};
  item.hops = 3;
  item.route[0] = 0x0001;
  item.route[1] = 0x8001;
  item.route[2] = 0x0002;
  item.more = true;
  item.isAnswer = true;
  item.poll = 77;
  item.packet = packetBytes;
  item.packetLength = sizeof packetBytes;
  return item;
}

Bytes dataBody() {
  uint8_t bytes[bodyBytesMax];
  Writer writer(bytes, sizeof bytes);
  writer.u16(320);
  encodeItem(writer, itemSample());
  Item empty{};
  empty.hops = 3;
  empty.route[0] = 0x0009;
  empty.route[1] = 0x8001;
  empty.route[2] = 0x0002;
  empty.isAnswer = true;
  empty.urgent = true;
  const Item first = itemSample();
  encodeItem(writer, empty, &first);
  return Bytes(bytes, bytes + writer.length());
}

Bytes routedBody() {
  uint8_t bytes[bodyBytesMax];
  Writer writer(bytes, sizeof bytes);
  Routed routed{};
  routed.hops = 2;
  routed.at = 1;
  routed.route[0] = 0x8001;
  routed.route[1] = 0x0005;
  encodeRoutedHeader(writer, routed);
  const uint8_t tree[] = {0x82, 0x05, 0x00, 0x03, 0x06, 0x00, 0x83, 0x07, 0x00};
  writePoll(writer, PollSection{9, 4, 3, tree, 3});
  const CustodyEntry entries[2] = {{0x0005, 3, 70000}, {0x0006, 255, 1}};
  writeCustody(writer, entries, 2);
  writePacket(writer, packetFlagHold, packetBytes, sizeof packetBytes);
  writePacketFor(writer, 0x0006, packetBytes, sizeof packetBytes);
  const uint16_t left[2] = {0x0005, 0x0006};
  writeLeft(writer, left, 2);
  const uint8_t unknown[] = {0x09, 2, 1, 2};
  writer.bytes(unknown, sizeof unknown);
  return Bytes(bytes, bytes + writer.length());
}

Bytes callBody() {
  uint8_t bytes[bodyBytesMax];
  Writer writer(bytes, sizeof bytes);
  encodeRoutedHeader(writer, Routed{1, 0, {0x8001}, nullptr, 0});
  writeTime(writer, TimeSection{9, 8, 7, -6});
  const CustodyEntry entries[2] = {{0x0005, 3, 70000}, {0x0006, 255, 1}};
  writeCustody(writer, entries, 2);
  const uint8_t tree[] = {0x01, 0x01, 0x80, 0x82, 0x05, 0x00, 0x82, 0x06, 0x00};
  writePoll(writer, PollSection{9, 1, 2, tree, 3});
  return Bytes(bytes, bytes + writer.length());
}

void addFrames(std::vector<Sample>& list) {
  const auto add = [&list](const char* name, FrameType type, const Bytes& body, bool isOpen = false) {
    list.push_back({name, JudgeKind::frame, frameOf(type, body), isOpen});
  };
  const RouteOffer offer{7, 8, 0x8000, 0x8001, 3, 320, 2, 250, EnergyClass::battery, true, true, true, true, true, true};
  const Beacon beacon{offer, 0x8001, 5, 1700000000000, 33, 99, 7};
  add("beacon", FrameType::beacon, encoded(encodeBeacon, beacon));
  add("data", FrameType::data, dataBody(), true);
  add("routed", FrameType::routed, routedBody(), true);
  add("call", FrameType::routed, callBody(), true);
  add("route", FrameType::route, encoded(encodeRoute, Route{3, RouteKind::unreachable, 5, 6, 7}));
  add("wanted tree", FrameType::route, encoded(encodeRoute, Route{3, RouteKind::newTree, 5, 0, 65535}));
  add("ask", FrameType::challenge, encoded(encodeChallenge, Challenge{false, {1, 2, 3, 4, 5, 6, 7, 8}, 0}));
  add("answer", FrameType::challenge, encoded(encodeChallenge, Challenge{true, {1, 2, 3, 4, 5, 6, 7, 8}, 99}));
  add("join", FrameType::join, encoded(encodeJoin, Join{Direction::down, packetBytes, sizeof packetBytes}), true);
  add("solicit", FrameType::join, encoded(encodeJoin, Join{Direction::solicit, nullptr, 0}));
  add("leave", FrameType::leave, encoded(encodeLeave, Leave{1, 0x8002, 3}));
  add("flood", FrameType::flood, encoded(encodeFlood, Flood{20, 1, 2, Direction::up, packetBytes, sizeof packetBytes}), true);
}

void addEnvelopes(std::vector<Sample>& list) {
  const auto gateway = [&list](const char* name, const Bytes& bytes, bool isOpen = false) {
    list.push_back({name, JudgeKind::gatewayEnvelope, bytes, isOpen});
  };
  const auto host = [&list](const char* name, const Bytes& bytes, bool isOpen = false) {
    list.push_back({name, JudgeKind::hostEnvelope, bytes, isOpen});
  };
  gateway("hello gateway", encoded(encodeHelloGateway, HelloGateway{{1, 2, 3, 4, 5, 6}, 0x8000, {0, 1, 2}, Role::gateway, 11, 12, 16}));
  gateway("up", encoded(encodeUp, Up{1, -70, 1700000000000, itemSample()}));
  gateway("down result", encoded(encodeDownResult, DownResult{5, 306}));
  gateway("stats", encoded(encodeGatewayStats, GatewayStats{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  const char text[] = "gr\xc3\xbc\xc3\x9f Gott \xe2\x82\xac \xf0\x9f\x94\x8c";
  gateway("log", encoded(encodeLogText, LogText{LogLevel::warning, reinterpret_cast<const uint8_t*>(text), strlen(text)}), true);
  host("hello host", encoded(encodeHelloHost, HelloHost{{1, 2, 3, 4, 5, 6, 7, 8}, 12}));
  host("up ack", encoded(encodeUpAck, UpAck{2, {1, 0xffffffff}}));
  host("down", encoded(encodeDown, Down{5, 1700000000, true, packetBytes, sizeof packetBytes}), true);
  host("time", encoded(encodeHostTime, HostTime{1700000000000, true}));
  const Bytes envelope = encoded(encodeHostTime, HostTime{0xc0dbc0dbc0, true});
  Bytes line(slipEncodedBytesMax);
  line.resize(encodeSlip(envelope.data(), envelope.size(), line.data(), line.size()));
  list.push_back({"slip", JudgeKind::slip, line, false});
}

Bytes readings(uint8_t rows) {
  const uint8_t logId[4] = {1, 2, 3, 4};
  uint8_t bytes[257];
  BatchWriter writer(bytes, sizeof bytes, logId, 3, 9);
  for (uint8_t i = 0; i < rows; i++) {
    const Registers registers{0x7f, 1000u + i, 5, -300 * i, 2300, 450, 5000, static_cast<int8_t>(90 - 20 * i)};
    CHECK(writer.add({9u + i, 1700000000u + 60u * i, 60, qualityClock, registers}));
  }
  return Bytes(bytes, bytes + writer.finish());
}

void addSections(std::vector<Sample>& list) {
  const auto up = [&list](const char* name, const Bytes& bytes) { list.push_back({name, JudgeKind::upSections, bytes, false}); };
  const auto down = [&list](const char* name, const Bytes& bytes) { list.push_back({name, JudgeKind::downSections, bytes, false}); };
  up("readings", readings(6));
  up("no readings", readings(0));
  up("telemetry", written(writeTelemetry, Telemetry{5, 0x8001, -71, 150, 320, 2, 1, 9, 4, 3700, 40000, 86400}));
  up("echo", written(writeEcho, Echo{1700000000, 6}));
  up("result", written(writeResult, Result{3, Outcome::prepared, 8, {1, 2, 3, 4, 5, 6, 7, 8}}));
  up("event", written(writeEvent, Event{2, 1700000000000, -5}));
  up("lost", written(writeLost, Lost{{1, 2, 3, 4}, 7, 9}));
  Bytes several = written(writeEcho, Echo{1, 2});
  several.insert(several.end(), {sectionProbe, 0, 0x7f, 2, 1, 2});
  up("several", several);
  down("ack", written(writeAck, AckSection{{1, 2, 3, 4}, 10, 1700000000000, 2, {12, 15}, {14, 15}}));
  down("command", written(writeCommand, CommandSection{3, 2, 4, {60, 0, 120, 0}}));
  down("network key", written(writeNetworkKey, NetworkKeySection{15, {9, 8, 7}, 3600}));
  down("event seen", written(writeEventSeen, Event{3, 1790000000123, -5}));
}

void addPackets(std::vector<Sample>& list) {
  const auto packet = [&list](const char* name, const PacketHeader& header) {
    Bytes bytes = written(encodePacketHeader, header);
    bytes.insert(bytes.end(), 20, 0x55);
    list.push_back({name, JudgeKind::packet, bytes, false});
  };
  packet("packet m1", {packetM1, suiteRsa, true, {1, 2, 3, 4, 5, 6}, 0, 0, 8, 0});
  packet("packet m2", {packetM2, suiteEcc, false, {1, 2, 3, 4, 5, 6}, 0, 7, 8, 0});
  packet("packet up", {packetUp, suiteEcc, false, {1, 2, 3, 4, 5, 6}, 255, 0, 8, 0});
  packet("packet down", {packetDown, suiteNone, false, {1, 2, 3, 4, 5, 6}, 1, 7, 8, 0});
  const M1Payload m1{7, {1, 2, 3, 4}, {0, 1, 2}, Role::hub, 3, 0x0f, 4, 0x8005, 60, 120, EnergyClass::backup, 6, 0x7f};
  list.push_back({"m1 payload", JudgeKind::m1Payload, encoded(encodeM1Payload, m1), false});
  const M2Payload m2{255, 0xfffe, 15, {1, 2, 3}, 4, 1700000000000, 5, 0x03};
  list.push_back({"m2 payload", JudgeKind::m2Payload, encoded(encodeM2Payload, m2), false});
}

}  // namespace

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = [] {
    std::vector<Sample> list;
    addFrames(list);
    addEnvelopes(list);
    addSections(list);
    addPackets(list);
    return list;
  }();
  return all;
}

Bytes sampleNamed(const char* name) {
  for (const Sample& sample : samples()) {
    if (strcmp(sample.name, name) == 0) return sample.bytes;
  }
  check::fail(__FILE__, __LINE__, name);
  return {};
}
