// What it takes to measure time over frames and lines whose delays vary.
#pragma once
#include <cstring>

#include "wattmesh/clock.hpp"
#include "wattmesh/port.hpp"
#include "wattmesh/stamp.hpp"

namespace wattmesh {

// When a ROUTED frame of ours was gone: the next one to the same receiver, or to everybody, tells it.
struct GoneFrame {
  uint32_t at = 0;      // local time in 16 us
  uint16_t number = 0;  // low half of its link counter
  bool known = false;
};

// The last ROUTED frames that came from a neighbour, one for us and one for everybody: the next one of the kind tells when it was gone.
class HeardFrame {
 public:
  void note(const uint8_t mac[macBytes], bool isCall, uint32_t counter, uint64_t nowUs) {
    if (!isFrom(mac)) *this = HeardFrame{};
    memcpy(mac_, mac, macBytes);
    isCall_ = isCall;
    number_[isCall] = static_cast<uint16_t>(counter);
    atUs_[isCall] = nowUs;
  }
  bool isFrom(const uint8_t mac[macBytes]) const { return memcmp(mac, mac_, macBytes) == 0; }
  // Nothing came for so long.
  bool isOlder(uint64_t nowUs, uint64_t us) const { return atUs_[isCall_] == never || nowUs - atUs_[isCall_] > us; }
  // When the frame of this neighbour, kind and number came; never: it is another one.
  uint64_t atUs(const uint8_t mac[macBytes], bool isCall, uint16_t number) const {
    return number == number_[isCall] && isFrom(mac) ? uint64_t{atUs_[isCall]} : never;
  }

 private:
  uint8_t mac_[macBytes] = {};
  bool isCall_ = false;  // the last one
  uint16_t number_[2] = {};
  Stamp atUs_[2] = {never, never};
};

// The last beacon that told the time, of the parent or of whom the time came from first: the next one tells when it was gone.
class HeardBeacon {
 public:
  // `stampUs`: network time that it carried.
  void note(const uint8_t mac[macBytes], uint8_t number, uint64_t stampUs, uint64_t nowUs) {
    memcpy(mac_, mac, macBytes);
    number_ = number;
    stampUs_ = stampUs;
    atUs_ = nowUs;
  }
  // When the beacon before this one of the same neighbour came; never: it was not heard.
  uint64_t atUs(const uint8_t mac[macBytes], uint8_t number) const {
    return static_cast<uint8_t>(number_ + 1) == number && memcmp(mac, mac_, macBytes) == 0 ? atUs_ : never;
  }
  uint64_t stampUs() const { return stampUs_; }

 private:
  uint8_t mac_[macBytes] = {};
  uint8_t number_ = 0;
  uint64_t stampUs_ = 0;
  uint64_t atUs_ = never;
};

// The host's time over a line that may delay it, never hasten it: of the first two, and of every six, the one that was under way shortest.
class EarliestTime {
 public:
  // True when there is one; the next begins a new round.
  bool add(uint64_t utcUs, uint64_t nowUs, const NetworkClock& clock) {
    const int64_t aheadUs = static_cast<int64_t>(utcUs - clock.utcUs(nowUs));
    if (count_ == 0 || aheadUs > aheadUs_) {
      aheadUs_ = aheadUs;
      utcUs_ = utcUs;
      atUs_ = nowUs;
    }
    if (++count_ < (isFirst_ ? firstMax : roundMax)) return false;
    count_ = 0;
    isFirst_ = false;
    return true;
  }
  uint64_t utcUs() const { return utcUs_; }
  uint64_t atUs() const { return atUs_; }

 private:
  static constexpr uint8_t firstMax = 2;
  static constexpr uint8_t roundMax = 6;
  bool isFirst_ = true;
  uint8_t count_ = 0;
  int64_t aheadUs_ = 0;
  uint64_t utcUs_ = 0;
  uint64_t atUs_ = 0;
};

}  // namespace wattmesh
