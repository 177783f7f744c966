#include "wattmesh/transport.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/sleep_state.hpp"

namespace wattmesh {

void Transport::begin(const Port& port, uint8_t suite, const uint8_t nodeId[nodeIdBytes], uint8_t session, const SessionKeys& keys,
                      uint64_t nowUs, uint32_t counter) {
  resume(port, nodeId);
  live_ = true;
  suite_ = suite;
  session_ = session;
  keys_ = keys;
  counter_ = counter;
  bornUs_ = nowUs;
  window_ = DownWindow();
}

void Transport::end() {
  live_ = false;
  wipe(&keys_, sizeof keys_);
}

size_t Transport::seal(const uint8_t* plain, size_t length, uint8_t out[packetBytesMax], uint32_t& counter) {
  const size_t packetLength = upHeaderBytes + length + suiteTagBytes(suite_);
  if (!live_ || counter_ >= packetsMax || packetLength > packetBytesMax) return 0;
  PacketHeader header{};
  header.type = packetUp;
  header.suite = suite_;
  memcpy(header.nodeId, nodeId_, nodeIdBytes);
  header.session = session_;
  // Spent before it is used: whatever happens from here on, no other packet gets this counter.
  header.counter = counter_++;
  Writer writer(out, packetBytesMax);
  if (!encodePacketHeader(writer, header)) return 0;
  writer.bytes(plain, length);
  if (suite_ == suiteNone) {
    if (sealNone(out, writer.length(), packetBytesMax) == 0) return 0;
  } else {
    uint8_t nonce[aeadNonceBytes];
    nonceOf(header.counter, nonce);
    uint8_t* body = out + upHeaderBytes;
    port_->aeadSeal(port_->context, body, keys_.up, nonce, out, upHeaderBytes, body, length);
  }
  counter = header.counter;
  return packetLength;
}

Error Transport::open(const PacketHeader& header, const uint8_t* packet, size_t length, uint8_t plain[packetBytesMax],
                      size_t& plainLength) const {
  if (!live_ || header.session != session_) return Error::notJoined;
  if (header.suite != suite_) return Error::suiteRefused;
  if (header.fragment || length > packetBytesMax) return Error::badField;
  if (suite_ == suiteNone) {
    const uint8_t* bytes = nullptr;
    const Error error = openNone(packet, length, header.headerLength, bytes, plainLength);
    if (error == Error::none) memcpy(plain, bytes, plainLength);
    return error;
  }
  if (length < header.headerLength + tagBytes) return Error::truncated;
  uint8_t nonce[aeadNonceBytes];
  nonceOf(static_cast<uint64_t>(header.epoch) << 32 | header.counter, nonce);
  const size_t bodyLength = length - header.headerLength;
  plainLength = bodyLength - tagBytes;
  return port_->aeadOpen(port_->context, plain, keys_.down, nonce, packet, header.headerLength, packet + header.headerLength, bodyLength)
             ? Error::none
             : Error::badTag;
}

void Transport::pass(SleepState& state) { state.pass(keys_, window_); }

void Transport::resume(const Port& port, const uint8_t nodeId[nodeIdBytes]) {
  port_ = &port;
  memcpy(nodeId_, nodeId, nodeIdBytes);
}

}  // namespace wattmesh
