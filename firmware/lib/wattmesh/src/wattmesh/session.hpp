// The end-to-end session with the head-end (PROTOCOL.md, section 3): identity, handshake, counters, downlink window. Keys and counters
// live in RAM only: a reboot is a new handshake, so there is no stored counter to roll back.
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/config.hpp"
#include "wattmesh/handshake.hpp"
#include "wattmesh/item.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/packet.hpp"
#include "wattmesh/records.hpp"
#include "wattmesh/sections.hpp"
#include "wattmesh/transport.hpp"

namespace wattmesh {

class Session {
 public:
  enum class State : uint8_t { idle, joining, joined };

  // Draws the device key on the first boot and counts boots. `port`, `config` and `records` must outlive the session. randomStuck: there is
  // no key yet, and none that nobody could guess can be drawn. `wakes`: no boot, pass() follows; nvCorrupt: there is no device key any more.
  [[nodiscard]] Error begin(const Port& port, const Config& config, Records& records, bool wakes = false);
  // Through deep sleep. Of a handshake under way nothing: another one begins.
  void pass(SleepState& state);

  State state() const { return state_; }
  bool joined() const { return state_ == State::joined; }
  const uint8_t* nodeId() const { return identity_.nodeId; }
  uint16_t shortId() const;  // 0: not joined
  uint16_t localHubId() const { return localHubId_; }
  uint16_t bootCount() const { return bootCount_; }
  // At the boot the source of randomness did not work. Keys of sessions do not depend on it alone.
  bool randomStuck() const { return randomStuck_; }
  uint8_t id() const { return transport_.session(); }
  // What the network allows, as M2 said.
  uint16_t policy() const { return policy_; }

  // Moves the state machine: `grounded` says whether a head-end can be reached, `waiting` whether a row or probe is unanswered.
  // Returns true when M1 is to be sent now: makeM1(), then its packets with m1(). failure() says why a handshake that is due has no number.
  bool tick(uint64_t nowUs, bool grounded, bool waiting);
  uint64_t nextUs() const;
  // The error since the last call: counterSpent when there is no handshake number left, nvWrite when the next one could not be written.
  Error takeFailure();
  // The handshake under way was tried before.
  bool repeats() const { return tries_ > 1 || rounds_ > 0; }
  // Handshakes in a row that were tried as often as they may be, without an answer.
  uint8_t rounds() const { return rounds_; }

  // A new handshake begins with the next tick(); a router keeps its session until M2 comes.
  void rekey(uint64_t nowUs);

  // Makes M1 unless it was made since its number was drawn: every try sends the same bytes. `logId` is this node's log, zeros when it
  // has none. noKey, suiteRefused: with this configuration there is no handshake.
  [[nodiscard]] Error makeM1(const uint8_t logId[logIdBytes], uint16_t registerMask);
  // M1's packets, one after the other; 0: there is no such part.
  size_t m1(size_t part, uint8_t out[packetBytesMax]) const { return handshake_.part(part, out); }
  // Seals a transport packet. Returns its length, 0 when there is no session or it does not fit.
  size_t seal(const uint8_t* plain, size_t length, uint8_t out[packetBytesMax], uint32_t& counter);
  // Bytes that seal() adds to a plaintext.
  size_t overhead() const { return upHeaderBytes + suiteTagBytes(config_->suite); }

  // Opens M2: on success the session stands; a network key that came with it is in `out`, for the key ring.
  [[nodiscard, gnu::noinline]] Error openM2(const PacketHeader& header, const uint8_t* packet, size_t length, uint64_t nowUs, M2Payload& out);
  // Opens a downlink of the session into `plain`.
  [[nodiscard]] Error openDown(const PacketHeader& header, const uint8_t* packet, size_t length, uint64_t nowUs,
                               uint8_t plain[packetBytesMax], size_t& plainLength);
  // What to echo: true when a downlink of another epoch came, or one that asked for it, or some since the last call.
  bool takeEcho(Echo& echo);
  void echoSoon() { echoDue_ = true; }

 private:
  [[nodiscard]] Error drawHandshake();
  void drawFresh(uint8_t out[keyBytes]) const;
  // A handshake beside a session that is good for all we know: until a downlink says so, or in any case.
  enum class Renewal : uint8_t { none, tried, wanted };
  void restart(uint64_t nowUs, Renewal why = Renewal::none);
  uint32_t dice() const;

  const Port* port_ = nullptr;
  const Config* config_ = nullptr;
  Records* records_ = nullptr;
  // What pass() keeps: these, as far as unechoed_, and three times.
  uint32_t echoedEpoch_ = 0;   // 0: none in this session
  uint16_t shortId_ = 0;
  uint16_t policy_ = 0;
  State state_ = State::idle;
  uint8_t tries_ = 0;
  uint8_t rounds_ = 0;
  bool grounded_ = false;
  bool echoDue_ = false;
  uint8_t unechoed_ = 0;       // downlinks since then
  uint64_t groundLostUs_ = 0;
  uint64_t dueUs_ = 0;         // joining: next M1
  uint64_t silentSinceUs_ = 0; // joined: last valid downlink, or since when one could have come, later by all time without a parent

  uint16_t bootCount_ = 0;
  uint16_t localHubId_ = 0;
  uint32_t number_ = 0;        // of the handshake
  bool drawn_ = false;         // the handshake number is of this round
  bool made_ = false;          // and M1 is of this number
  Renewal renewal_ = Renewal::none;
  bool randomStuck_ = false;
  Error failure_ = Error::none;
  Identity identity_ = {};
  Transport transport_;
  Handshake handshake_;
};

}  // namespace wattmesh
