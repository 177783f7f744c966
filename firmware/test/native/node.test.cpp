// Whole devices in situations that need more than one part to go wrong.
#include <vector>

#include "check.hpp"
#include "device.hpp"
#include "wattmesh/beacon.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/envelope.hpp"
#include "wattmesh/frame.hpp"
#include "wattmesh/node.hpp"
#include "wattmesh/packet.hpp"
#include "wattmesh/routed.hpp"

using namespace wattmesh;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint8_t parentMac[macBytes] = {2, 0, 0, 0, 0, 9};
constexpr uint16_t parentShortId = 0x8001;
constexpr uint64_t utcMs = 1790000000000;

// A chip with a radio that holds one frame until the test says that it was sent.
class Station : public Device {
 public:
  explicit Station(Role role) : Device(recordSectors + (role == Role::meter ? logSectorsMin : spoolSectors)) {
    config.role = role;
    config.mac[0] = 2;
    config.networkNumber = 77;
    config.keyId = 1;
    config.intervalS = 5;
    config.pollCycleS = 5;
    chip = Device::port();
    chip.radioSend = [](void* self, const uint8_t*, const uint8_t* frame, size_t length) {
      of(self).onAir.assign(frame, frame + length);
      return true;
    };
    chip.hostSend = [](void*, const uint8_t*, size_t) { return true; };
    chip.x25519 = [](void*, uint8_t out[keyBytes], const uint8_t* scalar, const uint8_t*) { memcpy(out, scalar, keyBytes); };
    chip.readRegisters = [](void*, Registers* out) {
      *out = Registers{};
      out->mask = 1;
      return true;
    };
    chip.freeRam = [](void*) { return uint32_t{0}; };
  }

  // A frame of the parent's under the network key.
  void hear(Node& node, FrameType type, bool isBroadcast, const Bytes& body) {
    uint8_t frame[frameBytesMax];
    writeFrameHeader(frame, type, config.keyId, ++counter_);
    memcpy(frame + linkHeaderBytes, body.data(), body.size());
    const size_t length = linkHeaderBytes + body.size();
    uint8_t key[networkKeyBytes];
    linkKey(chip, config.networkKey, config.networkNumber, config.keyId, key);
    const uint8_t* to = isBroadcast ? broadcastMac : config.mac;
    frameMac(chip, key, parentMac, to, config.networkNumber, frame, length, frame + length);
    nextUs = node.receive(parentMac, to, frame, length + linkMacBytes, -50, nowUs);
  }

  void hearBeacon(Node& node) {
    Beacon beacon{};
    beacon.shortId = parentShortId;
    beacon.tree = ++tree_;
    beacon.number = static_cast<uint8_t>(tree_);
    beacon.gateway = parentShortId;
    beacon.nearestHub = parentShortId;
    beacon.grounded = beacon.isHub = beacon.joined = beacon.timeValid = true;
    beacon.utcMs = utcMs + nowUs / usPerMs;
    Bytes body(beaconBytes);
    encodeBeacon(beacon, body.data(), body.size());
    hear(node, FrameType::beacon, true, body);
  }

  // The type of the packet in the DATA frame on the air, 0: none there.
  uint8_t packetOnAir() const {
    FrameHeader header{};
    const uint8_t* body = nullptr;
    size_t length = 0;
    if (openFrame(onAir.data(), onAir.size(), header, body, length) != Error::none || header.type != FrameType::data) return 0;
    Reader reader(body + dataHeaderBytes, length - dataHeaderBytes);
    Item item{};
    PacketHeader packet{};
    if (decodeItem(reader, item) != Error::none || decodePacketHeader(item.packet, item.packetLength, packet) != Error::none) return 0;
    return packet.type;
  }

  // Ticks for so long, or until a packet of the wanted type is on the air. Every other frame was sent at once. Returns the ticks.
  unsigned run(Node& node, uint64_t us, uint8_t wanted = 0) {
    unsigned ticks = 0;
    const uint64_t endUs = nowUs + us;
    while (nextUs < endUs) {
      if (nowUs < nextUs) nowUs = nextUs;
      nextUs = node.tick(nowUs);
      ticks++;
      if (onAir.empty()) continue;
      if (wanted != 0 && packetOnAir() == wanted) return ticks;
      const Bytes sent = onAir;
      onAir.clear();
      nextUs = node.sent(true, nowUs);
      proveFreshness(node, sent);
    }
    nowUs = endUs;
    return ticks;
  }

  // The parent answers the node's challenge.
  void proveFreshness(Node& node, const Bytes& frame) {
    FrameHeader header{};
    const uint8_t* body = nullptr;
    size_t length = 0;
    Challenge challenge{};
    if (openFrame(frame.data(), frame.size(), header, body, length) != Error::none || header.type != FrameType::challenge) return;
    if (decodeChallenge(body, length, challenge) != Error::none || challenge.isAnswer) return;
    challenge.isAnswer = true;
    challenge.counter = counter_;
    Bytes answer(bodyBytesMax);
    answer.resize(encodeChallenge(challenge, answer.data(), answer.size()));
    hear(node, FrameType::challenge, false, answer);
  }

  // The node comes to know its parent, which hands it its M2.
  void join(Node& node) {
    hearBeacon(node);
    run(node, 3 * usPerS);
    hearBeacon(node);
    run(node, 10 * usPerS, packetM1);
    CHECK_EQUAL(packetOnAir(), packetM1);
    onAir.clear();
    nextUs = node.sent(true, nowUs);
    M2Payload payload{};
    payload.session = 1;
    payload.shortId = 0x0101;
    PacketHeader header{};
    header.type = packetM2;
    header.counter = 1;
    memcpy(header.nodeId, node.session().nodeId(), nodeIdBytes);
    Bytes packet(packetBytesMax);
    Writer writer(packet.data(), packet.size());
    encodePacketHeader(writer, header);
    const size_t length = writer.length() + encodeM2Payload(payload, packet.data() + writer.length(), writer.room());
    packet.resize(sealNone(packet.data(), length, packet.size()));
    Bytes body(bodyBytesMax);
    Writer routed(body.data(), body.size());
    routed.u8(1);
    routed.u8(0);
    routed.u16(shortIdNone);
    writePacket(routed, 0, packet.data(), packet.size());
    body.resize(routed.length());
    hear(node, FrameType::routed, false, body);
    CHECK(node.session().joined());
  }

  Config config{};
  Port chip{};
  Bytes onAir;
  uint64_t nowUs = 1000;
  uint64_t nextUs = 0;

 private:
  static Station& of(void* device) { return *static_cast<Station*>(static_cast<Device*>(device)); }

  uint32_t counter_ = 0;
  uint16_t tree_ = 0;
};

}  // namespace

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
