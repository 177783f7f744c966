// The end-to-end session with the head-end (PROTOCOL.md, section 3): identity, handshake, counters, downlink window. Keys and counters
// live in RAM only: a reboot is a new handshake, so there is no stored counter to roll back.
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/config.hpp"
#include "wattmesh/item.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/packet.hpp"
#include "wattmesh/records.hpp"
#include "wattmesh/sections.hpp"

namespace wattmesh {

class Session {
 public:
  enum class State : uint8_t { idle, joining, joined };

  // Draws the device key on the first boot and counts boots. `port`, `config` and `records` must outlive the session.
  [[nodiscard]] Error begin(const Port& port, const Config& config, Records& records);

  State state() const { return state_; }
  bool joined() const { return state_ == State::joined; }
  const uint8_t* nodeId() const { return nodeId_; }
  uint16_t shortId() const { return joined() ? shortId_ : shortIdNone; }
  uint16_t localHubId() const { return localHubId_; }
  uint16_t bootCount() const { return bootCount_; }
  uint8_t id() const { return sessionId_; }

  // Moves the state machine: `grounded` says whether a head-end can be reached, `waiting` whether a row or probe is unanswered.
  // Returns true when M1 is to be sent now: fetch it with m1().
  bool tick(uint64_t nowUs, bool grounded, bool waiting);
  uint64_t nextUs() const;

  // The present M1; the same bytes until a new number is drawn. `logId` is this node's log, zeros when it has none.
  size_t m1(const uint8_t logId[logIdBytes], uint16_t registerMask, uint8_t out[packetBytesMax]);
  // Seals a transport packet. Returns its length, 0 when there is no session or it does not fit.
  size_t seal(const uint8_t* plain, size_t length, uint8_t out[packetBytesMax], uint32_t& counter);
  // Bytes that seal() adds to a plaintext.
  static constexpr size_t overhead() { return upHeaderBytes + crcBytes; }

  // Opens M2: on success the session stands.
  [[nodiscard]] Error openM2(const PacketHeader& header, const uint8_t* packet, size_t length, uint64_t nowUs, M2Payload& out);
  // Opens a downlink of the session; `plain` points into `packet`.
  [[nodiscard]] Error openDown(const PacketHeader& header, const uint8_t* packet, size_t length, uint64_t nowUs,
                               const uint8_t*& plain, size_t& plainLength);
  // What to echo: true when a downlink came since the last call.
  bool takeEcho(Echo& echo);

 private:
  [[nodiscard]] Error drawHandshake();
  void restart(uint64_t nowUs);

  const Port* port_ = nullptr;
  const Config* config_ = nullptr;
  Records* records_ = nullptr;
  State state_ = State::idle;
  uint8_t publicKey_[keyBytes] = {};
  uint8_t nodeId_[nodeIdBytes] = {};
  uint16_t bootCount_ = 0;
  uint16_t shortId_ = 0;
  uint16_t localHubId_ = 0;
  uint8_t sessionId_ = 0;
  uint32_t handshake_ = 0;
  uint32_t counter_ = 0;
  uint8_t tries_ = 0;
  uint8_t rounds_ = 0;
  bool drawn_ = false;         // the handshake number is of this round
  bool grounded_ = false;
  uint64_t groundLostUs_ = 0;
  uint64_t dueUs_ = 0;         // joining: next M1
  uint64_t silentSinceUs_ = 0; // joined: last valid downlink, or since when one could have come
  uint64_t highest_ = 0;       // epoch << 32 | counter of the highest downlink
  uint64_t window_ = 0;        // bit n: highest_ - n was seen
  bool echoDue_ = false;
};

}  // namespace wattmesh
