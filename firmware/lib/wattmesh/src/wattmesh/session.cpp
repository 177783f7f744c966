#include "wattmesh/session.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"

namespace wattmesh {

namespace {

constexpr uint8_t basePoint[keyBytes] = {9};
constexpr uint64_t firstTryUs = 5 * usPerS;
constexpr uint8_t triesMax = 3;
constexpr uint64_t backOffMinUs = 60 * usPerS;
constexpr uint8_t backOffDoublings = 6;  // 64 minutes, cut to one hour
constexpr uint64_t backOffMaxUs = 3600 * usPerS;
constexpr uint64_t silenceMinUs = 30 * usPerS;
constexpr uint32_t silenceCycles = 3;
constexpr uint64_t groundlessMaxUs = 600 * usPerS;
constexpr uint64_t windowBits = 64;

uint32_t readU32(const Records& records, RecordKey key) {
  uint8_t bytes[4] = {};
  return records.read(key, bytes, sizeof bytes) ? Reader(bytes, sizeof bytes).u32() : 0;
}

}  // namespace

Error Session::begin(const Port& port, const Config& config, Records& records) {
  port_ = &port;
  config_ = &config;
  records_ = &records;
  uint8_t secret[keyBytes];
  if (!records.read(RecordKey::identity, secret, sizeof secret)) {
    port.random(port.context, secret, sizeof secret);
    const Error error = records.write(RecordKey::identity, secret, sizeof secret);
    if (error != Error::none) return error;
  }
  port.x25519(port.context, publicKey_, secret, basePoint);
  nodeIdOf(port, publicKey_, nodeId_);

  uint8_t boots[2] = {};
  if (records.read(RecordKey::bootCount, boots, sizeof boots)) bootCount_ = Reader(boots, sizeof boots).u16();
  bootCount_++;
  Writer(boots, sizeof boots).u16(bootCount_);
  localHubId_ = config.localHubId;
  return records.write(RecordKey::bootCount, boots, sizeof boots);
}

Error Session::drawHandshake() {
  // Durable before it is used: a number never comes back after a power cut.
  const uint32_t number = readU32(*records_, RecordKey::handshake) + 1;
  uint8_t bytes[4];
  Writer(bytes, sizeof bytes).u32(number);
  const Error error = records_->write(RecordKey::handshake, bytes, sizeof bytes);
  if (error == Error::none) handshake_ = number;
  return error;
}

void Session::restart(uint64_t nowUs) {
  state_ = State::joining;
  tries_ = 0;
  drawn_ = false;
  dueUs_ = nowUs;
}

bool Session::tick(uint64_t nowUs, bool grounded, bool waiting) {
  if (grounded != grounded_) {
    grounded_ = grounded;
    silentSinceUs_ = nowUs;
    if (!grounded) groundLostUs_ = nowUs;
    if (state_ == State::joining && grounded && rounds_ == 0) dueUs_ = nowUs;
    // Long out of reach: the network key may have changed meanwhile.
    if (state_ == State::joined && grounded && nowUs - groundLostUs_ >= groundlessMaxUs) restart(nowUs);
  }
  if (!grounded) return false;
  if (state_ == State::idle) restart(nowUs);
  if (state_ == State::joined) {
    if (!waiting) silentSinceUs_ = nowUs;
    const uint64_t cyclesUs = silenceCycles * config_->pollCycleS * usPerS;
    if (nowUs - silentSinceUs_ <= (cyclesUs > silenceMinUs ? cyclesUs : silenceMinUs)) return false;
    rounds_ = 0;
    restart(nowUs);
  }
  if (nowUs < dueUs_) return false;
  if (tries_ == triesMax) {
    // A round went by unanswered: wait, then begin with a new number.
    const uint8_t doublings = rounds_ < backOffDoublings ? rounds_ : backOffDoublings;
    const uint64_t waitUs = backOffMinUs << doublings;
    rounds_ = static_cast<uint8_t>(rounds_ < 255 ? rounds_ + 1 : rounds_);
    restart(nowUs);
    dueUs_ = nowUs + (waitUs < backOffMaxUs ? waitUs : backOffMaxUs);
    return false;
  }
  if (!drawn_) {
    if (drawHandshake() != Error::none) {
      dueUs_ = nowUs + backOffMinUs;
      return false;
    }
    drawn_ = true;
  }
  dueUs_ = nowUs + (firstTryUs << tries_);
  tries_++;
  return true;
}

uint64_t Session::nextUs() const {
  if (!grounded_) return never;
  if (state_ == State::joined) return never;  // silence is judged to the second, by the regular tick
  return dueUs_;
}

size_t Session::m1(const uint8_t logId[logIdBytes], uint16_t registerMask, uint8_t out[packetBytesMax]) {
  PacketHeader header{};
  header.type = packetM1;
  header.suite = suiteNone;
  memcpy(header.nodeId, nodeId_, nodeIdBytes);
  header.counter = handshake_;
  M1Payload payload{};
  payload.handshake = handshake_;
  memcpy(payload.logId, logId, logIdBytes);
  memcpy(payload.firmware, firmwareVersion, sizeof payload.firmware);
  payload.role = config_->role;
  payload.bootCount = bootCount_;
  payload.capabilities = config_->capabilities;
  payload.localHubId = config_->localHubId;
  payload.shortId = shortId_;
  payload.intervalS = config_->intervalS;
  payload.pollCycleS = config_->pollCycleS;
  payload.energyClass = config_->energy;
  payload.resetCause = config_->resetCause;
  payload.registerMask = registerMask;

  Writer writer(out, packetBytesMax);
  if (!encodePacketHeader(writer, header)) return 0;
  writer.bytes(publicKey_, sizeof publicKey_);
  const size_t payloadLength = encodeM1Payload(payload, out + writer.length(), writer.room());
  return payloadLength == 0 ? 0 : sealNone(out, writer.length() + payloadLength, packetBytesMax);
}

size_t Session::seal(const uint8_t* plain, size_t length, uint8_t out[packetBytesMax], uint32_t& counter) {
  if (!joined()) return 0;
  PacketHeader header{};
  header.type = packetUp;
  header.suite = suiteNone;
  memcpy(header.nodeId, nodeId_, nodeIdBytes);
  header.session = sessionId_;
  header.counter = counter_;
  Writer writer(out, packetBytesMax);
  if (!encodePacketHeader(writer, header)) return 0;
  writer.bytes(plain, length);
  const size_t sealed = writer.ok() ? sealNone(out, writer.length(), packetBytesMax) : 0;
  if (sealed == 0) return 0;
  counter = counter_++;
  return sealed;
}

Error Session::openM2(const PacketHeader& header, const uint8_t* packet, size_t length, uint64_t nowUs, M2Payload& out) {
  if (state_ != State::joining || header.counter != handshake_ || header.session != 0) return Error::notJoined;
  if (header.suite != suiteNone) return Error::suiteRefused;
  const uint8_t* plain = nullptr;
  size_t plainLength = 0;
  Error error = openNone(packet, length, header.headerLength, plain, plainLength);
  if (error != Error::none) return error;
  error = decodeM2Payload(plain, plainLength, out);
  if (error != Error::none) return error;
  state_ = State::joined;
  rounds_ = 0;
  sessionId_ = out.session;
  shortId_ = out.shortId;
  if (config_->isHub()) localHubId_ = out.localHubId;
  counter_ = 0;
  highest_ = 0;
  window_ = 0;
  echoDue_ = false;
  silentSinceUs_ = nowUs;
  return Error::none;
}

Error Session::openDown(const PacketHeader& header, const uint8_t* packet, size_t length, uint64_t nowUs,
                        const uint8_t*& plain, size_t& plainLength) {
  if (!joined() || header.session != sessionId_) return Error::notJoined;
  if (header.suite != suiteNone) return Error::suiteRefused;
  Error error = openNone(packet, length, header.headerLength, plain, plainLength);
  if (error == Error::none) error = checkDownSections(plain, plainLength);
  if (error != Error::none) return error;
  // The window runs over epoch and counter together and moves only now, after the tag.
  const uint64_t number = static_cast<uint64_t>(header.epoch) << 32 | header.counter;
  if (number > highest_ || window_ == 0) {
    const uint64_t ahead = number - highest_;
    window_ = ahead >= windowBits || window_ == 0 ? 1 : window_ << ahead | 1;
    highest_ = number;
  } else {
    const uint64_t behind = highest_ - number;
    if (header.epoch < highest_ >> 32) return Error::staleEpoch;
    if (behind >= windowBits) return Error::replay;
    if ((window_ >> behind & 1) != 0) return Error::replay;
    window_ |= uint64_t{1} << behind;
  }
  echoDue_ = true;
  silentSinceUs_ = nowUs;
  return Error::none;
}

bool Session::takeEcho(Echo& echo) {
  if (!echoDue_) return false;
  echoDue_ = false;
  echo.epoch = static_cast<uint32_t>(highest_ >> 32);
  echo.counter = static_cast<uint32_t>(highest_);
  return true;
}

}  // namespace wattmesh
