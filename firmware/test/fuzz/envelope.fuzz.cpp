// A gateway and what its host sends, over a serial line or in messages: any bytes, any envelope with a right CRC, UP_ACKs of numbers
// that are out, with items coming in by radio meanwhile.
#include <algorithm>
#include <map>

#include "demand.hpp"
#include "wattmesh/envelope.hpp"
#include "wattmesh/slip.hpp"
#include "world.hpp"

using namespace wattmesh;
using namespace fuzz;

namespace {

constexpr size_t gateway = 0;
constexpr uint8_t overSerial = 0x01;
constexpr uint8_t startJoined = 0x02;
constexpr uint8_t startKeyless = 0x10;
constexpr unsigned steps = 8;

// The host's end of the line: judges what the gateway says, and knows which items are out.
class Host {
 public:
  explicit Host(bool serial) : serial_(serial) {}

  Bytes wrapped(const Bytes& envelope) const {
    if (!serial_) return envelope;
    Bytes line(slipEncodedBytesMax);
    line.resize(encodeSlip(envelope.data(), envelope.size(), line.data(), line.size()));
    return line;
  }

  // What goes to the gateway: an UP_ACK among it frees the items it names.
  void says(const Bytes& bytes) {
    if (!serial_) {
      freeItems(bytes.data(), bytes.size());
      return;
    }
    for (const uint8_t byte : bytes) {
      if (toGateway_.push(byte)) freeItems(toGateway_.data(), toGateway_.length());
    }
  }

  void hears(const Bytes& bytes) {
    if (!serial_) {
      judge(bytes.data(), bytes.size());
      return;
    }
    unsigned whole = 0;
    for (const uint8_t byte : bytes) {
      if (!fromGateway_.push(byte)) continue;
      whole++;
      judge(fromGateway_.data(), fromGateway_.length());
    }
    DEMAND(whole == 1);
  }

  // The number of an item that is out, 0 when there is none.
  uint32_t out(size_t turn) const {
    if (items_.empty()) return 0;
    auto at = items_.begin();
    std::advance(at, turn % items_.size());
    return at->first;
  }

 private:
  void freeItems(const uint8_t* envelope, size_t length) {
    EnvelopeType type{};
    UpAck ack{};
    if (openEnvelope(envelope, length, type) != Error::none || type != EnvelopeType::upAck) return;
    if (decodeUpAck(envelope, length, ack) != Error::none) return;
    for (uint8_t i = 0; i < ack.count; i++) items_.erase(ack.number[i]);
  }

  void judge(const uint8_t* envelope, size_t length) {
    EnvelopeType type{};
    DEMAND(openEnvelope(envelope, length, type) == Error::none);
    HelloGateway hello{};
    DownResult result{};
    GatewayStats stats{};
    switch (type) {
      case EnvelopeType::hello:
        DEMAND(decodeHelloGateway(envelope, length, hello) == Error::none);
        // While nobody listens packets go to the spool, and come again under other numbers.
        items_.clear();
        break;
      case EnvelopeType::up:
        judgeUp(envelope, length);
        break;
      case EnvelopeType::downResult:
        DEMAND(decodeDownResult(envelope, length, result) == Error::none);
        break;
      case EnvelopeType::stats:
        DEMAND(decodeGatewayStats(envelope, length, stats) == Error::none);
        DEMAND(stats.queue <= queueFramesMax + spoolPacketsMax && stats.members <= gatewayMembersMax && stats.neighbours <= gatewayNeighboursMax);
        break;
      default:
        DEMAND(false);
    }
  }

  void judgeUp(const uint8_t* envelope, size_t length) {
    Up up{};
    DEMAND(decodeUp(envelope, length, up) == Error::none);
    // The gateway's own packets may go with their session.
    if (up.rssiDbm == 0) return;
    Bytes item(bodyBytesMax);
    Writer writer(item.data(), item.size());
    DEMAND(encodeItem(writer, up.item));
    item.resize(writer.length());
    const auto known = items_.find(up.number);
    if (known == items_.end()) {
      items_[up.number] = item;
    } else {
      DEMAND(known->second == item);
    }
    DEMAND(items_.size() <= gatewayWindowMax);
  }

