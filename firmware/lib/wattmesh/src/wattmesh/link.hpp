// The link layer: every frame is MACed under the network key and carries a counter that never repeats (PROTOCOL.md, section 2).
#pragma once
#include "wattmesh/config.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/frame.hpp"
#include "wattmesh/neighbours.hpp"
#include "wattmesh/port.hpp"
#include "wattmesh/records.hpp"

namespace wattmesh {

constexpr uint8_t broadcastMac[macBytes] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct ReceivedFrame {
  FrameHeader header;
  const uint8_t* body;
  size_t length;
};

class Link {
 public:
  // `port`, `config` and `records` must outlive the link.
  [[nodiscard]] Error begin(const Port& port, const Config& config, Records& records);

  // Verifies structure, key and MAC of a frame that came from `from` to `to` (this node or broadcast).
  [[nodiscard]] Error open(const uint8_t from[macBytes], const uint8_t to[macBytes], const uint8_t* frame, size_t length,
                           ReceivedFrame& out) const;

  // True when the counter is above the neighbour's last; takes it then.
  static bool fresh(Neighbour& neighbour, uint32_t counter);

  // Completes `frame`, whose body of `bodyLength` bytes stands at linkHeaderBytes: header before, MAC behind. Error: no counter could be reserved.
  [[nodiscard]] Error seal(FrameType type, const uint8_t to[macBytes], uint8_t* frame, size_t bodyLength, size_t& length);

 private:
  [[nodiscard]] Error nextCounter(uint32_t& out);

  const Port* port_ = nullptr;
  const Config* config_ = nullptr;
  Records* records_ = nullptr;
  uint8_t key_[16] = {};
  uint32_t next_ = 0;
  uint32_t reserved_ = 0;  // counters below are reserved in NV
};

}  // namespace wattmesh
