// What the head-end commands, and the results that are owed to it (PROTOCOL.md, section 4.2).
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/config.hpp"
#include "wattmesh/records.hpp"
#include "wattmesh/relay.hpp"
#include "wattmesh/sections.hpp"

namespace wattmesh {

class Commands {
 public:
  // Packets in which a result goes, unless the head-end says before that it has it.
  static constexpr uint8_t tellings = 4;
  // A device restarts, or starts a new handshake, when the result has been handed on, and at the latest after this.
  static constexpr uint64_t restartMaxUs = 30 * usPerS;

  enum class Restart : uint8_t { none, rekey, reboot };

  // Applies the interval and poll cycle that were commanded before; changes `config` from now on. All must outlive the commands.
  [[nodiscard]] Error begin(const Port& port, Config& config, Records& records, uint16_t bootCount);

  // Carries out a command, or, when it is a repeated one, only tells its result again. When NV fails, the result says so.
  void execute(const CommandSection& command, uint64_t nowUs);

  // The second step of a command that moves something may come.
  bool prepared(uint64_t nowUs) const { return relay_.prepared(nowUs); }
  // A result has not been told at all yet: worth a packet of its own.
  bool urgent() const;
  // Something is left to do within a second.
  bool busy() const { return restart_ != Restart::none || urgent(); }
  // Writes the results that are due behind what `writer` holds.
  void write(Writer& writer);
  // Whether what write() wrote last is on its way.
  void told(bool sent);

  // Through deep sleep.
  void pass(SleepState& state);
  // Where there is room: what stays behind is commanded again, and told then.
  void passResults(SleepState& state);

  // Everything that waits is to be sent now. True once per command.
  bool takePoll();
  // `handedOn`: no packet of this node waits for the next hop any more. Not Restart::none once per command.
  Restart takeRestart(bool handedOn, uint64_t nowUs);

 private:
  struct Told {
    uint32_t fingerprint = 0;  // of the command; another one may come under the same number
    uint16_t command = 0;
    bool used = false;
    bool written = false;  // by the last write()
    uint8_t left = 0;      // packets in which it still goes
    uint8_t length = 0;
    Outcome outcome = Outcome::done;
    uint8_t data[nonceBytes] = {};
  };
  static constexpr size_t toldMax = 4;

  Told* find(uint16_t command);
  Told* place(uint16_t command);
  Outcome run(const CommandSection& command, Told& told, uint64_t nowUs);
  Outcome setInterval(const CommandSection& command);
  Outcome identify(const CommandSection& command);
  Outcome restart(Restart kind, uint64_t nowUs);
  void seen(uint16_t command);

  const Port* port_ = nullptr;
  Config* config_ = nullptr;
  Records* records_ = nullptr;
  Relay relay_;
  Told told_[toldMax];
  uint8_t next_ = 0;
  uint16_t configuredIntervalS_ = 0;
  uint16_t configuredPollCycleS_ = 0;
  bool poll_ = false;
  uint64_t restartUs_ = 0;
  Restart restart_ = Restart::none;
};

}  // namespace wattmesh
