// On which Wi-Fi channel the mesh is: every channel in turn, longer where somebody is heard, and for good where a parent is found. Who is heard
// may belong to another mesh, or not let us in: then it goes on. Pure: the port owns the radio.
#pragma once
#include <cstdint>

namespace board {

constexpr uint8_t channelMin = 1;
constexpr uint8_t channelMax = 13;
constexpr uint8_t channelSearched = 0;  // as a setting: none is fixed

class ChannelSearch {
 public:
  // `setting`: the channel to stay on, or channelSearched.
  void begin(uint8_t setting, uint64_t nowUs);
  uint8_t channel() const { return channel_; }

  // After deep sleep, on this channel.
  void goOn(uint8_t channel) { channel_ = channel; }
  // The one after channel(), unless one is set.
  uint8_t next() const { return isFixed_ ? channel_ : channel_ == channelMax ? channelMin : static_cast<uint8_t>(channel_ + 1); }

  // `heard`: frames of this network so far. `attached`: there is a parent (gateways: always). True: the radio is to change to channel().
  bool update(uint32_t heard, bool attached, uint64_t nowUs);

 private:
  bool isFixed_ = true;
  uint8_t channel_ = channelMin;
  uint32_t heard_ = 0;
  bool heardHere_ = false;
  uint64_t untilUs_ = 0;  // stay here until then
  uint8_t rounds_ = 0;    // of all channels, since there was a parent
};

}  // namespace board
