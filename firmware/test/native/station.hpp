// A whole device and its neighbours, as far as the device can tell.
#pragma once
#include <vector>

#include "check.hpp"
#include "device.hpp"
#include "wattmesh/beacon.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/frame.hpp"
#include "wattmesh/node.hpp"
#include "wattmesh/packet.hpp"
#include "wattmesh/routed.hpp"

namespace station {

using namespace wattmesh;

using Bytes = std::vector<uint8_t>;

constexpr uint8_t parentMac[macBytes] = {2, 0, 0, 0, 0, 9};
constexpr uint16_t parentShortId = 0x8001;
constexpr uint64_t utcMs = 1790000000000;

// A frame that went out, and to whom.
struct Aired {
  Bytes to;
  Bytes frame;
};

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
    chip.radioSend = [](void* self, const uint8_t* to, const uint8_t* frame, size_t length) {
      of(self).onAir.assign(frame, frame + length);
      of(self).onAirTo.assign(to, to + macBytes);
      of(self).aired.push_back(Aired{of(self).onAirTo, of(self).onAir});
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

  // A frame of a neighbour's under the network key.
  void hear(Node& node, FrameType type, bool isBroadcast, const Bytes& body, const uint8_t* from = parentMac) {
    uint8_t frame[frameBytesMax];
    writeFrameHeader(frame, type, config.keyId, ++counter_);
    memcpy(frame + linkHeaderBytes, body.data(), body.size());
    const size_t length = linkHeaderBytes + body.size();
    uint8_t key[networkKeyBytes];
    linkKey(chip, config.networkKey, config.networkNumber, config.keyId, key);
    const uint8_t* to = isBroadcast ? broadcastMac : config.mac;
    frameMac(chip, key, from, to, config.networkNumber, frame, length, frame + length);
    heard.assign(frame, frame + length + linkMacBytes);
    nextUs = node.receive(from, to, frame, heard.size(), -50, nowUs);
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
    while (!onAir.empty() || nextUs < endUs) {
      if (onAir.empty()) {
        if (nowUs < nextUs) nowUs = nextUs;
        nextUs = node.tick(nowUs);
        ticks++;
        continue;
      }
      if (wanted != 0 && packetOnAir() == wanted) return ticks;
      const Aired sent{onAirTo, onAir};
      onAir.clear();
      nextUs = node.sent(true, nowUs);
      proveFreshness(node, sent);
    }
    nowUs = endUs;
    return ticks;
  }

  // A neighbour answers the node's challenge.
  void proveFreshness(Node& node, const Aired& sent) {
    FrameHeader header{};
    const uint8_t* body = nullptr;
    size_t length = 0;
    Challenge challenge{};
    if (openFrame(sent.frame.data(), sent.frame.size(), header, body, length) != Error::none || header.type != FrameType::challenge) return;
    if (decodeChallenge(body, length, challenge) != Error::none || challenge.isAnswer) return;
    challenge.isAnswer = true;
    challenge.counter = counter_;
    Bytes answer(bodyBytesMax);
    answer.resize(encodeChallenge(challenge, answer.data(), answer.size()));
    hear(node, FrameType::challenge, false, answer, sent.to.data());
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
  Bytes heard;  // the last frame that came
  Bytes onAir;
  Bytes onAirTo;
  std::vector<Aired> aired;
  uint64_t nowUs = 1000;
  uint64_t nextUs = 0;

 private:
  static Station& of(void* device) { return *static_cast<Station*>(static_cast<Device*>(device)); }

  uint32_t counter_ = 0;
  uint16_t tree_ = 0;
};

}  // namespace station
