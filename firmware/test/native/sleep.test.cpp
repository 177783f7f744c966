// Through deep sleep: a leaf that loses its RAM each time, and sometimes its power.
#include <cstring>
#include <map>
#include <new>
#include <vector>

#include "check.hpp"
#include "device.hpp"
#include "wattmesh/bytes.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/frame.hpp"
#include "wattmesh/node.hpp"
#include "wattmesh/packet.hpp"
#include "wattmesh/routed.hpp"

using namespace wattmesh;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint8_t parentMac[macBytes] = {2, 0, 0, 0, 0, 9};
constexpr uint16_t parentShortId = 0x8001;
constexpr uint16_t leafShortId = 0x0101;
constexpr uint64_t utcUs = 1790000000 * usPerS;
constexpr uint64_t radioUs = 2 * usPerMs;
constexpr uint8_t poison = 0xa5;

// A leaf, its parent, and behind that a head-end that acknowledges every row.
class Sleeper : public Device {
 public:
  explicit Sleeper(uint64_t seed) : Device(recordSectors + logSectorsMin, seed), random(seed) {
    config.role = Role::meter;
    config.energy = EnergyClass::battery;
    config.mac[0] = 2;
    config.networkNumber = 77;
    config.keyId = 1;
    config.intervalS = 60;
    config.pollCycleS = 60;
    chip = Device::port();
    chip.radioSend = [](void* self, const uint8_t*, const uint8_t* frame, size_t length) {
      of(self).onAir.assign(frame, frame + length);
      return true;
    };
    chip.x25519 = [](void*, uint8_t out[keyBytes], const uint8_t* scalar, const uint8_t*) { memcpy(out, scalar, keyBytes); };
    chip.readRegisters = [](void*, Registers* out) {
      *out = Registers{};
      out->mask = 1;
      return true;
    };
    chip.freeRam = [](void*) { return uint32_t{0}; };
  }

  Node& node() { return device_->node; }

  // A life begins: nothing of the one before is left but flash and `kept`.
  void start() {
    memset(memory_, poison, sizeof memory_);
    device_ = new (memory_) MeterDevice(chip, config);
    const Bytes state = kept;
    kept.clear();
    const Error error = state.empty() ? node().boot(nowUs) : node().wake(state.data(), state.size(), nowUs);
    CHECK(error == Error::none);
    if (!state.empty() && wakesAsItWas) CHECK(save() == state);
    nextUs = node().tick(nowUs);
  }

  Bytes save() {
    Bytes state(sleepBytesMax);
    state.resize(node().saveSleep(state.data()));
    return state;
  }

  // Until it sleeps again; false: power failed, once in so many events.
  bool live(uint32_t cutOneIn = 0) {
    for (unsigned events = 0; events < 10000; events++) {
      if (cutOneIn > 0 && random.below(cutOneIn) == 0) return false;
      if (!onAir.empty()) {
        const Bytes frame = onAir;
        onAir.clear();
        judge(frame);
        nowUs += radioUs;
        const bool ok = random.below(20) > 0;
        nextUs = node().sent(ok, nowUs);
        if (ok) answer(frame);
      } else if (node().asleep()) {
        return true;
      } else {
        if (nowUs < nextUs) nowUs = nextUs;
        nextUs = node().tick(nowUs);
      }
    }
    CHECK(!"it sleeps");
    return false;
  }

  // Deep sleep, until it wants to wake.
  void sleep() {
    kept = save();
    CHECK(!kept.empty());
    if (kept.size() > largest) largest = kept.size();
    sleeps++;
    device_ = nullptr;
    nowUs = nextUs;
  }

  void losePower() {
    kept.clear();
    onAir.clear();
    cuts++;
    nowUs += 5 * usPerS;
  }

  Config config{};
  Port chip{};
  check::Random random;
  Bytes onAir;
  Bytes kept;
  uint64_t nowUs = 1000;
  uint64_t nextUs = 0;
  bool answers = true;
  bool wakesAsItWas = true;
  unsigned sleeps = 0;
  unsigned cuts = 0;
  unsigned joins = 0;
  unsigned reports = 0;
  size_t largest = 0;
  // Of the next acknowledgement, above its cumulative mark.
  uint32_t marks = 0;
  Bytes more;  // sections of the next downlink

 private:
  static Sleeper& of(void* device) { return *static_cast<Sleeper*>(static_cast<Device*>(device)); }

  // No counter comes twice, in frames as in packets.
  void judge(const Bytes& frame) {
    FrameHeader header{};
    const uint8_t* body = nullptr;
    size_t length = 0;
    CHECK(openFrame(frame.data(), frame.size(), header, body, length) == Error::none);
    CHECK(header.counter > linkCounter_);
    linkCounter_ = header.counter;
  }

