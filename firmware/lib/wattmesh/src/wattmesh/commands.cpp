#include "wattmesh/commands.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/sleep_state.hpp"

namespace wattmesh {

namespace {

constexpr size_t settingsBytes = 8;  // interval, poll cycle; the configured ones at that time

uint32_t fingerprintOf(const CommandSection& command) {
  return crc32(command.arguments, command.length, crc32(&command.operation, 1));
}

}  // namespace

Error Commands::begin(const Port& port, Config& config, Records& records, uint16_t bootCount) {
  port_ = &port;
  config_ = &config;
  records_ = &records;
  configuredIntervalS_ = config.intervalS;
  configuredPollCycleS_ = config.pollCycleS;
  uint8_t bytes[settingsBytes];
  if (records.read(RecordKey::settings, bytes, sizeof bytes)) {
    Reader reader(bytes, sizeof bytes);
    const uint16_t intervalS = reader.u16();
    const uint16_t pollCycleS = reader.u16();
    // A device that was configured anew since goes by its configuration.
    if (reader.u16() == config.intervalS && reader.u16() == config.pollCycleS) {
      config.intervalS = intervalS;
      config.pollCycleS = pollCycleS;
    }
  }
  const Error error = relay_.begin(port, config, records, bootCount);
  uint16_t command = 0;
  Outcome outcome{};
  if (relay_.unconfirmed(command, outcome)) {
    Told* told = place(command);
    told->outcome = outcome;
    told->left = tellings;
  }
  return error;
}

Commands::Told* Commands::find(uint16_t command) {
  for (Told& told : told_) {
    if (told.used && told.command == command) return &told;
  }
  return nullptr;
}

// The place of this command's former result, or of one that has been told, or the oldest.
Commands::Told* Commands::place(uint16_t command) {
  Told* place = find(command);
  for (size_t i = 0; place == nullptr && i < toldMax; i++) {
    Told& candidate = told_[(next_ + i) % toldMax];
    if (!candidate.used || candidate.left == 0) place = &candidate;
  }
  if (place == nullptr) place = &told_[next_];
  next_ = static_cast<uint8_t>((next_ + 1) % toldMax);
  *place = Told{};
  place->used = true;
  place->command = command;
  return place;
}

void Commands::execute(const CommandSection& command, uint64_t nowUs) {
  if (command.operation == static_cast<uint8_t>(Operation::resultSeen)) {
    seen(command.command);
    return;
  }
  const uint32_t fingerprint = fingerprintOf(command);
  Told* known = find(command.command);
  if (known != nullptr && known->fingerprint == fingerprint) {
    known->left = tellings;
    return;
  }
  Told* told = place(command.command);
  told->fingerprint = fingerprint;
  told->left = tellings;
  told->outcome = run(command, *told, nowUs);
}

Outcome Commands::run(const CommandSection& command, Told& told, uint64_t nowUs) {
  switch (static_cast<Operation>(command.operation)) {
    case Operation::pollNow:
      if (command.length != 0) return Outcome::refused;
      poll_ = true;
      return Outcome::done;
    case Operation::setInterval:
      return setInterval(command);
    case Operation::identify:
      return identify(command);
    case Operation::reboot:
      if (command.length != 0 || port_->reboot == nullptr) return Outcome::refused;
      return restart(Restart::reboot, nowUs);
    case Operation::rekey:
      if (command.length != 0) return Outcome::refused;
      return restart(Restart::rekey, nowUs);
    case Operation::relayPrepare: {
      if (command.length != 1) return Outcome::refused;
      const Outcome outcome = relay_.prepare(command.arguments[0], nowUs, told.data);
      if (outcome == Outcome::prepared) told.length = nonceBytes;
      return outcome;
    }
    case Operation::relayCommit:
      if (command.length != nonceBytes) return Outcome::refused;
      return relay_.commit(command.command, command.arguments, nowUs);
    default:
      return Outcome::unknownOperation;
  }
}

Outcome Commands::setInterval(const CommandSection& command) {
  Reader reader(command.arguments, command.length);
  const uint16_t intervalS = reader.u16();
  const uint16_t pollCycleS = reader.u16();
  if (!reader.ok() || reader.remaining() > 0 || intervalS == 0 || pollCycleS == 0) return Outcome::refused;
  uint8_t bytes[settingsBytes];
  Writer writer(bytes, sizeof bytes);
  writer.u16(intervalS);
  writer.u16(pollCycleS);
  writer.u16(configuredIntervalS_);
  writer.u16(configuredPollCycleS_);
  if (records_->write(RecordKey::settings, bytes, sizeof bytes) != Error::none) return Outcome::failed;
  config_->intervalS = intervalS;
  config_->pollCycleS = pollCycleS;
  return Outcome::done;
}

Outcome Commands::identify(const CommandSection& command) {
  if (command.length != 1 || port_->identify == nullptr) return Outcome::refused;
  port_->identify(port_->context, command.arguments[0]);
  return Outcome::done;
}

Outcome Commands::restart(Restart kind, uint64_t nowUs) {
  restart_ = kind;
  restartUs_ = nowUs + restartMaxUs;
  return Outcome::done;
}

void Commands::seen(uint16_t command) {
  Told* told = find(command);
  if (told != nullptr) told->left = 0;
  relay_.confirm(command);
}

bool Commands::urgent() const {
  for (const Told& told : told_) {
    if (told.used && told.left == tellings) return true;
  }
  return false;
}

void Commands::write(Writer& writer) {
  for (Told& told : told_) {
    Result result{};
    result.command = told.command;
    result.outcome = told.outcome;
    result.length = told.length;
    memcpy(result.data, told.data, told.length);
    told.written = told.used && told.left > 0 && writeResult(writer, result);
  }
}

void Commands::told(bool sent) {
  for (Told& told : told_) {
    if (!told.written) continue;
    told.written = false;
    if (sent && --told.left == 0) relay_.confirm(told.command);
  }
}

bool Commands::takePoll() {
  const bool poll = poll_;
  poll_ = false;
  return poll;
}

Commands::Restart Commands::takeRestart(bool handedOn, uint64_t nowUs) {
  if (restart_ == Restart::none || (nowUs < restartUs_ && (urgent() || !handedOn))) return Restart::none;
  const Restart kind = restart_;
  restart_ = Restart::none;
  return kind;
}

void Commands::pass(SleepState& state) {
  state.pass(restartUs_, restart_);
  relay_.pass(state);
}

void Commands::passResults(SleepState& state) {
  for (Told& told : told_) {
    if (state.passIf(told.used, sizeof told)) state.pass(told);
  }
}

}  // namespace wattmesh
