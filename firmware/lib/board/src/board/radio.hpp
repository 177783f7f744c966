// ESP-NOW as the core wants it: one frame outstanding, received frames in a queue, twenty peers of which the last used stay. What differs between
// chips and their SDKs is in the driver.
#pragma once
#include "board/peer_table.hpp"
#include "board/rings.hpp"

namespace board {

// False: the SDK refused.
struct RadioDriver {
  // Starts ESP-NOW, or starts it anew: it then knows no peers, and no callback of before comes any more.
  bool (*start)();
  bool (*setChannel)(uint8_t channel);
  bool (*addPeer)(const uint8_t mac[wattmesh::macBytes]);
  bool (*removePeer)(const uint8_t mac[wattmesh::macBytes]);
  bool (*send)(const uint8_t to[wattmesh::macBytes], const uint8_t* frame, size_t length);
};

class Radio {
 public:
  explicit Radio(const RadioDriver& driver) : driver_(driver) {}

  [[nodiscard]] bool begin(uint8_t channel);
  // False: the SDK does not allow this channel here.
  [[nodiscard]] bool setChannel(uint8_t channel) { return driver_.setChannel(channel); }

  // False: a frame is outstanding. What the SDK refuses counts as sent in vain.
  bool send(const uint8_t to[wattmesh::macBytes], const uint8_t* frame, size_t length, uint64_t nowUs);
  // True once for each frame sent: what became of it. An answer that stays away for 300 ms is a failure, and starts ESP-NOW anew.
  bool takeSent(uint64_t nowUs, bool& ok);
  const RadioFrame* received() const { return ring_.front(); }
  void pop() { ring_.pop(); }
  // Frames that came while the queue was full.
  uint32_t overruns() const { return overruns_.load(std::memory_order_relaxed); }

  // For the SDK's callbacks, which may interrupt the program. `to`: nullptr where the SDK does not tell. Whatever is no frame is left alone.
  void onReceived(const uint8_t from[wattmesh::macBytes], const uint8_t* to, int rssiDbm, const uint8_t* data, size_t length);
  void onSent(bool ok);

 private:
  static constexpr uint8_t queueFrames = 8;
  enum class State : uint8_t { idle, sending, sent, failed };

  bool knowPeer(const uint8_t mac[wattmesh::macBytes]);

  const RadioDriver& driver_;
  PeerTable peers_;
  FrameRing<queueFrames> ring_;
  std::atomic<State> state_{State::idle};
  std::atomic<uint32_t> overruns_{0};
  uint64_t sentUs_ = 0;
};

// Whether a frame was for everybody, by its own word: beacons, floods and the question for a proxy are, everything else is for one alone
// (PROTOCOL.md, section 2). The link MAC covers the receiver, so that a wrong word does not verify.
bool isForAll(const uint8_t* frame, size_t length);

}  // namespace board