  void hear(FrameType type, bool isBroadcast, const Bytes& body) {
    uint8_t frame[frameBytesMax];
    writeFrameHeader(frame, type, config.keyId, ++counter_);
    memcpy(frame + linkHeaderBytes, body.data(), body.size());
    const size_t length = linkHeaderBytes + body.size();
    uint8_t key[networkKeyBytes];
    linkKey(chip, config.networkKey, config.networkNumber, config.keyId, key);
    const uint8_t* to = isBroadcast ? broadcastMac : config.mac;
    frameMac(chip, key, parentMac, to, config.networkNumber, frame, length, frame + length);
    nextUs = node().receive(parentMac, to, frame, length + linkMacBytes, -50, nowUs);
  }

  Beacon beacon() {
    Beacon beacon{};
    beacon.shortId = parentShortId;
    beacon.tree = 1;
    beacon.number = ++beaconNumber_;
    beacon.gateway = beacon.nearestHub = parentShortId;
    beacon.grounded = beacon.isHub = beacon.joined = beacon.timeValid = true;
    beacon.utcMs = (utcUs + nowUs) / usPerMs;
    return beacon;
  }

  void answer(const Bytes& frame) {
    FrameHeader header{};
    const uint8_t* body = nullptr;
    size_t length = 0;
    if (!answers || openFrame(frame.data(), frame.size(), header, body, length) != Error::none) return;
    if (header.type == FrameType::beacon) {
      Bytes told(beaconBytes);
      encodeBeacon(beacon(), told.data(), told.size());
      hear(FrameType::beacon, true, told);
    } else if (header.type == FrameType::challenge) {
      proveFreshness(body, length);
    } else if (header.type == FrameType::data) {
      Reader reader(body + dataHeaderBytes, length - dataHeaderBytes);
      Item item{};
      CHECK(decodeItem(reader, item) == Error::none);
      onItem(item);
    }
  }

  void proveFreshness(const uint8_t* body, size_t length) {
    Challenge challenge{};
    if (decodeChallenge(body, length, challenge) != Error::none || challenge.isAnswer) return;
    challenge.isAnswer = true;
    challenge.counter = counter_;
    Bytes answer(bodyBytesMax);
    answer.resize(encodeChallenge(challenge, answer.data(), answer.size()));
    hear(FrameType::challenge, false, answer);
  }

  void onItem(const Item& item) {
    PacketHeader header{};
    if (item.packetLength > 0) CHECK(decodePacketHeader(item.packet, item.packetLength, header) == Error::none);
    Bytes body(bodyBytesMax);
    Writer writer(body.data(), body.size());
    writer.u8(1);
    writer.u8(0);
    if (header.type == packetM1) {
      writer.u16(shortIdNone);
      const Bytes packet = m2(header.counter);
      writePacket(writer, 0, packet.data(), packet.size());
    } else {
      writer.u16(leafShortId);
      writeWake(writer, WakeSection{0x4000, beacon()});
      if (header.type == packetUp) {
        reports++;
        CHECK(header.session == session() && packets_.insert({session() * uint64_t{1} << 32 | header.counter, joins}).second);
        const CustodyEntry entry{leafShortId, header.session, header.counter};
        writeCustody(writer, &entry, 1);
        const Bytes packet = downlink();
        writePacketFor(writer, leafShortId, packet.data(), packet.size());
      }
    }
    CHECK(writer.ok());
    body.resize(writer.length());
    hear(FrameType::routed, false, body);
  }

  uint8_t session() const { return static_cast<uint8_t>(joins % UINT8_MAX + 1); }

  Bytes m2(uint32_t handshake) {
    joins++;
    packets_.clear();
    M2Payload payload{};
    payload.session = session();
    payload.shortId = leafShortId;
    payload.acknowledged = newest();
    PacketHeader header{};
    header.type = packetM2;
    header.counter = handshake;
    memcpy(header.nodeId, node().session().nodeId(), nodeIdBytes);
    Bytes packet(packetBytesMax);
    Writer writer(packet.data(), packet.size());
    encodePacketHeader(writer, header);
    const size_t length = writer.length() + encodeM2Payload(payload, packet.data() + writer.length(), writer.room());
    packet.resize(sealNone(packet.data(), length, packet.size()));
    return packet;
  }

  uint32_t newest() const { return committed.empty() ? 0 : committed.rbegin()->first.seq; }

  Bytes downlink() {
    PacketHeader header{};
    header.type = packetDown;
    header.session = session();
    header.epoch = 1;
    header.counter = ++downs_;
    memcpy(header.nodeId, node().session().nodeId(), nodeIdBytes);
    Bytes packet(packetBytesMax);
    Writer writer(packet.data(), packet.size());
    encodePacketHeader(writer, header);
    if (!committed.empty()) {
      AckSection ack{};
      Writer(ack.logId, logIdBytes).u32(committed.rbegin()->first.logId);
      ack.cumulative = newest() > marks * 2 ? newest() - marks * 2 : 0;
      ack.ranges = static_cast<uint8_t>(marks);
      for (uint32_t i = 0; i < marks; i++) ack.first[i] = ack.last[i] = ack.cumulative + 2 * (i + 1);
      writeAck(writer, ack);
    }
    writer.bytes(more.data(), more.size());
    more.clear();
    packet.resize(sealNone(packet.data(), writer.length(), packet.size()));
    return packet;
  }

