#include "wattmesh/freshness.hpp"

#include <cstring>

#include "wattmesh/crypto.hpp"

namespace wattmesh {

void Freshness::doubt(uint64_t nowUs, uint64_t delayUs) {
  if (askUs_ != never) return;
  const uint64_t gapUs = fresh_ ? doubtGapUs : askGapUs;
  uint64_t atUs = nowUs;
  if (askedUs_ != 0 && askedUs_ + gapUs > nowUs) atUs = askedUs_ + gapUs;
  repeats_ = 0;
  askUs_ = atUs + delayUs;
}

void Freshness::challenged(const uint8_t nonce[nonceBytes], uint64_t nowUs) {
  if (answerUs_ != never || (answeredUs_ != 0 && nowUs - answeredUs_ < answerGapUs)) return;
  memcpy(owed_, nonce, nonceBytes);
  answerUs_ = nowUs;
  repeats_ = 0;
}

bool Freshness::answered(const Challenge& answer, uint32_t counter, uint64_t nowUs) {
  if (!asking_ || nowUs - askedUs_ > nonceLifeUs || answer.counter >= counter) return false;
  if (!equalConstantTime(answer.nonce, asked_, nonceBytes)) return false;
  asking_ = false;
  askUs_ = never;
  fresh_ = true;
  // Also when it is lower than before: who answers lives and counts from here, and what it sent before it knew the nonce stays out.
  counter_ = counter;
  return true;
}

void Freshness::unreached(bool wasAnswer, uint64_t nowUs, uint64_t delayUs) {
  if (repeats_ >= repeatsMax) return;
  repeats_++;
  if (wasAnswer) {
    if (answerUs_ == never) answerUs_ = nowUs + delayUs;
  } else if (askUs_ == never && asking_) {
    askUs_ = nowUs + delayUs;
  }
}

Challenge Freshness::ask(const uint8_t random[nonceBytes], uint32_t number, uint64_t nowUs) {
  Challenge challenge{};
  memcpy(challenge.nonce, random, nonceBytes);
  for (size_t i = 0; i < sizeof number; i++) challenge.nonce[i] = static_cast<uint8_t>(challenge.nonce[i] ^ (number >> (8 * i)));
  memcpy(asked_, challenge.nonce, nonceBytes);
  asking_ = true;
  askedUs_ = nowUs;
  askUs_ = never;
  return challenge;
}

Challenge Freshness::answer(uint32_t ownCounter, uint64_t nowUs) {
  Challenge challenge{};
  challenge.isAnswer = true;
  challenge.counter = ownCounter;
  memcpy(challenge.nonce, owed_, nonceBytes);
  answeredUs_ = nowUs;
  answerUs_ = never;
  return challenge;
}

}  // namespace wattmesh
