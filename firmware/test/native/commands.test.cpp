#include <cstring>

#include "check.hpp"
#include "device.hpp"
#include "wattmesh/commands.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;

enum class Fail : unsigned { never, beforeMove, afterMove };

// A meter with a switch that stays as it is without power.
struct Bench {
  explicit Bench(uint64_t seed = 1, uint16_t capabilities = capabilityRelay) : device(recordSectors, seed), port(device.port()) {
    current = this;
    port.relaySet = [](void*, bool to) { return current->move(to); };
    port.relayGet = [](void*) { return current->on; };
    port.identify = [](void*, uint8_t seconds) { current->identified = seconds; };
    port.reboot = [](void*) {};
    configured.capabilities = capabilities;
    configured.intervalS = 60;
    configured.pollCycleS = 300;
    boot();
  }
  void boot() {
    bootCount++;
    records = Records();
    commands = Commands();
    config = configured;
    CHECK_EQUAL(records.open(port, 0), Error::none);
    CHECK_EQUAL(commands.begin(port, config, records, bootCount), Error::none);
  }
  bool move(bool to) {
    if (fail == Fail::beforeMove) die();
    if (device.isDead()) return false;
    moves++;
    on = to;
    if (fail == Fail::afterMove) die();
    return true;
  }
  void die() {
    fail = Fail::never;
    device.cutPower(0, Cut::none);
    uint8_t byte[1] = {0xff};
    port.nvWrite(port.context, 0, byte, 1);
  }

  void execute(uint16_t number, Operation operation, std::vector<uint8_t> arguments, uint64_t nowUs) {
    CommandSection command{};
    command.command = number;
    command.operation = static_cast<uint8_t>(operation);
    command.length = static_cast<uint8_t>(arguments.size());
    if (!arguments.empty()) memcpy(command.arguments, arguments.data(), arguments.size());
    commands.execute(command, nowUs);
  }
  // The results in the next packet.
  std::vector<Result> tell(bool sent = true) {
    uint8_t plain[200];
    Writer writer(plain, sizeof plain);
    commands.write(writer);
    commands.told(sent);
    CHECK_EQUAL(checkUpSections(plain, writer.length()), Error::none);
    std::vector<Result> results;
    Reader reader(plain, writer.length());
    Section section{};
    while (reader.remaining() > 0 && nextSection(reader, section) == Error::none) {
      Result result{};
      CHECK_EQUAL(decodeResult(section, result), Error::none);
      results.push_back(result);
    }
    return results;
  }
  // The outcome of this command in the next packet; unknownOperation when it is not in there.
  Outcome outcome(uint16_t number) {
    for (const Result& result : tell()) {
      if (result.command == number) return result.outcome;
    }
    return Outcome::unknownOperation;
  }
  std::vector<uint8_t> prepare(uint16_t number, uint8_t to, uint64_t nowUs) {
    execute(number, Operation::relayPrepare, {to}, nowUs);
    for (const Result& result : tell()) {
      if (result.command == number && result.outcome == Outcome::prepared) return std::vector<uint8_t>(result.data, result.data + result.length);
    }
    return {};
  }
  Outcome commit(uint16_t number, const std::vector<uint8_t>& nonce, uint64_t nowUs) {
    execute(number, Operation::relayCommit, nonce, nowUs);
    return outcome(number);
  }

  static Bench* current;
  Device device;
  Port port;
  Config configured = {};
  Config config = {};
  Records records;
  Commands commands;
  uint16_t bootCount = 0;
  bool on = false;
  unsigned moves = 0;
  unsigned identified = 0;
  Fail fail = Fail::never;
};

Bench* Bench::current = nullptr;

}  // namespace

TEST(everyCommandIsAnswered) {
  Bench bench;
  bench.execute(1, Operation::pollNow, {}, 1 * s);
  CHECK(bench.commands.takePoll() && !bench.commands.takePoll());
  CHECK_EQUAL(bench.outcome(1), Outcome::done);
  bench.execute(2, Operation::identify, {5}, 1 * s);
  CHECK_EQUAL(bench.outcome(2), Outcome::done);
  CHECK_EQUAL(bench.identified, 5);
  bench.execute(3, static_cast<Operation>(99), {1, 2, 3}, 1 * s);
  CHECK_EQUAL(bench.outcome(3), Outcome::unknownOperation);
  bench.execute(4, Operation::identify, {}, 1 * s);
  CHECK_EQUAL(bench.outcome(4), Outcome::refused);
  bench.execute(5, Operation::setInterval, {0, 0, 60, 0}, 1 * s);
  CHECK_EQUAL(bench.outcome(5), Outcome::refused);
}

