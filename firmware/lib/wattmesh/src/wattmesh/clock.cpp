#include "wattmesh/clock.hpp"

#include "wattmesh/sleep_state.hpp"

namespace wattmesh {

namespace {

constexpr int64_t stepUs = 50000;
// References come late, in a crowd of stations by a tenth of a second: only what is behind by more is another time.
constexpr int64_t lateUs = 250000;
constexpr uint64_t ageStepUs = 600 * usPerS;
constexpr uint64_t utcMaxUs = 4000000000 * usPerS;  // in 2096

constexpr unsigned tickShift = 10;                           // of Sample::at
constexpr uint32_t oldestTicks = 7200 * usPerS >> tickShift;
constexpr size_t newestMin = 8;                              // samples that none leaves before
constexpr uint32_t learnedTicks = 600 * usPerS >> tickShift;  // between samples that tell the skew of a chip for good
constexpr int64_t closeUs = 600 * usPerS;
constexpr int64_t believedUs = 15000;
constexpr int64_t ignoredUs = 1000000;
constexpr int64_t aheadUs = 4000;                            // of a reference that may be late: it is not, and the clock behind
constexpr int64_t crystalError = 8192;                       // one part in so many (122 ppm)
constexpr int64_t rcError = 14;                              // 7 %: 5 %, and as much as changes with the temperature
constexpr int64_t skewMax = (int64_t{1} << 30) / rcError;
// What the skew of before weighs beside samples, in 2^20 ticks squared: of crystals it is known that they are alike, (64 s)^2; one that was
// measured before weighs (512 s)^2.
constexpr int64_t crystalWeight = 3725;
constexpr int64_t knownWeight = 64 * crystalWeight;
constexpr unsigned slewShift = 10;                           // corrections go in at 2^-10: 1 ms a second

int64_t clamp(int64_t value, int64_t limit) { return value > limit ? limit : value < -limit ? -limit : value; }

bool isBeyond(int64_t value, int64_t limit) { return value > limit || value < -limit; }

// deltaUs * skew / 2^30 for any number of years.
int64_t scaled(int64_t deltaUs, int32_t skew) {
  const int64_t high = deltaUs >> 32;
  const int64_t low = deltaUs & 0xffffffff;
  return high * skew * 4 + (low * skew >> 30);
}

}  // namespace

int64_t NetworkClock::driftUs(int64_t gapUs) const { return (gapUs < 0 ? -gapUs : gapUs) / (sleeps_ ? rcError : crystalError); }

uint64_t NetworkClock::fittedUs(uint64_t localUs) const {
  return localUs + offset_ + static_cast<uint64_t>(scaled(static_cast<int64_t>(localUs - baseUs_), skew_));
}

int64_t NetworkClock::slew(uint64_t localUs) const {
  if (slewUs_ == 0) return 0;
  const int64_t sinceUs = static_cast<int64_t>(localUs - slewFromUs_);
  const int64_t done = sinceUs > 0 ? sinceUs >> slewShift : 0;
  return slewUs_ > 0 ? (slewUs_ > done ? slewUs_ - done : 0) : (slewUs_ < -done ? slewUs_ + done : 0);
}

uint64_t NetworkClock::utcUs(uint64_t localUs) const { return fittedUs(localUs) + static_cast<uint64_t>(slew(localUs)); }

uint64_t NetworkClock::localUs(uint64_t utcUs, uint64_t nowUs) const {
  uint64_t localUs = nowUs;
  // Each round is wrong by at most 1/16 of what the one before was wrong by.
  for (int round = 0; round < 6; round++) localUs += utcUs - this->utcUs(localUs);
  return localUs;
}

uint8_t NetworkClock::age(uint64_t nowUs) const {
  const uint64_t steps = (nowUs - setUs_) / ageStepUs;
  return steps < UINT8_MAX ? static_cast<uint8_t>(steps) : uint8_t{UINT8_MAX};
}

bool NetworkClock::set(uint64_t utcUs, uint64_t nowUs, uint8_t age) {
  if (utcUs > utcMaxUs) return false;
  // Before the boot too: differences of times go round in 64 bits.
  setUs_ = nowUs - age * ageStepUs;
  const int64_t difference = static_cast<int64_t>(utcUs - this->utcUs(nowUs));
  if (valid_ && sleeps_ && !isBeyond(difference, driftUs(static_cast<int64_t>(nowUs - baseUs_)) + lateUs)) {
    return sample(TimeReference{utcUs, utcUs, 0}, nowUs, nowUs);
  }
  // What is under way is late, never early.
  if (valid_ && difference <= stepUs && difference >= -lateUs) return difference > aheadUs && sampleOffset(utcUs, nowUs, nowUs);
  valid_ = true;
  restart(utcUs, nowUs);
  slewUs_ = 0;
  // For a crystal it is too rough. An RC oscillator is rougher.
  if (sleeps_) addRaw(TimeReference{utcUs, utcUs, 0}, nowUs);
  return true;
}

// The skew is a property of the chip and stays.
void NetworkClock::restart(uint64_t utcUs, uint64_t nowUs) {
  offsetsCount_ = 0;
  suspectUs_ = 0;
  baseUs_ = nowUs;
  offset_ = utcUs - nowUs;
}

bool NetworkClock::sample(const TimeReference& reference, uint64_t atUs, uint64_t nowUs) {
  if (!valid_) return false;
  const uint64_t shownUs = this->utcUs(nowUs);
  addRaw(reference, atUs);
  addOffset(reference.utcUs, atUs);
  return turnFrom(shownUs, nowUs);
}

bool NetworkClock::sampleOffset(uint64_t utcUs, uint64_t atUs, uint64_t nowUs) {
  if (!valid_) return false;
  const uint64_t shownUs = this->utcUs(nowUs);
  addOffset(utcUs, atUs);
  return turnFrom(shownUs, nowUs);
}

// What was learned so far goes on as the skew from which the next samples start.
void NetworkClock::keepSkew() {
  isSkewKnown_ = isSkewKnown_ || (samplesCount_ > 0 && samples_[samplesCount_ - 1].at - samples_[0].at >= learnedTicks);
  priorSkew_ = skew_;
}

void NetworkClock::changeSource() {
  keepSkew();
  isMoved_ = samplesCount_ > 0;
}

// What was learned from one source goes on with another, since both follow network time: the samples become what the raw clock of the new one
// would have said then. That takes the network time of the newest of them, or all are forgotten.
void NetworkClock::moveTo(const TimeReference& reference, uint64_t atUs) {
  isMoved_ = false;
  const Sample newest = samples_[samplesCount_ - 1];
  const Offset& told = offsets_[offsetsCount_ > 0 ? offsetsCount_ - 1 : 0];
  rawOffset_ = reference.rawUs - atUs;
  const int64_t passedUs = static_cast<int64_t>(reference.utcUs - told.utcUs);
  const int64_t beforeUs = static_cast<int64_t>(atUs - told.atUs) - passedUs + scaled(passedUs, reference.skew);
  if (offsetsCount_ == 0 || static_cast<uint32_t>(told.atUs >> tickShift) != newest.at || isBeyond(beforeUs, ignoredUs)) {
    samplesCount_ = 0;
    return;
  }
  for (size_t i = 0; i < samplesCount_; i++) {
    Sample& each = samples_[i];
    const int64_t sinceUs = int64_t{static_cast<int32_t>(each.at - newest.at)} * (int64_t{1} << tickShift);
    each.offset = static_cast<int32_t>(beforeUs + each.offset - newest.offset + scaled(sinceUs, sourceSkew_ - reference.skew));
  }
}

uint64_t NetworkClock::rawUs(uint64_t atUs) const {
  if (samplesCount_ == 0) return atUs;
  const Sample& newest = samples_[samplesCount_ - 1];
  const int64_t sinceUs = int64_t{static_cast<int32_t>(static_cast<uint32_t>(atUs >> tickShift) - newest.at)} * (int64_t{1} << tickShift);
  return atUs + rawOffset_ + static_cast<uint64_t>(newest.offset + scaled(sinceUs, skew_ - sourceSkew_));
}

void NetworkClock::addRaw(const TimeReference& reference, uint64_t atUs) {
  const uint32_t at = static_cast<uint32_t>(atUs >> tickShift);
  if (isMoved_) moveTo(reference, atUs);
  if (samplesCount_ > 0) {
    const int32_t sinceTicks = static_cast<int32_t>(at - samples_[samplesCount_ - 1].at);
    if (sinceTicks <= 0) return;
    const int64_t beyondUs = static_cast<int64_t>(reference.rawUs - rawUs(atUs));
    // The source has restarted.
    if (isBeyond(beyondUs, believedUs + driftUs(int64_t{sinceTicks} << tickShift))) {
      keepSkew();
      samplesCount_ = 0;
    }
  }
  if (samplesCount_ == 0) rawOffset_ = reference.rawUs - atUs;
  const int64_t offset = static_cast<int64_t>(reference.rawUs - atUs - rawOffset_);
  if (isBeyond(offset, INT32_MAX)) {
    samplesCount_ = 0;
    return;
  }
  push(Sample{at, static_cast<int32_t>(offset)});
  fitSkew(reference.skew);
}

// The newest stay; of those before them goes the one whose neighbours are closest to each other, so that the rest reaches far back.
void NetworkClock::push(const Sample& sample) {
  size_t gone = timeSamplesMax;
  if (samplesCount_ > 0 && sample.at - samples_[0].at > oldestTicks) {
    gone = 0;
  } else if (samplesCount_ == timeSamplesMax) {
    gone = 1;
    for (size_t i = 2; i <= timeSamplesMax - newestMin; i++) {
      if (samples_[i + 1].at - samples_[i - 1].at < samples_[gone + 1].at - samples_[gone - 1].at) gone = i;
    }
  }
  if (gone < timeSamplesMax) {
    samplesCount_--;
    for (size_t i = gone; i < samplesCount_; i++) samples_[i] = samples_[i + 1];
  }
  samples_[samplesCount_++] = sample;
}

// Least squares. Sums are of differences to the newest sample: 12 of at most 2^23 ticks and 2^31 us.
void NetworkClock::fitSkew(int32_t sourceSkew) {
  const Sample& newest = samples_[samplesCount_ - 1];
  int64_t ticks = 0;
  int64_t us = 0;
  for (size_t i = 0; i < samplesCount_; i++) {
    ticks += static_cast<int32_t>(samples_[i].at - newest.at);
    us += int64_t{samples_[i].offset} - newest.offset;
  }
  ticks /= samplesCount_;
  us /= samplesCount_;
  int64_t product = 0;
  int64_t square = 0;
  for (size_t i = 0; i < samplesCount_; i++) {
    const int64_t tick = static_cast<int32_t>(samples_[i].at - newest.at) - ticks;
    product += tick * (int64_t{samples_[i].offset} - newest.offset - us);
    square += tick * tick;
  }
  // product / square is in us a tick of 2^10 us; 2^30 times the skew is 2^20 times that.
  const int64_t weight = sleeps_ ? 0 : isSkewKnown_ ? knownWeight : crystalWeight;
  const int64_t divisor = (square >> 20) + weight;
  sourceSkew_ = sourceSkew;
  const int64_t prior = int64_t{priorSkew_} - sourceSkew;
  const int64_t slope = divisor > 0 ? (product + prior * weight) / divisor : prior;
  skew_ = static_cast<int32_t>(clamp(slope + sourceSkew, skewMax));
}

void NetworkClock::addOffset(uint64_t utcUs, uint64_t atUs) {
  const int64_t gapUs = static_cast<int64_t>(atUs - baseUs_);
  if (utcUs > utcMaxUs || gapUs < 0) return;
  const int64_t drift = driftUs(gapUs);
  const int64_t difference = static_cast<int64_t>(utcUs - fittedUs(atUs));
  if (isBeyond(difference, ignoredUs + drift)) return;
  const int64_t suspectUs = suspectUs_;
  suspectUs_ = 0;
  if (isBeyond(difference, believedUs + drift)) {
    if (offsetsCount_ == timeOffsetsMax && (suspectUs == 0 || isBeyond(difference - suspectUs, believedUs))) {
      suspectUs_ = difference;
      return;
    }
    restart(utcUs, atUs);
  }
  if (offsetsCount_ == timeOffsetsMax) {
    offsetsCount_--;
    for (size_t i = 0; i < offsetsCount_; i++) offsets_[i] = offsets_[i + 1];
  }
  offsets_[offsetsCount_++] = Offset{atUs, utcUs};
  fitOffset();
}

// The mean of the newest: as far as they are so close together that what the skew is wrong by weighs less than their noise.
void NetworkClock::fitOffset() {
  const Offset& newest = offsets_[offsetsCount_ - 1];
  int64_t sum = 0;
  int64_t used = 0;
  for (size_t i = offsetsCount_; i > 0; i--) {
    const Offset& each = offsets_[i - 1];
    const int64_t sinceUs = static_cast<int64_t>(newest.atUs - each.atUs);
    if (sinceUs > closeUs) break;
    used++;
    sum += static_cast<int64_t>(each.utcUs - newest.utcUs) + sinceUs + scaled(sinceUs, skew_);
  }
  baseUs_ = newest.atUs;
  offset_ = newest.utcUs - newest.atUs + static_cast<uint64_t>(sum / used);
}

// From the time that was shown to the one that is fitted now. True when it stepped.
bool NetworkClock::turnFrom(uint64_t shownUs, uint64_t nowUs) {
  const int64_t slewUs = static_cast<int64_t>(shownUs - fittedUs(nowUs));
  const bool steps = isBeyond(slewUs, stepUs);
  slewUs_ = steps ? 0 : static_cast<int32_t>(slewUs);
  slewFromUs_ = nowUs;
  return steps;
}

void NetworkClock::pass(SleepState& state) { state.pass(baseUs_, valid_); }

}  // namespace wattmesh
