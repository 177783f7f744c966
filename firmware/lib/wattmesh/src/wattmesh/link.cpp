#include "wattmesh/link.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/crypto.hpp"

namespace wattmesh {

namespace {
constexpr uint32_t counterBlock = 4096;
}

Error Link::begin(const Port& port, const Config& config, Records& records) {
  port_ = &port;
  config_ = &config;
  records_ = &records;
  linkKey(port, config.networkKey, config.networkNumber, config.keyId, key_);
  uint8_t stored[4] = {};
  if (records.read(RecordKey::linkCounter, stored, sizeof stored)) next_ = Reader(stored, sizeof stored).u32();
  reserved_ = next_;
  return Error::none;
}

Error Link::open(const uint8_t from[macBytes], const uint8_t to[macBytes], const uint8_t* frame, size_t length,
                 ReceivedFrame& out) const {
  const Error error = openFrame(frame, length, out.header, out.body, out.length);
  if (error != Error::none) return error;
  if (out.header.keyId != config_->keyId) return Error::noKey;
  uint8_t mac[linkMacBytes];
  frameMac(*port_, key_, from, to, config_->networkNumber, frame, length - linkMacBytes, mac);
  return equalConstantTime(mac, frame + length - linkMacBytes, linkMacBytes) ? Error::none : Error::badTag;
}

bool Link::fresh(Neighbour& neighbour, uint32_t counter) {
  if (counter <= neighbour.counter) return false;
  neighbour.counter = counter;
  return true;
}

Error Link::seal(FrameType type, const uint8_t to[macBytes], uint8_t* frame, size_t bodyLength, size_t& length) {
  uint32_t counter = 0;
  const Error error = nextCounter(counter);
  if (error != Error::none) return error;
  writeFrameHeader(frame, type, config_->keyId, counter);
  length = linkHeaderBytes + bodyLength;
  frameMac(*port_, key_, config_->mac, to, config_->networkNumber, frame, length, frame + length);
  length += linkMacBytes;
  return Error::none;
}

Error Link::nextCounter(uint32_t& out) {
  if (next_ >= reserved_) {
    // Written ahead: after a power cut counting starts above everything that may have been sent.
    uint8_t end[4];
    Writer(end, sizeof end).u32(next_ + counterBlock);
    const Error error = records_->write(RecordKey::linkCounter, end, sizeof end);
    if (error != Error::none) return error;
    reserved_ = next_ + counterBlock;
  }
  out = ++next_;
  return Error::none;
}

}  // namespace wattmesh
