// A joined meter and what comes down to it: ROUTED frames with any sections, packets of the head-end with any plaintext, M2 with any
// payload; every CRC is right. In the end the mesh is well again, and the meter must offer every row it holds.
#include "demand.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/routed.hpp"
#include "wattmesh/sections.hpp"
#include "world.hpp"

using namespace wattmesh;
using namespace fuzz;

namespace {

constexpr size_t meter = 0;
constexpr uint16_t shortId = 0x0101;
constexpr uint64_t quickAirUs = 2 * usPerMs;
constexpr uint64_t slowAirUs = 700 * usPerMs;
constexpr uint8_t healInTheEnd = 0x01;
constexpr uint8_t startKeyless = 0x08;  // under suite "none" no key could come of a handshake
constexpr unsigned steps = 9;

void fromParent(World& world, const Bytes& body) { world.receiveFresh(meter, World::parentMac(), false, FrameType::routed, body); }

void toMeter(World& world, const Bytes& sections) {
  fromParent(world, routed({world.board(meter).session().shortId()}, sections));
}

// Packets that the meter refused so far, for whatever reason.
uint32_t refused(const Board& board) {
  const Counters& counters = board.node().counters();
  return counters.badMac + counters.replays + counters.malformed + counters.queueFull;
}

// What the head-end numbers its packets with.
struct Head {
  uint32_t epoch = 1;
  uint32_t counter = 0;
};

// What the head-end says, sealed. A copy is never taken.
void sendTwice(World& world, const Head& head, const Bytes& plain) {
  Board& board = world.board(meter);
  const Bytes sections = packetSection(0, down(board.sealing(), head.epoch, head.counter, plain));
  toMeter(world, sections);
  const uint32_t before = refused(board);
  toMeter(world, sections);
  DEMAND(refused(board) > before);
}

// steps: bits 0-1 of the owner epoch; then those of the counter.
void sendSealed(World& world, Head& head, Input& input) {
  head.epoch += input.u8() & 0x03u;
  head.counter += static_cast<uint32_t>(static_cast<int8_t>(input.u8()));
  sendTwice(world, head, input.bytes8());
}

// A COMMIT of what was prepared last, under any command number.
void sendCommit(World& world, Head& head, Input& input) {
  Watch& watch = world.board(meter).watch();
  head.counter++;
  watch.commits(watch.prepared());
  sendTwice(world, head, commitSection(input.u8(), watch.prepared().data()));
}

void sendM2(World& world, Input& input) {
  const uint8_t head = input.u8();
  Board& board = world.board(meter);
  const uint32_t handshake = board.handshake() + (head & 0x01u);
  const uint8_t suite = static_cast<uint8_t>((head & 0x02) != 0 ? head >> 2 : board.suite());
  const Bytes sections = packetSection(0, m2(board.nodeId(), handshake, suite, input.bytes8()));
  if (board.session().joined()) {
    toMeter(world, sections);
  } else {
    fromParent(world, routed({shortIdNone}, sections));
  }
}

// A packet of any header with a right CRC.
void sendPacket(World& world, Input& input) {
  Bytes packet = input.bytes8();
  if (packet.size() < packetBytesMin || packet.size() > packetBytesMax) return;
  repairPacket(packet.data(), packet.size());
  toMeter(world, packetSection(input.u8(), packet));
}

// flags: bit 0 the parent hears, bit 1 the radio needs long for a frame, bit 2 it takes none.
void changeRadio(World& world, uint8_t flags) {
  Board& board = world.board(meter);
  world.isHeard = (flags & 0x01) != 0;
  board.airUs = (flags & 0x02) != 0 ? slowAirUs : quickAirUs;
  board.radioIsBusy = (flags & 0x04) != 0;
}

void step(World& world, Head& head, Input& input) {
  switch (input.u8() % steps) {
    case 0: {
      Bytes body = routed({shortId}, input.bytes8());
      repairPackets(body);
      fromParent(world, body);
      break;
    }
    case 1:
      sendSealed(world, head, input);
      break;
    case 2:
      sendM2(world, input);
      break;
    case 3:
      sendPacket(world, input);
      break;
    case 4:
      world.pass(input.u8());
      break;
    case 5:
      changeRadio(world, input.u8());
      break;
    case 6:
      world.beaconPeriod(meter);
      break;
    case 7:
      if ((input.u8() & 1) != 0) {
        world.reboot(meter);
      } else {
        toMeter(world, pollSection(input.u16(), world.board(meter).session().shortId()));
      }
      break;
    default:
      sendCommit(world, head, input);
  }
}

// Polls until an answer to one of them has gone out.
void pollUntilAnswered(World& world, uint16_t& number) {
  Board& board = world.board(meter);
  constexpr unsigned pollsMax = 8;
  for (unsigned poll = 0; poll < pollsMax && board.session().joined(); poll++) {
    number++;
    board.watch().answered.clear();
    toMeter(world, pollSection(number, board.session().shortId()));  // an M2 may have given it another one
    world.beaconPeriod(meter);
    // Not in step with what the meter says by itself: while that is on the air there is no answer.
    world.run(usPerS);
    for (const uint16_t answered : board.watch().answered) {
      if (answered == number) return;
    }
  }
  DEMAND(!board.session().joined());
}

// The hub takes the packet sent last into custody: the meter goes on to the next rows.
void takeIntoCustody(World& world, uint32_t counter) {
  const CustodyEntry entry{world.board(meter).session().shortId(), firstSession, counter};
  Bytes section(sectionHeaderBytes + custodyEntryBytes);
  Writer writer(section.data(), section.size());
  DEMAND(writeCustody(writer, &entry, 1));
  toMeter(world, section);
}

// A well mesh and a head-end that has nothing: all rows come, each as it was committed.
void heal(World& world) {
  Board& board = world.board(meter);
  uint16_t number = 1000;
  changeRadio(world, 0x01);
  world.finish(meter);
  world.join(meter, shortId, 0);
  pollUntilAnswered(world, number);
  world.reboot(meter);
  world.join(meter, shortId, 0);
  Watch& watch = board.watch();
  watch.offered.clear();
  watch.lost.clear();
  // A packet for each row at worst: rows that are not evenly spaced go alone.
  constexpr unsigned idleRoundsMax = 20;
  const std::vector<uint32_t> held = board.held();
  size_t known = 0;
  uint32_t acks = 0;
  for (unsigned idle = 0; !held.empty() && idle < idleRoundsMax && watch.offered.count(held.back()) == 0; idle++) {
    world.beacon(meter);
    toMeter(world, pollSection(++number, board.session().shortId()));
    world.run(usPerS);
    takeIntoCustody(world, watch.sealedLast());
    if (watch.offered.size() == known) continue;
    known = watch.offered.size();
    idle = 0;
    // And the head-end has it all, so far.
    const Bytes plain = ackSection(watch.toldUpTo(board.meter()->log().oldest()));
    toMeter(world, packetSection(0, down(board.sealing(), 1, ++acks, plain)));
  }
  // What went meanwhile made room for newer rows.
  for (const uint32_t seq : held) DEMAND(watch.offered.count(seq) == 1 || seq < board.meter()->log().oldest());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t length) {
  Input input(data, length);
  const uint8_t flags = input.u8();
  const uint8_t suite = suiteOf(flags >> 1 & 0x03);
  World world({Role::meter}, Setup{suite, suite == suiteNone || (flags & startKeyless) == 0});
  world.join(meter, shortId, 0);
  Head head;
  while (!input.empty()) step(world, head, input);
  if ((flags & healInTheEnd) != 0) heal(world);
  world.checkLogs();
  return 0;
}
