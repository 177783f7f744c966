#include "board.hpp"

#include <cstring>

#include "demand.hpp"
#include "wire.hpp"

using namespace wattmesh;

namespace fuzz {

namespace {

constexpr uint32_t logSectors = 3;
constexpr uint32_t logAddress = recordSectors * sectorBytes;
constexpr uint32_t filledRows = 200;  // nearly two of the three sectors
constexpr uint16_t cycleS = 5;
constexpr uint16_t startMask = 0x05;
constexpr uint8_t rsaModulus[rsaBytes] = {0xff};

Registers startRegisters() {
  Registers registers{};
  registers.mask = startMask;
  registers.importDwh = 1234567;
  registers.powerDw = 2500;
  return registers;
}

uint32_t sectorsOf(Role role) { return recordSectors + (role == Role::meter ? logSectors : static_cast<uint32_t>(spoolSectors)); }

// The flash of a meter that has measured for a while. The rows end right before the boards' time.
Device fill() {
  Device device(sectorsOf(Role::meter));
  Port port = device.port();
  port.random = [](void*, uint8_t* out, size_t length) {
    for (size_t i = 0; i < length; i++) out[i] = meterLogId[i % sizeof meterLogId];
  };
  port.trace = [](void*, Trace, const uint8_t*, size_t) {};
  Log log;
  DEMAND(log.open(port, logAddress, logSectors * sectorBytes) == Error::none);
  const uint32_t endS = static_cast<uint32_t>(startUtcMs / 1000 / cycleS * cycleS);
  for (uint32_t i = 0; i < filledRows; i++) {
    Row row{};
    row.t = endS - (filledRows - i) * cycleS;
    row.interval = cycleS;
    row.registers = startRegisters();
    row.registers.importDwh -= filledRows - i;
    DEMAND(log.append(row) == Error::none);
  }
  return device;
}

const Device& filled() {
  static const Device device = fill();
  return device;
}

}  // namespace

Mac neighbourMac(uint8_t number) { return Mac{0x02, 0, 0, 0, 1, number}; }

Board::Board(Role role, const Setup& setup)
    : Device(role == Role::meter ? filled() : Device(sectorsOf(role))), registers(startRegisters()), watch_(role) {
  config_.role = role;
  const Mac own = {0x02, 0, 0, 0, 0, static_cast<uint8_t>(role)};
  memcpy(config_.mac, own.data(), own.size());
  config_.networkNumber = networkNumber;
  config_.keyId = setup.hasKey ? networkKeyId : joinKeyId;
  config_.suite = setup.suite;
  memset(config_.headEndKey, 1, sizeof config_.headEndKey);
  config_.rsaModulus = rsaModulus;
  config_.localHubId = role == Role::meter ? 0 : 9;
  config_.intervalS = cycleS;
  config_.pollCycleS = cycleS;
  config_.capabilities = capabilityRoutes | (role == Role::meter ? capabilityRelay : uint16_t{0});
  config_.serialHost = setup.serialHost;
  port_ = port();
}

Board::~Board() = default;

Mac Board::mac() const {
  Mac own;
  memcpy(own.data(), config_.mac, own.size());
  return own;
}

void Board::boot(uint64_t nowUs) {
  meter_.reset();
  hub_.reset();
  gateway_.reset();
  isSending_ = false;
  rebootsNext_ = false;
  watch_.rebooted();
  switch (config_.role) {
    case Role::meter:
      meter_ = std::make_unique<MeterDevice>(port_, config_);
      node_ = &meter_->node;
      break;
    case Role::hub:
      hub_ = std::make_unique<HubDevice>(port_, config_);
      node_ = &hub_->node;
      break;
    case Role::gateway:
      gateway_ = std::make_unique<GatewayDevice>(port_, config_);
      node_ = &gateway_->node;
      break;
  }
  nowUs_ = nowUs;
  DEMAND(node_->boot(nowUs) == Error::none);
  tick(nowUs);
}

void Board::receive(const Mac& from, bool isBroadcast, const Bytes& frame, uint64_t nowUs) {
  nowUs_ = nowUs;
  settled(node_->receive(from.data(), isBroadcast ? broadcastMac : config_.mac, frame.data(), frame.size(), rssiDbm, nowUs), nowUs);
}

void Board::hostBytes(const Bytes& bytes, uint64_t nowUs) {
  nowUs_ = nowUs;
  settled(node_->hostBytes(bytes.data(), bytes.size(), nowUs), nowUs);
}

void Board::tick(uint64_t nowUs) {
  nowUs_ = nowUs;
  watch_.ticked(nowUs);
  settled(node_->tick(nowUs), nowUs);
}

void Board::sent(bool ok, uint64_t nowUs) {
  nowUs_ = nowUs;
  isSending_ = false;
  settled(node_->sent(ok, nowUs), nowUs);
}

void Board::settled(uint64_t nextUs, uint64_t nowUs) {
  DEMAND(nextUs > nowUs);
  // A leaf sleeps for a cycle of 45 minutes at most, and a little for its clock.
  DEMAND(nextUs <= nowUs + 3000 * usPerS);
  DEMAND(!broke());
  DEMAND(node_->queued() <= queueFramesMax);
  DEMAND(node_->members() <= membersMax);
  if (meter_ != nullptr) watch_.judge(meter_->meter);
  nextUs_ = nextUs;
  if (rebootsNext_) boot(nowUs);
}

std::vector<uint32_t> Board::held() {
  std::vector<uint32_t> seqs;
  Log log;
  Row row{};
  DEMAND(log.open(port_, logAddress, logSectors * sectorBytes) == Error::none);
  for (uint32_t seq = log.oldest(); log.readFrom(seq, row) == Error::none; seq = row.seq + 1) seqs.push_back(row.seq);
  return seqs;
}

void Board::checkLog() {
  if (meter_ == nullptr) return;
  Log log;
  DEMAND(log.open(port_, logAddress, logSectors * sectorBytes) == Error::none);
  watch_.judgeRows(log, meter_->meter.log());
}

bool Board::radioSend(const uint8_t to[macBytes], const uint8_t* frame, size_t length) {
  // One frame at a time: the core waits for sent().
  DEMAND(!isSending_);
  watch_.effect();
  if (radioIsBusy) return false;
  watch_.judgeFrame(frame, length, node_->session(), meter());
  isSending_ = true;
  sentUs_ = nowUs_ + airUs;
  onAir_.assign(frame, frame + length);
  memcpy(onAirTo_.data(), to, macBytes);
  return true;
}

bool Board::hostSend(const uint8_t* data, size_t length) {
  watch_.effect();
  if (hostIsFull) return false;
  toHost.emplace_back(data, data + length);
  if (toHost.size() > toHostMax) toHost.pop_front();
  return true;
}

Board* Board::boardOf(void* device) { return static_cast<Board*>(static_cast<Device*>(device)); }

void Board::addCrypto(Port& port) {
  // Node ids are the first bytes of a key's hash: those of the keys that x25519 gives below. Everything else hashes to zeros.
  port.sha256 = [](void*, const uint8_t* data, size_t length, uint8_t out[hashBytes]) {
    memset(out, 0, hashBytes);
    if (length == keyBytes) memcpy(out, data, keyBytes);
  };
  port.x25519 = [](void* context, uint8_t out[keyBytes], const uint8_t*, const uint8_t*) {
    // The meter's is the node id that the packets of the vectors name.
    constexpr uint8_t meterId[nodeIdBytes] = {0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f};
    memset(out, 1, keyBytes);
    memcpy(out, meterId, sizeof meterId);
    out[0] = static_cast<uint8_t>(out[0] + static_cast<uint8_t>(boardOf(context)->config_.role) - 1);
  };
  port.aeadSeal = [](void*, uint8_t* out, const uint8_t*, const uint8_t*, const uint8_t*, size_t, const uint8_t* plain, size_t length) {
    if (length > 0) memmove(out, plain, length);
    memset(out + length, 0, tagBytes);
  };
  port.aeadOpen = [](void*, uint8_t* out, const uint8_t*, const uint8_t*, const uint8_t*, size_t, const uint8_t* cipher, size_t length) {
    DEMAND(length >= tagBytes);
    if (length > tagBytes) memmove(out, cipher, length - tagBytes);
    return true;
  };
  port.rsaOaepEncrypt = [](void*, uint8_t out[rsaBytes], const uint8_t*, const uint8_t*, size_t, const uint8_t*, size_t) {
    memset(out, 2, rsaBytes);
    return true;
  };
}

void Board::addOutputs(Port& port) {
  port.relayGet = [](void* context) { return boardOf(context)->relayIsOn_; };
  port.relaySet = [](void* context, bool on) {
    boardOf(context)->watch_.relayMoved();
    boardOf(context)->relayIsOn_ = on;
    return true;
  };
  port.identify = [](void*, uint8_t) {};
  port.reboot = [](void* context) { boardOf(context)->rebootsNext_ = true; };
}

Port Board::port() {
  Port port = Device::port();
  addCrypto(port);
  addOutputs(port);
  port.radioSend = [](void* self, const uint8_t to[macBytes], const uint8_t* frame, size_t length) {
    return boardOf(self)->radioSend(to, frame, length);
  };
  port.hostSend = [](void* self, const uint8_t* data, size_t length) { return boardOf(self)->hostSend(data, length); };
  port.readRegisters = [](void* context, Registers* out) {
    Board& board = *boardOf(context);
    if (!board.hasRegisters) return false;
    board.registers.importDwh = (board.registers.importDwh + 3) % (uint64_t{1} << 48);
    *out = board.registers;
    return true;
  };
  port.freeRam = [](void*) { return uint32_t{20000}; };
  port.trace = [](void* context, Trace event, const uint8_t* body, size_t length) {
    boardOf(context)->watch_.traced(event, body, length);
  };
  return port;
}

}  // namespace fuzz
