// Whole devices: a meter, a hub and a gateway. The bytes are a sequence of frames from neighbours with a valid MAC, envelopes, sealed
// packets and what the world does in between.
#include "demand.hpp"
#include "wattmesh/limits.hpp"
#include "world.hpp"

using namespace wattmesh;
using namespace fuzz;

namespace {

constexpr size_t meter = 0;
constexpr size_t hub = 1;
constexpr size_t gateway = 2;
constexpr size_t boards = 3;
constexpr uint8_t startJoined = 0x01;
constexpr uint8_t startKeyless = 0x08;  // under suite "none" no key could come of a handshake
// More than a node can remember.
constexpr uint8_t fuzzedNeighbours = 40;
constexpr uint8_t knownNeighbours = 3;
constexpr unsigned steps = 9;
constexpr int8_t nearDbm = -50;
constexpr int8_t farDbm = -80;

void linkAll(World& world) {
  for (size_t a = 0; a < boards; a++) {
    for (size_t b = 0; b < boards; b++) world.isLinked[a][b] = true;
  }
}

// from: bits 0-5 a neighbour, or with bit 6 a board; bit 7: broadcast. type: bits 0-3 the frame's type, bit 4 an old link counter,
// bit 5 an unknown key. Then the body behind its length.
void frameFrom(World& world, size_t to, Input& input) {
  const uint8_t from = input.u8();
  const uint8_t type = input.u8();
  Bytes body = input.bytes8();
  if ((type & 0x0f) == static_cast<uint8_t>(FrameType::routed)) repairPackets(body);
  const Mac mac = (from & 0x40) != 0 ? world.board(from % boards).mac() : neighbourMac((from & 0x3f) % fuzzedNeighbours);
  const uint32_t counter = (type & 0x10) != 0 ? 1 : world.freshCounter();
  const bool isJoin = (type & 0x0f) == static_cast<uint8_t>(FrameType::join);
  const uint8_t own = isJoin ? joinKeyId : world.board(to).keyId();
  const uint8_t keyId = static_cast<uint8_t>((type & 0x20) != 0 ? (own + 1) % (keyIdMax + 1) : own);
  world.receive(to, mac, (from & 0x80) != 0, frame(type, keyId, counter, body));
}

// flags: bit 0 the radio is busy, bit 1 the host is full, bit 2 neighbours hear, bit 3 the head-end answers, bits 4-6 links, bit 7 they
// are heard well.
void changeWorld(World& world, size_t index, uint8_t flags) {
  world.board(index).radioIsBusy = (flags & 0x01) != 0;
  world.board(index).hostIsFull = (flags & 0x02) != 0;
  world.board(index).rssiDbm = (flags & 0x80) != 0 ? nearDbm : farDbm;
  world.isHeard = (flags & 0x04) != 0;
  world.headEndAnswers = (flags & 0x08) != 0;
  world.isLinked[meter][hub] = world.isLinked[hub][meter] = (flags & 0x10) != 0;
  world.isLinked[hub][gateway] = world.isLinked[gateway][hub] = (flags & 0x20) != 0;
  world.isLinked[meter][gateway] = world.isLinked[gateway][meter] = (flags & 0x40) != 0;
}

void changeRegisters(Board& board, Input& input) {
  board.registers.mask = input.u16();
  board.hasRegisters = (board.registers.mask & 0x8000) == 0;
  board.registers.powerDw = static_cast<int32_t>(input.u32());
  board.registers.importDwh = static_cast<uint64_t>(input.u32()) << 17;
}

// Many neighbours come into reach and prove that they are there. first: bits 0-5 the first one, bit 6 they hand something over, bit 7
// they are silent long before the next one comes.
void crowd(World& world, size_t to, Input& input) {
  const uint8_t first = input.u8();
  const uint8_t count = input.u8();
  const bool isBroadcast = (first & 0x40) == 0;
  for (uint8_t i = 0; i < count % fuzzedNeighbours; i++) {
    const Mac mac = neighbourMac(static_cast<uint8_t>((first + i) & 0x3f) % fuzzedNeighbours);
    world.receiveFresh(to, mac, isBroadcast, isBroadcast ? FrameType::beacon : FrameType::data, {});
    world.run((first & 0x80) != 0 ? 8 * usPerS : usPerS / 4);
  }
}

// A packet of the head-end's: M2 with flags bit 0, otherwise a downlink, through the gateway.
void sendDown(World& world, size_t to, Input& input) {
  const uint8_t flags = input.u8();
  Board& target = world.board(to);
  const uint32_t counter = input.u16();
  const Bytes plain = input.bytes8();
  const bool isHandshake = (flags & 0x01) != 0;
  const Bytes packet = isHandshake ? m2(target.nodeId(), target.handshake() + (flags >> 6), target.suite(), plain)
                                   : down(target.sealing(), flags >> 6, counter, plain);
  if (packet.size() > packetBytesMax) return;
  Down downward{};
  downward.token = counter;
  downward.expiresS = (flags & 0x04) != 0 ? 0 : UINT32_MAX;
  downward.hold = (flags & 0x02) != 0;
  downward.packet = packet.data();
  downward.packetLength = packet.size();
  Bytes envelope(envelopeBytesMax);
  envelope.resize(encodeDown(downward, envelope.data(), envelope.size()));
  world.hostBytes(gateway, envelope);
}

void step(World& world, Input& input) {
  const uint8_t head = input.u8();
  const size_t index = (head & 0x03) % boards;
  switch ((head >> 2) % steps) {
    case 0:
      frameFrom(world, index, input);
      break;
    case 1:
      world.pass(input.u8());
      break;
    case 2:
      world.finish(index);
      break;
    case 3:
      world.hostBytes(index, input.bytes16(envelopeBytesMax + 1));
      break;
    case 4:
      world.reboot(index);
      break;
    case 5:
      changeRegisters(world.board(index), input);
      break;
    case 6:
      changeWorld(world, index, input.u8());
      break;
    case 7:
      sendDown(world, index, input);
      break;
    default:
      crowd(world, index, input);
  }
}

bool allJoined(World& world) {
  bool all = true;
  for (size_t i = 0; i < boards; i++) all = all && world.board(i).session().joined();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t length) {
  Input input(data, length);
  const uint8_t flags = input.u8();
  const uint8_t suite = suiteOf(flags >> 1 & 0x03);
  World world({Role::meter, Role::hub, Role::gateway}, Setup{suite, suite == suiteNone || (flags & startKeyless) == 0});
  linkAll(world);
  if ((flags & startJoined) != 0) {
    // Hub and gateway first; the meter through the hub.
    world.isLinked[meter][gateway] = world.isLinked[gateway][meter] = false;
    world.headEndAnswers = true;
    constexpr unsigned secondsMax = 30;
    for (unsigned s = 0; s < secondsMax && !allJoined(world); s++) world.run(usPerS);
    DEMAND(allJoined(world));
    world.headEndAnswers = false;
    // Some neighbours are known already, so that their first frame counts.
    for (size_t i = 0; i < boards; i++) {
      for (uint8_t number = 0; number < knownNeighbours; number++) world.receiveFresh(i, neighbourMac(number), false, FrameType::data, {});
    }
    world.run(3 * usPerS);
  }
  while (!input.empty()) step(world, input);
  changeWorld(world, meter, 0xfc);
  world.run(5 * usPerS);
  world.checkLogs();
  return 0;
}