TEST(aResultIsToldFourTimesUnlessItIsSeen) {
  Bench bench;
  bench.execute(1, Operation::pollNow, {}, 1 * s);
  CHECK(bench.commands.urgent());
  CHECK_EQUAL(bench.tell(false).size(), 1);  // never left: does not count
  CHECK(bench.commands.urgent());
  for (unsigned i = 0; i < Commands::tellings; i++) CHECK_EQUAL(bench.tell().size(), 1);
  CHECK(bench.tell().empty() && !bench.commands.urgent());
  bench.execute(2, Operation::pollNow, {}, 1 * s);
  CHECK_EQUAL(bench.tell().size(), 1);
  bench.execute(2, Operation::resultSeen, {}, 1 * s);
  CHECK(bench.tell().empty());
}

TEST(aRepeatedCommandIsToldAgainAndNotCarriedOutAgain) {
  Bench bench;
  bench.execute(1, Operation::pollNow, {}, 1 * s);
  CHECK(bench.commands.takePoll());
  while (!bench.tell().empty()) {
  }
  bench.execute(1, Operation::pollNow, {}, 2 * s);
  CHECK(!bench.commands.takePoll());
  CHECK_EQUAL(bench.outcome(1), Outcome::done);
  bench.execute(1, Operation::identify, {7}, 3 * s);  // another one under the same number
  CHECK_EQUAL(bench.identified, 7);
}

TEST(anIntervalOutlivesARebootButNotANewConfiguration) {
  Bench bench;
  bench.execute(1, Operation::setInterval, {30, 0, 120, 0}, 1 * s);
  CHECK_EQUAL(bench.outcome(1), Outcome::done);
  CHECK(bench.config.intervalS == 30 && bench.config.pollCycleS == 120);
  bench.boot();
  CHECK(bench.config.intervalS == 30 && bench.config.pollCycleS == 120);
  bench.configured.intervalS = 900;
  bench.boot();
  CHECK(bench.config.intervalS == 900 && bench.config.pollCycleS == 300);
}

TEST(aRestartWaitsForItsResultButNotForever) {
  Bench bench;
  bench.execute(1, Operation::reboot, {}, 1 * s);
  CHECK(bench.commands.takeRestart(true, 1 * s) == Commands::Restart::none);
  CHECK_EQUAL(bench.outcome(1), Outcome::done);
  CHECK(bench.commands.takeRestart(false, 1 * s) == Commands::Restart::none);
  CHECK(bench.commands.takeRestart(true, 1 * s) == Commands::Restart::reboot);
  CHECK(bench.commands.takeRestart(true, 100 * s) == Commands::Restart::none);
  bench.execute(2, Operation::rekey, {}, 200 * s);
  CHECK(bench.commands.takeRestart(false, 200 * s + Commands::restartMaxUs - 1) == Commands::Restart::none);
  CHECK(bench.commands.takeRestart(false, 200 * s + Commands::restartMaxUs) == Commands::Restart::rekey);
}

TEST(aRelayMovesByPrepareAndCommitOnly) {
  Bench bench;
  const std::vector<uint8_t> nonce = bench.prepare(1, 1, 10 * s);
  CHECK_EQUAL(nonce.size(), nonceBytes);
  CHECK_EQUAL(bench.moves, 0);
  CHECK_EQUAL(bench.commit(2, nonce, 70 * s), Outcome::done);
  CHECK(bench.on && bench.moves == 1);
  CHECK_EQUAL(bench.commit(3, nonce, 71 * s), Outcome::done);  // replayed: what it did is told again
  CHECK_EQUAL(bench.moves, 1);
}

