// A router helps nodes without the network key to their handshake (the join proxy of RFC 9031; PROTOCOL.md, section 2.6): it takes on a few
// M1 a second, whoever sends them, and remembers for a minute where their M2 belongs. Pure: no port, no time of its own.
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/packet.hpp"
#include "wattmesh/stamp.hpp"
#include "wattmesh/token_bucket.hpp"

namespace wattmesh {

// A node in the middle of joining, in reach of this one.
struct Joiner {
  uint32_t number = 0;   // of its handshake
  uint8_t nodeId[nodeIdBytes] = {};
  uint8_t mac[macBytes] = {};
  Stamp heardUs;
  bool used = false;
  bool keyless = false;  // it sent a JOIN frame: its M2 goes in one too
  bool answered = false; // an M2 was passed on to it: its place is free for others
  uint8_t parts = 0;     // of its M1, so far
};

class JoinProxy {
 public:
  // Time between two M1 of one MAC address: those of one node are 5 s apart, give or take what the radio delays them.
  static constexpr uint64_t gapUs = 4500 * usPerMs;
  static constexpr uint64_t lifeUs = 60 * usPerS;
  static constexpr uint32_t perS = 4;
  static constexpr uint32_t burst = 8;

  // An M1 came in a JOIN frame. `dice` decides what is dropped under pressure, so that nobody who keeps time with us is always the one who
  // loses. queueFull: it is to be dropped.
  [[nodiscard]] Error admit(const uint8_t mac[macBytes], const PacketHeader& m1, uint32_t dice, uint64_t nowUs);
  // A child with the network key sent its M1 as DATA.
  void remember(const uint8_t mac[macBytes], const PacketHeader& m1, uint64_t nowUs);

  // Is an M2 for this node to be sent to this joiner? Several may claim one node id: only the M2 itself tells who is right.
  bool expects(const Joiner& joiner, const uint8_t nodeId[nodeIdBytes], uint64_t nowUs) const;
  Joiner* begin() { return table_; }
  Joiner* end() { return table_ + joinersMax; }

 private:
  Joiner* find(const uint8_t mac[macBytes]);
  Joiner* spare(uint64_t nowUs);
  static bool isSecondPart(const Joiner& joiner, const PacketHeader& m1);

  TokenBucket rate_{perS, burst};
  Joiner table_[joinersMax];
};

}  // namespace wattmesh
