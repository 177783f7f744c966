#include "board/radio.hpp"

#include "wattmesh/control.hpp"
#include "wattmesh/link.hpp"

using namespace wattmesh;

namespace board {

namespace {
constexpr uint64_t answerMaxUs = 300000;
}  // namespace

bool isForAll(const uint8_t* frame, size_t length) {
  if (length <= linkHeaderBytes) return false;
  const uint8_t type = frame[0] & 0x0f;
  if (type == static_cast<uint8_t>(FrameType::beacon) || type == static_cast<uint8_t>(FrameType::flood)) return true;
  return type == static_cast<uint8_t>(FrameType::join) && frame[linkHeaderBytes] == static_cast<uint8_t>(Direction::solicit);
}

bool Radio::begin(uint8_t channel) {
  peers_.clear();
  return driver_.start() && driver_.setChannel(channel);
}

bool Radio::knowPeer(const uint8_t mac[macBytes]) {
  uint8_t leaves[macBytes];
  const PeerTable::Change change = peers_.use(mac, leaves);
  if (change == PeerTable::Change::none) return true;
  if (change == PeerTable::Change::replace) driver_.removePeer(leaves);
  if (driver_.addPeer(mac)) return true;
  peers_.forget(mac);
  return false;
}

bool Radio::send(const uint8_t to[macBytes], const uint8_t* frame, size_t length, uint64_t nowUs) {
  if (state_.load(std::memory_order_acquire) != State::idle) return false;
  // Before the call: the callback may come while it lasts.
  sentUs_ = nowUs;
  state_.store(State::sending, std::memory_order_release);
  if (!knowPeer(to) || !driver_.send(to, frame, length)) state_.store(State::failed, std::memory_order_release);
  return true;
}

bool Radio::takeSent(uint64_t nowUs, bool& ok) {
  const State state = state_.load(std::memory_order_acquire);
  if (state == State::idle) return false;
  if (state == State::sending) {
    if (nowUs - sentUs_ < answerMaxUs) return false;
    peers_.clear();
    driver_.start();
  }
  ok = state == State::sent;
  state_.store(State::idle, std::memory_order_release);
  return true;
}

void Radio::onReceived(const uint8_t from[macBytes], const uint8_t* to, int rssiDbm, const uint8_t* data, size_t length) {
  if (length < linkHeaderBytes + linkMacBytes || length > frameBytesMax) return;
  RadioFrame* frame = ring_.free();
  if (frame == nullptr) {
    overruns_.store(overruns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return;
  }
  memcpy(frame->from, from, macBytes);
  frame->isBroadcast = to == nullptr ? isForAll(data, length) : (to[0] & 1) != 0;
  frame->rssiDbm = static_cast<int8_t>(rssiDbm < INT8_MIN ? INT8_MIN : rssiDbm > INT8_MAX ? INT8_MAX : rssiDbm);
  frame->length = static_cast<uint8_t>(length);
  memcpy(frame->bytes, data, length);
  ring_.push();
}

void Radio::onSent(bool ok) {
  // Loads and stores only: the ESP8266 has no atomic exchange. Should the wait end at this very moment, the program hears of one more result
  // than it sent frames, which it ignores.
  if (state_.load(std::memory_order_acquire) == State::sending) state_.store(ok ? State::sent : State::failed, std::memory_order_release);
}

}  // namespace board
