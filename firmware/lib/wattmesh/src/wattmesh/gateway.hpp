// The gateway's side of the host link: HELLO, UP with its window, DOWN, TIME, STATS (PROTOCOL.md, section 5).
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/config.hpp"
#include "wattmesh/envelope.hpp"
#include "wattmesh/queue.hpp"
#include "wattmesh/slip.hpp"

namespace wattmesh {

// What the gateway asks of its node.
class HostSide {
 public:
  virtual void hostTime(uint64_t utcMs) = 0;
  virtual Error hostDown(const uint8_t* packet, size_t length, bool hold) = 0;
  virtual void fillHello(HelloGateway& hello) const = 0;
  virtual void fillStats(GatewayStats& stats) const = 0;

 protected:
  ~HostSide() = default;
};

class Gateway {
 public:
  void begin(const Port& port, const Config& config);
  // Bytes of the serial line in any portions, or one whole envelope.
  void hostBytes(const uint8_t* data, size_t length, uint64_t nowUs, Queue& queue, HostSide& node);
  void tick(uint64_t nowUs, const NetworkClock& clock, Queue& queue, HostSide& node);
  uint64_t nextUs(uint64_t nowUs, Queue& queue) const;
  bool hostAlive(uint64_t nowUs) const;
  uint32_t malformed() const { return malformed_ + slip_.refused(); }

 private:
  static constexpr uint64_t hostSilenceUs = 30 * usPerS;

  Error envelope(const uint8_t* data, size_t length, Queue& queue, HostSide& node, uint64_t nowUs);
  Error down(const uint8_t* data, size_t length, HostSide& node, uint64_t nowUs);
  void sendUp(QueuedItem& slot, uint64_t nowUs, const NetworkClock& clock);
  bool sendHost(const uint8_t* envelope, size_t length);

  const Port* port_ = nullptr;
  const Config* config_ = nullptr;
  uint32_t malformed_ = 0;
  bool heardHost_ = false;
  uint64_t hostUs_ = 0;
  bool hostTimeKnown_ = false;
  uint64_t hostOffsetUs_ = 0;  // the host's clock is ahead of this node's by so much
  uint64_t helloUs_ = 0;
  uint64_t statsUs_ = 0;
  uint32_t upNumber_ = 0;
  uint32_t bootId_ = 0;
  SlipDecoder slip_;
  uint8_t line_[slipEncodedBytesMax] = {};
};

}  // namespace wattmesh
