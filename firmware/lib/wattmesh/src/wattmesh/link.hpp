// The link layer: every frame is MACed under the network key and carries a counter that never repeats (PROTOCOL.md, section 2).
#pragma once
#include <cstring>

#include "wattmesh/config.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/frame.hpp"
#include "wattmesh/key_ring.hpp"
#include "wattmesh/port.hpp"
#include "wattmesh/records.hpp"

namespace wattmesh {

constexpr uint8_t broadcastMac[macBytes] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
inline bool isBroadcast(const uint8_t mac[macBytes]) { return memcmp(mac, broadcastMac, macBytes) == 0; }

struct ReceivedFrame {
  FrameHeader header;
  const uint8_t* body;
  size_t length;
};

class Link {
 public:
  // `port`, `config`, `records` and `keys` must outlive the link.
  void begin(const Port& port, const Config& config, Records& records, const KeyRing& keys);

  // Verifies structure, key and MAC of a frame that came from `from` to `to` (this node or broadcast). badField: a JOIN frame under a network
  // key, or another frame under the join key. noKey and badTag: `out` is set all the same, unverified.
  [[nodiscard]] Error open(const uint8_t from[macBytes], const uint8_t to[macBytes], const uint8_t* frame, size_t length,
                           ReceivedFrame& out) const;

  // Completes `frame`, whose body of `bodyLength` bytes stands at linkHeaderBytes: header before, MAC behind. noKey: there is no network key
  // yet. counterSpent: this device's link counter is at its end. Other errors: no counter could be reserved.
  [[nodiscard]] Error seal(FrameType type, const uint8_t to[macBytes], uint8_t* frame, size_t bodyLength, size_t& length);

  // Through deep sleep: the block that is reserved goes on.
  void pass(SleepState& state);

  // Link counter of the frame sent last.
  uint32_t counter() const { return next_; }

 private:
  [[nodiscard]] Error nextCounter(uint32_t& out);

  const Port* port_ = nullptr;
  const Config* config_ = nullptr;
  Records* records_ = nullptr;
  const KeyRing* keys_ = nullptr;
  // What pass() keeps.
  uint32_t next_ = 0;
  uint32_t reserved_ = 0;  // counters up to here are reserved in NV
  bool begun_ = false;     // so is the place where this life began
};

}  // namespace wattmesh
