#include <cstring>
#include <string>
#include <vector>

#include "../check.hpp"
#include "../device.hpp"
#include "board/console.hpp"
#include "wattmesh/packet.hpp"

using namespace board;
using namespace wattmesh;

namespace {

constexpr uint32_t sector = static_cast<uint32_t>(sectorBytes);

// A board with a console: what it printed, what it saved.
struct Bench {
  explicit Bench(Role role, bool hasRsa = false) : console(chip, port, role) {
    if (hasRsa) port.rsaOaepEncrypt = [](void*, uint8_t*, const uint8_t*, const uint8_t*, size_t, const uint8_t*, size_t) { return false; };
    console.begin(Settings{});
  }

  // The last line of the answer.
  std::string ask(const std::string& line, const char* end = "\n") {
    lines.clear();
    for (const char character : line + end) console.push(character);
    return lines.empty() ? "" : lines.back();
  }
  bool isOk(const std::string& line) { return ask(line).compare(0, 2, "ok") == 0; }
  bool isRefused(const std::string& line) { return ask(line).compare(0, 7, "error: ") == 0; }

  static Bench& of(void* self) { return *static_cast<Bench*>(self); }
  static void print(void* self, const char* line) { of(self).lines.emplace_back(line); }
  static bool publicKey(void*, uint8_t key[keyBytes]) {
    memset(key, 0, keyBytes);
    return true;
  }
  static Error save(void* self, const Settings& settings) {
    of(self).saved = settings;
    of(self).saves++;
    return SettingsStore(of(self).port, sector).save(settings);
  }
  static void restart(void* self) { of(self).restarts++; }
  static void status(void* self) { print(self, "ok"); }

  Device device{3};
  Port port = device.port();
  ConsolePort chip = {this, print, publicKey, save, restart, status};
  Console console;
  std::vector<std::string> lines;
  Settings saved;
  unsigned saves = 0;
  unsigned restarts = 0;
};

const std::string zeroLabel = "WM1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA:D64F392A";

}  // namespace

TEST(consoleProvisionsAMeter) {
  Bench bench(Role::meter);
  CHECK(bench.isRefused("save"));
  CHECK(bench.isOk("set network home"));
  CHECK(bench.isRefused("save"));
  CHECK(bench.isOk("set head-end " + std::string(64, 'a')));
  CHECK(bench.isRefused("save"));
  CHECK(bench.isOk("set input pulse"));
  CHECK(bench.isOk("set pulses-per-kwh 800"));
  CHECK(bench.isOk("set interval 900"));
  CHECK(bench.isOk("set network-key 3:000102030405060708090a0b0c0d0e0f"));
  CHECK_EQUAL(bench.saves, 0);
  CHECK(bench.isOk("save"));
  CHECK_EQUAL(bench.saves, 1);
  Config config{};
  configure(bench.saved, Role::meter, bench.port, config);
  CHECK_EQUAL(config.intervalS, 900);
  CHECK_EQUAL(config.suite, suiteEcc);
  CHECK_EQUAL(config.headEndKey[31], 0xaa);
  CHECK_EQUAL(config.keyId, 3);
  CHECK_EQUAL(config.networkKey[15], 15);
  CHECK_EQUAL(config.capabilities, 1);
  CHECK_EQUAL(config.networkNumber, networkNumberOf(bench.port, reinterpret_cast<const uint8_t*>("home"), 4));
  CHECK_EQUAL(bench.saved.pulsesPerKwh, 800);
}

TEST(consoleSaysWhatIsMissing) {
  Bench gateway(Role::gateway);
  gateway.ask("set network home");
  gateway.ask("set head-end " + zeroLabel);
  CHECK(gateway.ask("save").find("set channel") != std::string::npos);
  gateway.ask("set channel 6");
  gateway.ask("set power battery");
  CHECK(gateway.ask("save").find("power") != std::string::npos);
  gateway.ask("set power backup");
  CHECK(gateway.isOk("save"));

  Bench hub(Role::hub);
  hub.ask("set network home");
  hub.ask("set suite none");
  CHECK(hub.ask("save").find("network-key") != std::string::npos);
  hub.ask("set suite rsa");
  hub.ask("set head-end " + zeroLabel);
  CHECK(hub.ask("save").find("no RSA") != std::string::npos);

  Bench rsa(Role::hub, true);
  for (const char* line : {"set network home", "set suite rsa"}) rsa.ask(line);
  rsa.ask("set head-end " + zeroLabel);
  CHECK(rsa.ask("save").find("psk") != std::string::npos);
  rsa.ask("set psk " + std::string(64, '1'));
  CHECK(rsa.ask("save").find("modulus") != std::string::npos);
  CHECK(rsa.isOk("set modulus " + std::string(512, 'f')));
  CHECK(rsa.isOk("save"));
  Config config{};
  configure(rsa.saved, Role::hub, rsa.port, config);
  CHECK_EQUAL(config.rsaModulus[255], 0xff);
}