  alignas(MeterDevice) uint8_t memory_[sizeof(MeterDevice)];
  MeterDevice* device_ = nullptr;
  uint32_t counter_ = 0;
  uint32_t linkCounter_ = 0;
  uint32_t downs_ = 0;
  uint8_t beaconNumber_ = 0;
  std::map<uint64_t, unsigned> packets_;  // of this session
};

// Until it has joined, has reported a few times and sleeps.
void settle(Sleeper& leaf) {
  for (unsigned i = 0; i < 40; i++) {
    leaf.start();
    CHECK(leaf.live());
    leaf.sleep();
  }
  CHECK_EQUAL(leaf.joins, 1u);
}

}  // namespace

TEST(aLeafWakesAsItFellAsleepAndNoCounterComesTwice) {
  for (uint64_t seed = 1; seed <= 4; seed++) {
    check::context("seed", seed);
    Sleeper leaf(seed);
    const unsigned sleepsMax = 1000 / check::stride;
    while (leaf.sleeps < sleepsMax) {
      leaf.start();
      if (leaf.live(300)) {
        leaf.sleep();
        if (leaf.random.below(30) > 0) continue;
      }
      leaf.losePower();
    }
    leaf.start();
    CHECK(leaf.cuts >= 20u / check::stride && leaf.reports > 300 / check::stride);
    // Every other life went on where the one before ended.
    CHECK_EQUAL(leaf.node().session().bootCount(), leaf.cuts + 1);
    CHECK(leaf.joins <= leaf.cuts + 1);
    CHECK(!leaf.changed && !leaf.broke());
    const uint64_t minutes = leaf.nowUs / (60 * usPerS);
    CHECK(leaf.committed.size() + 2 * leaf.cuts + 2 >= minutes && leaf.committed.size() <= minutes + 1);
  }
}

TEST(aStateThatIsNoneIsABoot) {
  Sleeper leaf(5);
  settle(leaf);
  const Bytes state = leaf.kept;
  leaf.wakesAsItWas = false;
  uint16_t boots = 1;
  for (size_t i = 0; i < state.size(); i += check::stride * 7) {
    leaf.kept = state;
    leaf.kept[i] = static_cast<uint8_t>(leaf.kept[i] ^ 0x10);
    leaf.start();
    CHECK_EQUAL(leaf.node().session().bootCount(), ++boots);
    CHECK(!leaf.node().asleep() && !leaf.node().session().joined());
  }
  leaf.kept = Bytes(state.begin(), state.end() - 1);
  leaf.start();
  CHECK_EQUAL(leaf.node().session().bootCount(), ++boots);
  // Whole, but of a life that others followed.
  leaf.kept = state;
  leaf.start();
  CHECK_EQUAL(leaf.node().session().bootCount(), ++boots);
}

TEST(aStateOfAnotherProgramIsABoot) {
  Sleeper leaf(6);
  settle(leaf);
  leaf.wakesAsItWas = false;
  leaf.kept[5]++;
  uint8_t crc[4];
  Writer(crc, sizeof crc).u32(crc32(leaf.kept.data() + sizeof crc, leaf.kept.size() - sizeof crc));
  memcpy(leaf.kept.data(), crc, sizeof crc);
  leaf.start();
  CHECK_EQUAL(leaf.node().session().bootCount(), 2);
}

TEST(everythingThatWaitsFitsAndWakesToo) {
  Sleeper leaf(7);
  settle(leaf);
  // Four results, marks with gaps, and nobody there any more when four events happen.
  Bytes commands(packetBytesMax);
  Writer writer(commands.data(), commands.size());
  for (uint16_t number = 1; number <= 4; number++) {
    CommandSection command{};
    command.command = number;
    command.operation = static_cast<uint8_t>(Operation::identify);
    writeCommand(writer, command);
  }
  commands.resize(writer.length());
  leaf.more = commands;
  leaf.marks = ackRangesMax;
  const unsigned reports = leaf.reports;
  while (leaf.reports < reports + 2) {
    leaf.start();
    CHECK(leaf.live());
    leaf.sleep();
  }
  leaf.answers = false;
  leaf.start();
  for (int16_t i = 0; i < 4; i++) leaf.nextUs = leaf.node().raise(EventCode::suppressed, i, leaf.nowUs);
  for (unsigned i = 0; i < 20; i++) {
    CHECK(leaf.live());
    leaf.sleep();
    leaf.start();
  }
  CHECK(leaf.largest > sleepBytesMax - 60);
  CHECK_EQUAL(leaf.node().session().bootCount(), 1);
}

TEST(nobodyKeepsWhatIsNotAsleep) {
  Sleeper leaf(8);
  leaf.start();
  CHECK(!leaf.node().asleep());
  CHECK(leaf.save().empty());
}
