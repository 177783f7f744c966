#include "wattmesh/session.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/flash.hpp"
#include "wattmesh/random_health.hpp"
#include "wattmesh/sleep_state.hpp"

namespace wattmesh {

namespace {
constexpr uint8_t unechoedMax = 8;

constexpr uint64_t firstTryUs = 5 * usPerS;
constexpr uint8_t triesMax = 3;
constexpr uint64_t backOffMinUs = 20 * usPerS;
constexpr uint8_t backOffDoublings = 8;  // 85 minutes, cut to one hour
constexpr uint64_t numberLackUs = 60 * usPerS;
constexpr uint64_t backOffMaxUs = 3600 * usPerS;
constexpr uint64_t silenceMinUs = 30 * usPerS;
constexpr uint32_t silenceCycles = 4;
constexpr uint64_t groundlessMaxUs = 600 * usPerS;
// After the second unanswered round and each one that follows the number rises by twice as much, up to this power of two: the head-end may
// know higher ones, when NV was set back. At one round an hour that lasts for 119 years.
constexpr uint8_t leapDoublings = 12;
// Boot counts come round to this: 1 stands for a device's first boot.
constexpr uint16_t bootsAgain = 2;

uint32_t readU32(const Records& records, RecordKey key) {
  uint8_t bytes[4] = {};
  return records.read(key, bytes, sizeof bytes) ? Reader(bytes, sizeof bytes).u32() : 0;
}

}  // namespace

uint16_t Session::shortId() const { return joined() ? shortId_ : shortIdNone; }

Error Session::begin(const Port& port, const Config& config, Records& records, bool wakes) {
  port_ = &port;
  config_ = &config;
  records_ = &records;
  handshake_.begin(port, config, identity_);
  uint8_t boots[2] = {};
  if (records.read(RecordKey::bootCount, boots, sizeof boots)) bootCount_ = Reader(boots, sizeof boots).u16();
  // The public key takes a chip a tenth of a second, and a session under way does not need it.
  if (wakes) return records.read(RecordKey::identity, identity_.secret, keyBytes) ? Error::none : Error::nvCorrupt;
  randomStuck_ = randomIsStuck(port);
  const Error error = loadIdentity(port, records, randomStuck_, identity_);
  if (error != Error::none) return error;

  bootCount_ = bootCount_ == UINT16_MAX ? bootsAgain : static_cast<uint16_t>(bootCount_ + 1);
  Writer(boots, sizeof boots).u16(bootCount_);
  localHubId_ = config.localHubId;
  return records.write(RecordKey::bootCount, boots, sizeof boots);
}

Error Session::drawHandshake() {
  const uint32_t last = readU32(*records_, RecordKey::handshake);
  if (last == UINT32_MAX) return Error::counterSpent;
  const uint8_t doublings = rounds_ == 0 ? uint8_t{0} : static_cast<uint8_t>(rounds_ - 1);
  const uint32_t leap = uint32_t{1} << (doublings < leapDoublings ? doublings : leapDoublings);
  const uint32_t number = leap < UINT32_MAX - last ? last + leap : UINT32_MAX;
  // Durable before it is used: a number never comes back after a power cut.
  uint8_t bytes[4];
  Writer(bytes, sizeof bytes).u32(number);
  const Error error = records_->write(RecordKey::handshake, bytes, sizeof bytes);
  if (error == Error::none) number_ = number;
  return error;
}

Error Session::takeFailure() {
  const Error failure = failure_;
  failure_ = Error::none;
  return failure;
}

// A secret for one handshake alone. Its number is in it and the device key too (as in RFC 8937): where the source of randomness is stuck, it
// still never comes twice, and nobody else can tell it.
void Session::drawFresh(uint8_t out[keyBytes]) const {
  static const char label[] = "wattmesh fresh";
  constexpr size_t messageBytes = sizeof label - 1 + keyBytes + 4;
  uint8_t buffer[hmacRoomBytes + messageBytes];
  Writer writer(buffer + hmacRoomBytes, messageBytes);
  writer.bytes(reinterpret_cast<const uint8_t*>(label), sizeof label - 1);
  port_->random(port_->context, buffer + hmacRoomBytes + writer.length(), keyBytes);
  Writer(buffer + sizeof buffer - 4, 4).u32(number_);
  hmacSha256(*port_, identity_.secret, keyBytes, buffer, messageBytes, out);
  wipe(buffer, sizeof buffer);
}

uint32_t Session::dice() const {
  uint8_t bytes[4];
  port_->random(port_->context, bytes, sizeof bytes);
  return Reader(bytes, sizeof bytes).u32();
}

// A router whose session may still be good keeps it meanwhile: others hang on it. A leaf would have to stay awake for it.
void Session::restart(uint64_t nowUs, Renewal why) {
  const bool keeps = joined() && config_->routes() && !transport_.spent(nowUs);
  if (!keeps) {
    transport_.end();
    state_ = State::joining;
  }
  renewal_ = keeps ? why : Renewal::none;
  tries_ = 0;
  drawn_ = false;
  dueUs_ = nowUs;
}

bool Session::tick(uint64_t nowUs, bool grounded, bool waiting) {
  if (grounded != grounded_) {
    grounded_ = grounded;
    if (!grounded) {
      groundLostUs_ = nowUs;
    } else {
      // Time without a parent does not count, and makes nothing begin anew: one that is lost for a moment, again and again, would put off
      // starting over for ever.
      silentSinceUs_ = silentSinceUs_ <= groundLostUs_ ? silentSinceUs_ + (nowUs - groundLostUs_) : nowUs;
    }
    if (state_ == State::joining && grounded && rounds_ == 0) dueUs_ = nowUs;
    // Long out of reach: the network key may have changed meanwhile.
    if (joined() && grounded && nowUs - groundLostUs_ >= groundlessMaxUs) restart(nowUs, Renewal::wanted);
  }
  if (!grounded) return false;
  if (state_ == State::idle) restart(nowUs);
  if (joined() && renewal_ == Renewal::none) {
    if (!waiting) silentSinceUs_ = nowUs;
    const uint64_t cyclesUs = silenceCycles * config_->cycleS() * usPerS;
    const bool silent = nowUs - silentSinceUs_ > (cyclesUs > silenceMinUs ? cyclesUs : silenceMinUs);
    if (!silent && !transport_.spent(nowUs)) return false;
    rounds_ = 0;
    restart(nowUs, Renewal::tried);
  }
  if (nowUs < dueUs_) return false;
  if (tries_ == triesMax) {
    // A round went by unanswered: wait, then begin with a new number.
    const uint8_t doublings = rounds_ < backOffDoublings ? rounds_ : backOffDoublings;
    const uint64_t longestUs = backOffMinUs << doublings;
    const uint64_t waitUs = longestUs < backOffMaxUs ? longestUs : backOffMaxUs;
    rounds_ = static_cast<uint8_t>(rounds_ < 255 ? rounds_ + 1 : rounds_);
    restart(nowUs, renewal_);
    // Many may have begun together, and kept each other from being heard.
    dueUs_ = nowUs + waitUs - (waitUs / 2 * dice() >> 32);
    return false;
  }
  if (!drawn_) {
    failure_ = drawHandshake();
    if (failure_ != Error::none) {
      dueUs_ = nowUs + numberLackUs;
      return false;
    }
    drawn_ = true;
    made_ = false;
  }
  dueUs_ = nowUs + (firstTryUs << tries_);
  tries_++;
  return true;
}

uint64_t Session::nextUs() const {
  if (!grounded_) return never;
  if (joined() && renewal_ == Renewal::none) return never;  // silence is judged by the regular tick
  return dueUs_;
}

void Session::rekey(uint64_t nowUs) {
  if (!joined()) return;
  rounds_ = 0;
  restart(nowUs, Renewal::wanted);
}

Error Session::makeM1(const uint8_t logId[logIdBytes], uint16_t registerMask) {
  if (made_) return Error::none;
  M1Payload payload{};
  payload.handshake = number_;
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
  if (allBytes(identity_.publicKey, keyBytes, 0)) {
    const Error unread = loadIdentity(*port_, *records_, randomStuck_, identity_);
    if (unread != Error::none) return unread;
  }
  uint8_t fresh[keyBytes] = {};
  if (config_->suite != suiteNone) drawFresh(fresh);
  const Error error = handshake_.start(payload, fresh);
  wipe(fresh, sizeof fresh);
  made_ = error == Error::none;
  return error;
}

size_t Session::seal(const uint8_t* plain, size_t length, uint8_t out[packetBytesMax], uint32_t& counter) {
  return joined() ? transport_.seal(plain, length, out, counter) : 0;
}

Error Session::openM2(const PacketHeader& header, const uint8_t* packet, size_t length, uint64_t nowUs, M2Payload& out) {
  if (!handshake_.pending()) return Error::notJoined;
  SessionKeys keys{};
  Error error = handshake_.finish(header, packet, length, out, keys);
  if (error == Error::none) {
    state_ = State::joined;
    renewal_ = Renewal::none;
    rounds_ = 0;
    shortId_ = out.shortId;
    policy_ = out.policy;
    if (config_->isHub()) localHubId_ = out.localHubId;
    transport_.begin(*port_, config_->suite, identity_.nodeId, out.session, keys, nowUs);
    echoDue_ = false;
    echoedEpoch_ = 0;
    unechoed_ = 0;
    silentSinceUs_ = nowUs;
  }
  wipe(&keys, sizeof keys);
  return error;
}

Error Session::openDown(const PacketHeader& header, const uint8_t* packet, size_t length, uint64_t nowUs,
                        uint8_t plain[packetBytesMax], size_t& plainLength) {
  if (!joined()) return Error::notJoined;
  Error error = transport_.open(header, packet, length, plain, plainLength);
  if (error == Error::none) error = checkDownSections(plain, plainLength);
  // The window moves only now, after the tag.
  if (error == Error::none) error = transport_.accept(header);
  if (error != Error::none) return error;
  // Ten bytes in every packet would be dear: the head-end waits for the echo of an epoch, and of what it marks, not of each acknowledgement.
  unechoed_++;
  if (transport_.window().epoch() != echoedEpoch_ || unechoed_ >= unechoedMax) echoDue_ = true;
  silentSinceUs_ = nowUs;
  // The session is good. Should the head-end have had our M1, its M2 still counts.
  if (renewal_ == Renewal::tried) renewal_ = Renewal::none;
  return Error::none;
}

bool Session::takeEcho(Echo& echo) {
  if (!echoDue_) return false;
  echoDue_ = false;
  unechoed_ = 0;
  echoedEpoch_ = transport_.window().epoch();
  echo.epoch = transport_.window().epoch();
  echo.counter = transport_.window().counter();
  return true;
}

void Session::pass(SleepState& state) {
  state.pass(echoedEpoch_, unechoed_);
  state.passTimes(&groundLostUs_, 3);
  state.pass(identity_.nodeId);
  transport_.pass(state);
  if (joined()) transport_.resume(*port_, identity_.nodeId);
}

}  // namespace wattmesh
