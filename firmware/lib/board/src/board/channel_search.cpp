#include "board/channel_search.hpp"

namespace board {

namespace {
constexpr uint64_t usPerS = 1000000;
// A node that seeks asks for beacons when it begins and once in a minute later on: the stay grows from round to round, so that a question falls
// into it in any case.
constexpr uint64_t stayMinUs = 3 * usPerS;
constexpr uint8_t stayDoublings = 5;  // 96 s
// Who was heard here may let us in, and a parent may be back soon.
constexpr uint64_t patienceUs = 180 * usPerS;
}  // namespace

void ChannelSearch::begin(uint8_t setting, uint64_t nowUs) {
  isFixed_ = setting != channelSearched;
  channel_ = isFixed_ ? setting : channelMin;
  untilUs_ = nowUs + stayMinUs;
  rounds_ = 0;
}

bool ChannelSearch::update(uint32_t heard, bool attached, uint64_t nowUs) {
  if (isFixed_) return false;
  if (attached || (heard != heard_ && !heardHere_)) {
    untilUs_ = nowUs + patienceUs;
    heardHere_ = true;
  }
  // Who is heard may be another mesh: the stays grow all the same, or no question would ever fall into one on the right channel.
  if (attached) rounds_ = 0;
  heard_ = heard;
  if (nowUs < untilUs_) return false;
  if (channel_ == channelMax) {
    channel_ = channelMin;
    if (rounds_ < stayDoublings) rounds_++;
  } else {
    channel_++;
  }
  heardHere_ = false;
  untilUs_ = nowUs + (stayMinUs << rounds_);
  return true;
}

}  // namespace board
