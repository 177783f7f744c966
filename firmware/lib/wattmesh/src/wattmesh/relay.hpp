// The switch of a meter. It moves in two steps, PREPARE and COMMIT, and at most once for a COMMIT, whenever power fails: what is about to
// happen is in NV before it happens, and what became of it afterwards (PROTOCOL.md, section 4.2).
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/config.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/records.hpp"
#include "wattmesh/sections.hpp"

namespace wattmesh {

class Relay {
 public:
  static constexpr uint64_t preparedLifeUs = 60 * usPerS;

  // Finds out what became of a COMMIT that a reset interrupted. `port`, `config` and `records` must outlive the relay.
  [[nodiscard]] Error begin(const Port& port, const Config& config, Records& records, uint16_t bootCount);

  // Only the latest PREPARE counts. On Outcome::prepared `nonce` is what COMMIT has to echo.
  Outcome prepare(uint8_t state, uint64_t nowUs, uint8_t nonce[nonceBytes]);
  // Through deep sleep: what no record knows.
  void pass(SleepState& state);
  bool prepared(uint64_t nowUs) const { return prepared_ && nowUs - preparedUs_ <= preparedLifeUs; }
  // refused: no such PREPARE. expired: it is older than preparedLifeUs. A COMMIT that was carried out before is answered the same again.
  Outcome commit(uint16_t command, const uint8_t nonce[nonceBytes], uint64_t nowUs);

  // The last COMMIT's outcome, as long as nobody knows that it has arrived.
  bool unconfirmed(uint16_t& command, Outcome& outcome) const;
  // The outcome of this COMMIT has been told. When that cannot be noted in NV, it is told again after the next boot.
  void confirm(uint16_t command);

 private:
  enum class Stage : uint8_t { none, intended, settled, confirmed };

  bool exists() const;
  [[nodiscard]] Error store(Stage stage, Outcome outcome);

  const Port* port_ = nullptr;
  const Config* config_ = nullptr;
  Records* records_ = nullptr;
  uint16_t bootCount_ = 0;

  // What pass() keeps.
  uint64_t preparedUs_ = 0;
  uint32_t prepares_ = 0;
  uint8_t preparedNonce_[nonceBytes] = {};
  bool prepared_ = false;
  bool preparedOn_ = false;

  // As in the record.
  uint16_t command_ = 0;
  uint8_t nonce_[nonceBytes] = {};
  bool on_ = false;
  Stage stage_ = Stage::none;
  Outcome outcome_ = Outcome::failed;
};

}  // namespace wattmesh