  bool serial_;
  SlipDecoder toGateway_;
  SlipDecoder fromGateway_;
  std::map<uint32_t, Bytes> items_;
};

void say(World& world, Host& host, const Bytes& bytes) {
  host.says(bytes);
  world.hostBytes(gateway, bytes);
}

void listen(World& world, Host& host) {
  Board& board = world.board(gateway);
  for (; !board.toHost.empty(); board.toHost.pop_front()) host.hears(board.toHost.front());
}

void acknowledge(World& world, Host& host, uint8_t turn) {
  UpAck ack{};
  ack.count = 1;
  ack.number[0] = host.out(turn);
  Bytes envelope(envelopeBytesMax);
  envelope.resize(encodeUpAck(ack, envelope.data(), envelope.size()));
  say(world, host, host.wrapped(envelope));
}

// A DATA frame of a neighbour: the cost and whatever items the bytes are; or, with nothing, one of a member with a number of its own.
void item(World& world, Input& input) {
  const uint8_t from = input.u8();
  Bytes body = input.bytes8();
  if (body.empty()) {
    PacketHeader header{};
    header.type = packetUp;
    header.nodeId[0] = from;
    header.session = firstSession;
    header.counter = world.freshCounter();
    Bytes packet(upHeaderBytes + crcBytes);
    Writer writer(packet.data(), packet.size());
    DEMAND(encodePacketHeader(writer, header));
    sealNone(packet.data(), upHeaderBytes, packet.size());
    body = {0, 0, 1, static_cast<uint8_t>(packet.size()), from, 1};
    body.insert(body.end(), packet.begin(), packet.end());
  }
  world.receiveFresh(gateway, neighbourMac(from), false, FrameType::data, body);
}

void step(World& world, Host& host, Input& input) {
  switch (input.u8() % steps) {
    case 0:
      say(world, host, input.bytes8());
      break;
    case 1:
      say(world, host, host.wrapped(input.bytes16(envelopeBytesMax)));
      break;
    case 2:
      world.pass(input.u8());
      break;
    case 3:
      item(world, input);
      break;
    case 4:
      acknowledge(world, host, input.u8());
      break;
    case 5:
      world.board(gateway).hostIsFull = (input.u8() & 1) != 0;
      break;
    case 6:
      world.board(gateway).radioIsBusy = (input.u8() & 1) != 0;
      break;
    default: {
      // M2 for the gateway itself.
      const uint8_t head = input.u8();
      const Board& board = world.board(gateway);
      const Bytes packet = m2(board.nodeId(), head, board.suite(), m2Payload(0x8001, 0, head % (keyIdMax + 1)));
      Bytes envelope = {wireVersion << 4 | static_cast<uint8_t>(EnvelopeType::down), head, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0};
      envelope.insert(envelope.end(), packet.begin(), packet.end());
      say(world, host, host.wrapped(envelope));
    }
  }
  listen(world, host);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t length) {
  Input input(data, length);
  const uint8_t flags = input.u8();
  const bool serial = (flags & overSerial) != 0;
  World world({Role::gateway}, Setup{suiteOf(flags >> 2 & 0x03), (flags & startKeyless) == 0, serial});
  if ((flags & startJoined) != 0) {
    world.headEndAnswers = true;
    world.run(10 * usPerS);
    DEMAND(world.board(gateway).session().joined());
    world.headEndAnswers = false;
  }
  Host host(serial);
  while (!input.empty()) step(world, host, input);
  // In the end the host answers again: everything that is queued comes up.
  world.board(gateway).hostIsFull = false;
  world.headEndAnswers = true;
  world.run(30 * usPerS);
  return 0;
}
