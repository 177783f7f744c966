#include "world.hpp"

#include <algorithm>
#include <cstring>

#include "demand.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/envelope.hpp"
#include "wattmesh/sections.hpp"
#include "wattmesh/slip.hpp"

using namespace wattmesh;

namespace fuzz {

namespace {

constexpr uint16_t parentShortId = 0x8009;
constexpr uint64_t bootUs = 5000;
constexpr size_t envelopeRoomBytes = 512;

bool isBroadcastMac(const Mac& mac) { return memcmp(mac.data(), broadcastMac, mac.size()) == 0; }

// The short ids that the vectors use.
uint16_t shortIdOf(Role role) { return role == Role::meter ? 0x0101 : role == Role::hub ? 0x8002 : 0x8001; }

}  // namespace

World::World(std::vector<Role> roles, const Setup& setup) : serialHost_(setup.serialHost) {
  nowUs_ = bootUs;
  for (const Role role : roles) {
    boards_.push_back(std::make_unique<Board>(role, setup));
    boards_.back()->boot(nowUs_);
  }
}

void World::run(uint64_t us) {
  const uint64_t untilUs = std::min(nowUs_ + us, endUs_);
  while (events_ < eventsEnd_) {
    size_t index = 0;
    for (size_t i = 1; i < boards_.size(); i++) {
      if (boards_[i]->nextUs() < boards_[index]->nextUs()) index = i;
    }
    Board& next = *boards_[index];
    if (next.nextUs() > untilUs) break;
    nowUs_ = std::max(nowUs_, next.nextUs());
    events_++;
    if (next.isSendingDone(nowUs_)) {
      finish(index);
    } else {
      next.tick(nowUs_);
    }
    if (headEndAnswers) {
      for (size_t i = 0; i < boards_.size(); i++) serveHost(i);
    }
  }
  nowUs_ = std::max(nowUs_, untilUs);
}

void World::pass(uint8_t coded) {
  constexpr unsigned longestShift = 16;
  const uint8_t amount = coded & 0x7f;
  if (coded == amount) {
    run(usPerMs << amount % (longestShift + 1));
  } else {
    leap(amount * 60 * usPerS);
  }
}

void World::leap(uint64_t us) {
  nowUs_ += us;
  endUs_ += us;
}

void World::finish(size_t index) {
  Board& board = *boards_[index];
  if (!board.isSending()) return;
  deliver(index);
  const Bytes bytes = board.onAir();
  const Mac to = board.onAirTo();
  board.sent(isHeard || isBroadcastMac(to), nowUs_);
  const bool isForeign = std::none_of(boards_.begin(), boards_.end(), [&to](const auto& each) { return each->mac() == to; });
  if (isHeard && isForeign) answerChallenge(index, to, bytes);
}

// To the boards in reach; each gets a copy of its own.
void World::deliver(size_t from) {
  const Bytes bytes = boards_[from]->onAir();
  const Mac to = boards_[from]->onAirTo();
  for (size_t i = 0; i < boards_.size(); i++) {
    if (i == from || !isLinked[from][i]) continue;
    if (isBroadcastMac(to) || to == boards_[i]->mac()) boards_[i]->receive(boards_[from]->mac(), isBroadcastMac(to), bytes, nowUs_);
  }
}

// Neighbours that are no boards answer what asks whether they are there, so that the device listens to them.
void World::answerChallenge(size_t asker, const Mac& asked, const Bytes& bytes) {
  FrameHeader header{};
  const uint8_t* body = nullptr;
  size_t length = 0;
  Challenge challenge{};
  if (openFrame(bytes.data(), bytes.size(), header, body, length) != Error::none || header.type != FrameType::challenge) return;
  if (decodeChallenge(body, length, challenge) != Error::none || challenge.isAnswer) return;
  challenge.isAnswer = true;
  const uint32_t counter = freshCounter();
  challenge.counter = counter - 1;
  Bytes answer(bodyBytesMax);
  answer.resize(encodeChallenge(challenge, answer.data(), answer.size()));
  const uint8_t keyId = boards_[asker]->keyId();
  receive(asker, asked, false, frame(static_cast<uint8_t>(FrameType::challenge), keyId, counter, answer));
}

void World::receive(size_t index, const Mac& from, bool isBroadcast, const Bytes& frame) {
  boards_[index]->receive(from, isBroadcast, frame, nowUs_);
}

void World::receiveFresh(size_t index, const Mac& from, bool isBroadcast, FrameType type, const Bytes& body) {
  const uint8_t keyId = type == FrameType::join ? joinKeyId : boards_[index]->keyId();
  receive(index, from, isBroadcast, frame(static_cast<uint8_t>(type), keyId, freshCounter(), body));
}

void World::hostBytes(size_t index, const Bytes& bytes) { boards_[index]->hostBytes(bytes, nowUs_); }

void World::reboot(size_t index) { boards_[index]->boot(nowUs_); }

void World::beacon(size_t index) {
  tree_++;
  // A new gateway, whose first beacon outdoes whatever was announced before it.
  const Announcement announcement{parentShortId, tree_, tree_, static_cast<uint8_t>(tree_), utcMs()};
  receiveFresh(index, parentMac(), true, FrameType::beacon, gatewayBeacon(announcement));
}

void World::beaconPeriod(size_t index) {
  beacon(index);
  run(10 * usPerS);
}

void World::join(size_t index, uint16_t shortId, uint32_t acknowledged) {
  Board& joiner = board(index);
  constexpr unsigned periodsMax = 60;
  endUs_ = nowUs_ + 2 * lifeUs;
  eventsEnd_ = events_ + eventsMax;
  for (unsigned period = 0; period < periodsMax && !joiner.session().joined(); period++) {
    if (period == periodsMax / 2) leap(3600 * usPerS);
    beaconPeriod(index);
    const Bytes answer = m2(joiner.nodeId(), joiner.handshake(), joiner.suite(), m2Payload(shortId, acknowledged, joiner.keyId()));
    receiveFresh(index, parentMac(), false, FrameType::routed, routed({shortIdNone}, packetSection(0, answer)));
    // To those who have no network key.
    if (!joiner.session().joined()) receiveFresh(index, parentMac(), false, FrameType::join, joinDown(answer));
  }
  DEMAND(joiner.session().joined());
}

void World::checkLogs() {
  for (const auto& each : boards_) each->checkLog();
}

void World::toGateway(size_t index, const Bytes& envelope) {
  if (!serialHost_) {
    hostBytes(index, envelope);
    return;
  }
  Bytes line(slipEncodedBytesMax);
  line.resize(encodeSlip(envelope.data(), envelope.size(), line.data(), line.size()));
  hostBytes(index, line);
}

// What came from the gateway is answered as the head-end does: HELLO with HELLO and TIME, UP with UP_ACK, M1 with M2, rows with ACK.
void World::serveHost(size_t index) {
  Board& gateway = *boards_[index];
  SlipDecoder slip;
  while (!gateway.toHost.empty()) {
    Bytes envelope = gateway.toHost.front();
    gateway.toHost.pop_front();
    if (serialHost_) {
      for (const uint8_t byte : Bytes(envelope)) {
        if (slip.push(byte)) envelope.assign(slip.data(), slip.data() + slip.length());
      }
    }
    EnvelopeType type{};
    DEMAND(openEnvelope(envelope.data(), envelope.size(), type) == Error::none);
    Bytes out(envelopeRoomBytes);
    if (type == EnvelopeType::hello) {
      out.resize(encodeHelloHost(HelloHost{{1}, networkNumber}, out.data(), out.size()));
      toGateway(index, out);
      out.resize(envelopeRoomBytes);
      out.resize(encodeHostTime(HostTime{utcMs(), true}, out.data(), out.size()));
      toGateway(index, out);
    } else if (type == EnvelopeType::up) {
      Up up{};
      DEMAND(decodeUp(envelope.data(), envelope.size(), up) == Error::none);
      UpAck ack{};
      ack.count = 1;
      ack.number[0] = up.number;
      out.resize(encodeUpAck(ack, out.data(), out.size()));
      toGateway(index, out);
      answerUp(index, up);
    }
  }
}

void World::answerUp(size_t index, const Up& up) {
  PacketHeader header{};
  if (up.item.packetLength == 0 || decodePacketHeader(up.item.packet, up.item.packetLength, header) != Error::none) return;
  Bytes packet;
  if (header.type == packetM1) {
    for (const auto& each : boards_) {
      if (memcmp(each->nodeId(), header.nodeId, nodeIdBytes) != 0) continue;
      packet = m2(header.nodeId, header.counter, each->suite(), m2Payload(shortIdOf(each->role()), 0, each->keyId()));
    }
  } else {
    packet = down(Sealing{header.nodeId, header.suite, header.session}, 1, ++downCounter_, ackSection(header.counter));
  }
  if (packet.empty()) return;
  Down downward{};
  downward.expiresS = UINT32_MAX;
  downward.hold = header.type != packetM1;
  downward.packet = packet.data();
  downward.packetLength = packet.size();
  Bytes out(envelopeRoomBytes);
  out.resize(encodeDown(downward, out.data(), out.size()));
  toGateway(index, out);
}

}  // namespace fuzz