TEST(aCommitThatIsLateOrForeignOrUnpreparedMovesNothing) {
  Bench bench;
  const std::vector<uint8_t> unasked(nonceBytes, 0);
  CHECK_EQUAL(bench.commit(1, unasked, 1 * s), Outcome::refused);
  const std::vector<uint8_t> first = bench.prepare(2, 1, 10 * s);
  CHECK_EQUAL(bench.commit(3, first, 71 * s), Outcome::expired);
  CHECK_EQUAL(bench.commit(4, first, 80 * s), Outcome::expired);
  const std::vector<uint8_t> second = bench.prepare(5, 1, 90 * s);
  const std::vector<uint8_t> third = bench.prepare(6, 0, 91 * s);
  CHECK_EQUAL(bench.commit(7, second, 92 * s), Outcome::refused);  // only the latest counts
  std::vector<uint8_t> foreign = third;
  foreign[3] ^= 1;
  CHECK_EQUAL(bench.commit(8, foreign, 92 * s), Outcome::refused);
  bench.boot();
  CHECK_EQUAL(bench.commit(9, third, 93 * s), Outcome::refused);  // a nonce lives in RAM
  CHECK_EQUAL(bench.moves, 0);
  Bench other(2);
  CHECK_EQUAL(other.commit(1, third, 1 * s), Outcome::refused);
  CHECK_EQUAL(other.moves, 0);
}

TEST(aMeterWithoutASwitchRefuses) {
  Bench bench(1, 0);
  CHECK(bench.prepare(1, 1, 1 * s).empty());
  bench.execute(2, Operation::relayPrepare, {1}, 1 * s);
  CHECK_EQUAL(bench.outcome(2), Outcome::refused);
  Bench third(1);
  third.execute(1, Operation::relayPrepare, {2}, 1 * s);
  CHECK_EQUAL(third.outcome(1), Outcome::refused);
}

TEST(noncesDifferOverRebootsWhereTheSourceOfRandomnessIsStuck) {
  Bench bench;
  bench.port.random = [](void*, uint8_t* out, size_t length) { memset(out, 0x5a, length); };
  std::set<std::vector<uint8_t>> nonces;
  for (uint16_t i = 0; i < 40; i++) {
    if (i % 10 == 0) bench.boot();
    nonces.insert(bench.prepare(i, 1, i * s));
  }
  CHECK_EQUAL(nonces.size(), 40);
}

// A reset at every step of a COMMIT, which the head-end then sends again: the relay moves at most once, and what is told is what happened.
TEST(aCommitMovesAtMostOnceWheneverPowerFails) {
  for (unsigned cut = 0; cut < cuts + 2; cut++) {
    for (uint64_t operation = 0; operation < 4; operation++) {
      check::context("cut kind * 10 + operation", cut * 10 + operation);
      Bench bench(cut + 1);
      const std::vector<uint8_t> nonce = bench.prepare(1, 1, 10 * s);
      if (cut < cuts) {
        bench.device.cutPower(operation, static_cast<Cut>(cut));
      } else {
        bench.fail = cut == cuts ? Fail::beforeMove : Fail::afterMove;
      }
      bench.execute(2, Operation::relayCommit, nonce, 11 * s);
      const bool reset = bench.device.isDead();
      bench.device.restore();
      bench.fail = Fail::never;
      const unsigned before = bench.moves;
      if (reset) bench.boot();
      CHECK_EQUAL(bench.moves, before);  // never on its own account
      const bool moved = bench.moves > 0;
      const Outcome first = bench.outcome(2);
      const Outcome again = bench.commit(2, nonce, 12 * s);
      CHECK(bench.moves <= 1 && bench.on == moved);
      if (moved) CHECK(first == Outcome::done && again == Outcome::done);
      // Power failed before the intent was on record: nobody knows of the COMMIT any more, which is refused like any other of before the reset.
      if (!moved) CHECK((first == Outcome::failed && again == Outcome::failed) || (first == Outcome::unknownOperation && again == Outcome::refused));
    }
  }
}

TEST(anOutcomeIsToldAfterEachResetUntilItIsSeen) {
  Bench bench;
  CHECK_EQUAL(bench.commit(2, bench.prepare(1, 1, 10 * s), 11 * s), Outcome::done);
  bench.boot();
  CHECK_EQUAL(bench.outcome(2), Outcome::done);
  bench.boot();
  CHECK_EQUAL(bench.outcome(2), Outcome::done);
  bench.execute(2, Operation::resultSeen, {}, 12 * s);
  bench.boot();
  CHECK(bench.tell().empty());
}
