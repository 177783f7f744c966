#include "wattmesh/gateway.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"

namespace wattmesh {

namespace {
constexpr uint64_t helloPeriodUs = 5 * usPerS;
constexpr uint64_t statsPeriodUs = 60 * usPerS;
constexpr uint64_t upRepeatUs = 5 * usPerS;
constexpr uint64_t hostFullUs = 50 * usPerMs;

uint32_t random32(const Port& port) {
  uint8_t bytes[4];
  port.random(port.context, bytes, sizeof bytes);
  return Reader(bytes, sizeof bytes).u32();
}
}  // namespace

bool Gateway::hostAlive(uint64_t nowUs) const { return heardHost_ && nowUs - hostUs_ <= hostSilenceUs; }

void Gateway::begin(const Port& port, const Config& config) {
  port_ = &port;
  config_ = &config;
  bootId_ = random32(port);
  // A late UP_ACK of an earlier life must not name a packet of this one.
  upNumber_ = random32(port) >> 1;
}

bool Gateway::sendHost(const uint8_t* envelope, size_t length) {
  if (length == 0) return false;
  if (!config_->serialHost) return port_->hostSend(port_->context, envelope, length);
  const size_t encoded = encodeSlip(envelope, length, line_, sizeof line_);
  return encoded > 0 && port_->hostSend(port_->context, line_, encoded);
}

void Gateway::hostBytes(const uint8_t* data, size_t length, uint64_t nowUs, Queue& queue, HostSide& node) {
  if (!config_->serialHost) {
    if (envelope(data, length, queue, node, nowUs) != Error::none) malformed_++;
    return;
  }
  for (size_t i = 0; i < length; i++) {
    if (!slip_.push(data[i])) continue;
    if (envelope(slip_.data(), slip_.length(), queue, node, nowUs) != Error::none) malformed_++;
  }
}

Error Gateway::envelope(const uint8_t* data, size_t length, Queue& queue, HostSide& node, uint64_t nowUs) {
  EnvelopeType type{};
  Error error = openEnvelope(data, length, type);
  if (error != Error::none) return error;
  switch (type) {
    case EnvelopeType::hello: {
      HelloHost hello{};
      error = decodeHelloHost(data, length, hello);
      if (error == Error::none && hello.networkNumber != config_->networkNumber) error = Error::wrongNetwork;
      break;
    }
    case EnvelopeType::time: {
      HostTime time{};
      error = decodeHostTime(data, length, time);
      if (error == Error::none) {
        hostTimeKnown_ = true;
        hostOffsetUs_ = time.utcMs * usPerMs - nowUs;
      }
      // A clock that nobody has set is no reference: better none, or the time as it has gone on here.
      if (error == Error::none && time.synchronised) node.hostTime(time.utcMs);
      break;
    }
    case EnvelopeType::upAck: {
      UpAck ack{};
      error = decodeUpAck(data, length, ack);
      for (uint8_t i = 0; error == Error::none && i < ack.count; i++) {
        QueuedItem* slot = queue.byUpNumber(ack.number[i]);
        if (slot != nullptr) slot->state = QueuedItem::State::empty;
      }
      break;
    }
    case EnvelopeType::down:
      error = down(data, length, node, nowUs);
      break;
    default:
      error = Error::unknownType;  // only gateways send the others
  }
  if (error == Error::none) {
    heardHost_ = true;
    hostUs_ = nowUs;
  }
  return error;
}

Error Gateway::down(const uint8_t* data, size_t length, HostSide& node, uint64_t nowUs) {
  Down down{};
  const Error error = decodeDown(data, length, down);
  if (error != Error::none) return error;
  // By the host's own clock, right or wrong: it wrote the time into the envelope.
  const bool late = hostTimeKnown_ && (nowUs + hostOffsetUs_) / usPerS > down.expiresS;
  DownResult result{};
  result.token = down.token;
  result.error = static_cast<uint16_t>(late ? Error::expired : node.hostDown(down.packet, down.packetLength, down.hold));
  uint8_t out[16];
  sendHost(out, encodeDownResult(result, out, sizeof out));
  return Error::none;
}

void Gateway::tick(uint64_t nowUs, const NetworkClock& clock, Queue& queue, HostSide& node) {
  const bool alive = hostAlive(nowUs);
  if (nowUs >= helloUs_) {
    helloUs_ = nowUs + helloPeriodUs;
    if (!alive) {
      HelloGateway hello{};
      node.fillHello(hello);
      hello.bootId = bootId_;
      hello.window = static_cast<uint8_t>(gatewayWindowMax);
      uint8_t out[32];
      sendHost(out, encodeHelloGateway(hello, out, sizeof out));
    }
  }
  if (!alive) return;
  if (nowUs >= statsUs_) {
    statsUs_ = nowUs + statsPeriodUs;
    GatewayStats stats{};
    node.fillStats(stats);
    uint8_t out[64];
    sendHost(out, encodeGatewayStats(stats, out, sizeof out));
  }
  size_t outstanding = 0;
  for (const QueuedItem& slot : queue) outstanding += slot.state == QueuedItem::State::handedOn ? 1 : 0;
  for (QueuedItem& slot : queue) {
    const bool repeat = slot.state == QueuedItem::State::handedOn;
    if (slot.dueUs > nowUs || !(repeat || slot.state == QueuedItem::State::waiting)) continue;
    if (!repeat && outstanding >= gatewayWindowMax) continue;
    if (!repeat) outstanding++;
    sendUp(slot, nowUs, clock);
  }
}

void Gateway::sendUp(QueuedItem& slot, uint64_t nowUs, const NetworkClock& clock) {
  if (slot.upNumber == 0) slot.upNumber = ++upNumber_;
  Up up{};
  up.number = slot.upNumber;
  up.rssiDbm = slot.rssi;
  up.utcMs = clock.valid() && slot.receivedUs != 0 ? clock.utcUs(slot.receivedUs) / usPerMs : 0;
  Reader reader(slot.bytes, slot.length);
  if (decodeItem(reader, up.item) != Error::none) {
    slot.state = QueuedItem::State::empty;
    return;
  }
  uint8_t out[bodyBytesMax + 16];
  const bool sent = sendHost(out, encodeUp(up, out, sizeof out));
  slot.state = QueuedItem::State::handedOn;
  slot.dueUs = nowUs + (sent ? upRepeatUs : hostFullUs);
}

uint64_t Gateway::nextUs(uint64_t nowUs, Queue& queue) const {
  uint64_t next = helloUs_;
  // Without a host nothing goes up: what is due waits for its next envelope.
  if (!hostAlive(nowUs)) return next;
  size_t outstanding = 0;
  for (const QueuedItem& slot : queue) outstanding += slot.state == QueuedItem::State::handedOn ? 1 : 0;
  for (const QueuedItem& slot : queue) {
    if (slot.state == QueuedItem::State::empty || slot.state == QueuedItem::State::inFlight) continue;
    if (slot.state == QueuedItem::State::waiting && outstanding >= gatewayWindowMax) continue;
    if (slot.dueUs < next) next = slot.dueUs;
  }
  return next;
}

}  // namespace wattmesh
