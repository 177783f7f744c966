// The network keys that this node knows: the one in use, the next one before its time, and the last one for a while after (PROTOCOL.md,
// section 2.9). Of each only K_link stays in RAM; K_net is in the records.
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/config.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/frame.hpp"
#include "wattmesh/records.hpp"
#include "wattmesh/sections.hpp"

namespace wattmesh {

class KeyRing {
 public:
  // Frames under the former key are taken for this long after the switch: members switch when their own count-down ends.
  static constexpr uint64_t graceUs = 3600 * usPerS;
  // The furthest ahead that a key can be announced.
  static constexpr uint32_t announcedMaxS = 30 * 24 * 3600;

  // `port`, `config` and `records` must outlive the ring.
  void begin(const Port& port, const Config& config, Records& records);

  bool hasKey() const { return current_.id != joinKeyId; }
  // Of what is sent; joinKeyId: there is none yet.
  uint8_t keyId() const { return current_.id; }
  // K_link of a key under which frames are sent or taken now; nullptr: there is no such key.
  const uint8_t* linkKey(uint8_t keyId) const;

  // M2 brought the key in use. Error: it could not be stored; it is in use all the same until the next reboot.
  [[nodiscard, gnu::noinline]] Error adopt(uint8_t keyId, const uint8_t knet[networkKeyBytes], uint64_t nowUs);
  // NETKEY: the next key, with the time until its use. suiteRefused: nothing protects it. badField: it cannot be told from the present one,
  // or lies too far ahead. Otherwise as adopt().
  [[nodiscard]] Error announce(const NetworkKeySection& section, uint64_t nowUs, const NetworkClock& clock);
  // Switches to the next key and forgets the former when it is time. True when the key in use is another one now.
  bool tick(uint64_t nowUs, const NetworkClock& clock);
  // Through deep sleep: what the records do not know.
  void pass(SleepState& state);
  // What may stay behind where there is no room: frames under the former key are then refused.
  void passFormer(SleepState& state);
  uint64_t nextUs() const;

 private:
  struct Key {
    uint8_t id = joinKeyId;  // joinKeyId: none
    uint8_t link[networkKeyBytes] = {};
  };

  void derive(Key& key, uint8_t keyId, const uint8_t knet[networkKeyBytes]) const;
  void retire(uint64_t nowUs);
  void dropNext();
  [[nodiscard]] Error storeCurrent(uint8_t keyId, const uint8_t knet[networkKeyBytes]);
  [[nodiscard]] Error storeNext(const NetworkKeySection& section, uint32_t useAtS);

  const Port* port_ = nullptr;
  const Config* config_ = nullptr;
  Records* records_ = nullptr;
  Key join_;
  Key current_;
  Key next_;
  Key former_;
  uint64_t switchUs_ = never;   // to the next key
  uint64_t formerUntilUs_ = 0;
  bool switchKnown_ = true;     // false: read from the records, and the clock has not been set yet
  uint32_t useAtS_ = 0;         // UTC of the switch, as stored; 0: not known
};

}  // namespace wattmesh
