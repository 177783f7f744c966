#include "wattmesh/relay.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/sleep_state.hpp"

namespace wattmesh {

namespace {
constexpr size_t recordBytes = 2 + nonceBytes + 3;  // command, nonce, state, stage, outcome
}

bool Relay::exists() const {
  return (config_->capabilities & capabilityRelay) != 0 && port_->relaySet != nullptr && port_->relayGet != nullptr;
}

Error Relay::begin(const Port& port, const Config& config, Records& records, uint16_t bootCount) {
  port_ = &port;
  config_ = &config;
  records_ = &records;
  bootCount_ = bootCount;
  uint8_t bytes[recordBytes];
  if (!records.read(RecordKey::relay, bytes, sizeof bytes)) return Error::none;
  Reader reader(bytes, sizeof bytes);
  command_ = reader.u16();
  reader.copy(nonce_, sizeof nonce_);
  on_ = reader.u8() != 0;
  stage_ = static_cast<Stage>(reader.u8());
  outcome_ = static_cast<Outcome>(reader.u8());
  if (stage_ != Stage::intended) return Error::none;
  // A reset came between intent and outcome. The relay is asked, and never moved now: it may have moved already.
  const bool isThere = exists() && port_->relayGet(port_->context) == on_;
  return store(Stage::settled, isThere ? Outcome::done : Outcome::failed);
}

Outcome Relay::prepare(uint8_t state, uint64_t nowUs, uint8_t nonce[nonceBytes]) {
  if (!exists() || state > 1) return Outcome::refused;
  port_->random(port_->context, preparedNonce_, sizeof preparedNonce_);
  // Unique also where the source of randomness is stuck.
  uint8_t number[6];
  Writer writer(number, sizeof number);
  writer.u32(++prepares_);
  writer.u16(bootCount_);
  for (size_t i = 0; i < sizeof number; i++) preparedNonce_[i] = static_cast<uint8_t>(preparedNonce_[i] ^ number[i]);
  prepared_ = true;
  preparedOn_ = state == 1;
  preparedUs_ = nowUs;
  memcpy(nonce, preparedNonce_, nonceBytes);
  return Outcome::prepared;
}

Outcome Relay::commit(uint16_t command, const uint8_t nonce[nonceBytes], uint64_t nowUs) {
  if (stage_ != Stage::none && equalConstantTime(nonce, nonce_, nonceBytes)) return outcome_;
  if (!exists() || !prepared_ || !equalConstantTime(nonce, preparedNonce_, nonceBytes)) return Outcome::refused;
  if (nowUs - preparedUs_ > preparedLifeUs) return Outcome::expired;
  prepared_ = false;
  command_ = command;
  memcpy(nonce_, nonce, nonceBytes);
  on_ = preparedOn_;
  if (store(Stage::intended, Outcome::failed) != Error::none) {
    // The relay has not moved, and will not for this nonce.
    stage_ = Stage::settled;
    return outcome_;
  }
  const bool isThere = port_->relayGet(port_->context) == on_ || port_->relaySet(port_->context, on_);
  // When this cannot be written, the next boot asks the relay.
  (void)store(Stage::settled, isThere ? Outcome::done : Outcome::failed);
  return outcome_;
}

bool Relay::unconfirmed(uint16_t& command, Outcome& outcome) const {
  if (stage_ != Stage::settled) return false;
  command = command_;
  outcome = outcome_;
  return true;
}

void Relay::confirm(uint16_t command) {
  if (stage_ == Stage::settled && command_ == command) (void)store(Stage::confirmed, outcome_);
}

Error Relay::store(Stage stage, Outcome outcome) {
  stage_ = stage;
  outcome_ = outcome;
  uint8_t bytes[recordBytes];
  Writer writer(bytes, sizeof bytes);
  writer.u16(command_);
  writer.bytes(nonce_, sizeof nonce_);
  writer.u8(on_ ? 1 : 0);
  writer.u8(static_cast<uint8_t>(stage));
  writer.u8(static_cast<uint8_t>(outcome));
  return records_->write(RecordKey::relay, bytes, sizeof bytes);
}

void Relay::pass(SleepState& state) { state.pass(preparedUs_, preparedOn_); }

}  // namespace wattmesh
