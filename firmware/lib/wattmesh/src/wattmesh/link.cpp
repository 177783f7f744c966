#include "wattmesh/link.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/sleep_state.hpp"

namespace wattmesh {

namespace {
constexpr uint32_t counterBlock = 4096;
// No block is begun beyond: the largest counter is never used up, so that there is always one above what a neighbour has heard.
constexpr uint32_t counterMax = UINT32_MAX - 2 * counterBlock;
}  // namespace

void Link::begin(const Port& port, const Config& config, Records& records, const KeyRing& keys) {
  port_ = &port;
  config_ = &config;
  records_ = &records;
  keys_ = &keys;
  uint8_t stored[4] = {};
  if (records.read(RecordKey::linkCounter, stored, sizeof stored)) {
    // One block more than was reserved: the last record may have been lost, and then the one before it counts.
    const uint32_t end = Reader(stored, sizeof stored).u32();
    next_ = end < counterMax ? end + counterBlock : counterMax;
  }
  reserved_ = next_;
}

Error Link::open(const uint8_t from[macBytes], const uint8_t to[macBytes], const uint8_t* frame, size_t length,
                 ReceivedFrame& out) const {
  const Error error = openFrame(frame, length, out.header, out.body, out.length);
  if (error != Error::none) return error;
  const bool isJoin = out.header.type == FrameType::join;
  if (isJoin != (out.header.keyId == joinKeyId)) return Error::badField;
  const uint8_t* key = keys_->linkKey(out.header.keyId);
  if (key == nullptr) return Error::noKey;
  uint8_t mac[linkMacBytes];
  frameMac(*port_, key, from, to, config_->networkNumber, frame, length - linkMacBytes, mac);
  return equalConstantTime(mac, frame + length - linkMacBytes, linkMacBytes) ? Error::none : Error::badTag;
}

Error Link::seal(FrameType type, const uint8_t to[macBytes], uint8_t* frame, size_t bodyLength, size_t& length) {
  const uint8_t keyId = type == FrameType::join ? joinKeyId : keys_->keyId();
  if (type != FrameType::join && keyId == joinKeyId) return Error::noKey;
  uint32_t counter = 0;
  const Error error = nextCounter(counter);
  if (error != Error::none) return error;
  writeFrameHeader(frame, type, keyId, counter);
  length = linkHeaderBytes + bodyLength;
  frameMac(*port_, keys_->linkKey(keyId), config_->mac, to, config_->networkNumber, frame, length, frame + length);
  length += linkMacBytes;
  return Error::none;
}

Error Link::nextCounter(uint32_t& out) {
  if (next_ >= reserved_) {
    if (next_ >= counterMax) return Error::counterSpent;
    // Written ahead: after a power cut counting starts above everything that may have been sent. Once in a life where it begins, too: should
    // the last record be lost, the one before it is of this life.
    const uint32_t marks[] = {next_, next_ + counterBlock};
    for (const uint32_t mark : marks) {
      if (mark == next_ && begun_) continue;
      uint8_t end[4];
      Writer(end, sizeof end).u32(mark);
      const Error error = records_->write(RecordKey::linkCounter, end, sizeof end);
      if (error != Error::none) return error;
    }
    begun_ = true;
    reserved_ = next_ + counterBlock;
  }
  out = ++next_;
  return Error::none;
}

void Link::pass(SleepState& state) { state.pass(next_, begun_); }

}  // namespace wattmesh