TEST(consoleRefusesWhatCannotBe) {
  Bench bench(Role::meter);
  for (const char* line : {
           "set", "set network", "set colour red", "set network Home", "set network -a", "set network a_b", "set suite aes", "set head-end 12",
           "set network-key 0:000102030405060708090a0b0c0d0e0f", "set network-key 16:000102030405060708090a0b0c0d0e0f",
           "set network-key 000102030405060708090a0b0c0d0e0f", "set network-key 1:00", "set channel 0", "set channel 14", "set channel x",
           "set hub 0", "set hub 65536", "set interval 0", "set interval 99999999999999999999", "set interval 1 ", "set poll-cycle -1", "set baud 9600",
           "set input knx", "set pulses-per-kwh 0", "set pulses-per-kwh 100001", "set pulse-ms 1001", "set pzem-address 248", "set psk 00",
           "set modulus 00", "set power solar", "launch", "\x01\x02label",
       }) {
    const bool isRefused = bench.isRefused(line);
    if (strcmp(line, "set interval 1 ") == 0) CHECK(!isRefused);
    else CHECK(isRefused);
  }
  CHECK(bench.isRefused("set network " + std::string(33, 'a')));
  CHECK(bench.isRefused("set head-end WM1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA:D64F392B"));
  CHECK(bench.isRefused(std::string(5000, 'a')));
  CHECK_EQUAL(bench.lines.size(), 1);
  // A line is over with CR, LF or both, and an empty one is no command.
  CHECK_EQUAL(bench.ask("").size(), 0);
  CHECK(bench.ask("label", "\r\n") == "ok");
  CHECK_EQUAL(bench.restarts, 0);
  CHECK(bench.isOk("  restart  "));
  CHECK_EQUAL(bench.restarts, 1);
}

TEST(consoleShowsItsLabelAndNoSecrets) {
  Bench bench(Role::meter, true);
  bench.ask("label");
  CHECK_EQUAL(bench.lines.size(), 3);
  CHECK(bench.lines[0] == "label " + zeroLabel);
  CHECK(bench.lines[1] == "digits 64193 50075 81370 78914 77694 09940 13804 68864");
  bench.ask("set network-key 1:" + std::string(32, 'd'));
  bench.ask("set psk " + std::string(64, 'd'));
  bench.ask("set head-end " + zeroLabel);
  bench.ask("show");
  bool showsHeadEnd = false;
  for (const std::string& line : bench.lines) {
    CHECK(line.find("dddd") == std::string::npos);
    if (line == "head-end " + zeroLabel) showsHeadEnd = true;
  }
  CHECK(showsHeadEnd);
  CHECK(bench.lines.back().find("ok, but no network") == 0);
  CHECK(bench.isOk("help"));
}

TEST(settingsComeBack) {
  Bench bench(Role::meter);
  for (const char* line : {"set network a-9", "set power battery", "set channel 11", "set hub 513", "set poll-cycle 300", "set baud 921600",
                           "set input pzem", "set pulse-ms 2", "set pzem-address 5"}) {
    CHECK(bench.isOk(line));
  }
  bench.ask("set head-end " + zeroLabel);
  CHECK(bench.isOk("save"));
  Settings back;
  CHECK(SettingsStore(bench.port, sector).load(back));
  CHECK_EQUAL(strcmp(back.networkId, "a-9"), 0);
  CHECK(back.power == EnergyClass::battery && back.channel == 11 && back.localHubId == 513 && back.pollCycleS == 300 && back.baud == 921600);
  CHECK(back.input == Input::pzem && back.pulseMs == 2 && back.pzemAddress == 5 && back.hasHeadEndKey && !back.hasPsk);
  CHECK(!bench.device.broke());
}

TEST(settingsSurviveAPowerCutInEveryOperation) {
  for (unsigned cut = 0; cut < cuts; cut++) {
    for (uint64_t operation = 0;; operation++) {
      check::context("cut kind * 1000 + operation", cut * 1000 + operation);
      Device device(3, operation);
      const Port port = device.port();
      SettingsStore store(port, sector);
      Settings settings;
      CHECK(!store.load(settings));
      settings = Settings{};
      uint32_t last = 0;
      device.cutPower(operation, static_cast<Cut>(cut));
      for (uint32_t number = 1; number <= 5; number++) {
        settings.pulsesPerKwh = number;
        if (store.save(settings) != Error::none) break;
        last = number;
      }
      const bool wasCut = device.isDead();
      device.restore();
      Settings back;
      const bool found = store.load(back);
      CHECK(found || last == 0);
      if (found) CHECK(back.pulsesPerKwh == last || back.pulsesPerKwh == last + 1);
      CHECK(store.save(settings) == Error::none);
      CHECK(store.load(back));
      CHECK_EQUAL(back.pulsesPerKwh, settings.pulsesPerKwh);
      CHECK(!device.broke());
      if (!wasCut) break;
    }
  }
}
