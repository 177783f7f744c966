// What every board runs, whatever its role: settings, console, radio, input, host line, and the core in their middle.
#pragma once
#include <Arduino.h>

#include "board/channel_search.hpp"
#include "board/console.hpp"
#include "board/rings.hpp"
#include "deep_sleep.hpp"
#include "ports/meter_input.hpp"
#include "wattmesh/node.hpp"
#include "wattmesh/slip.hpp"

// Makes the device of a role in memory of its own.
using MakeDevice = wattmesh::Node& (*)(const wattmesh::Port& port, const wattmesh::Config& config);

class Application {
 public:
  Application(wattmesh::Role role, MakeDevice make);

  // Arduino's two functions.
  void setup();
  void loop();

 private:
  // unset: settings are missing, the console waits for them. asked: a gateway listens for a moment whether it is the console that is wanted.
  // failed: the device cannot run.
  enum class Mode : uint8_t { unset, asked, running, failed };

  static Application& of(void* self) { return *static_cast<Application*>(self); }
  static void print(void* self, const char* line);
  static bool publicKey(void* self, uint8_t key[wattmesh::keyBytes]);
  static wattmesh::Error save(void* self, const board::Settings& settings);
  static void restart(void* self);
  static void status(void* self);
  static void trace(void* self, wattmesh::Trace event, const uint8_t* body, size_t length);

  bool isGateway() const { return role_ == wattmesh::Role::gateway; }
  void makePort();
  [[nodiscard]] bool beginHardware();
  [[nodiscard]] bool beginRadio();
  void fail(const char* why);
  void start();
  void printStatus();
  void pollConsole();
  void awaitConsole();
  void run();
  void pollRadio(uint64_t nowUs);
  void pollHost(uint64_t nowUs);
  void drainHost();
  void searchChannel(uint64_t nowUs);
  bool awaitsInput(uint64_t nowUs);
  void fallAsleep(uint64_t nowUs);
  void showIdentity(uint64_t nowUs);

  wattmesh::Role role_;
  MakeDevice make_;
  wattmesh::Port port_ = {};
  wattmesh::Config config_ = {};
  board::Settings settings_;
  board::ConsolePort consolePort_;
  board::Console console_;
  board::ChannelSearch channel_;
  board::ByteRing<2 * wattmesh::slipEncodedBytesMax> toHost_;
  ports::MeterInput input_;
  DeepSleep sleep_;
  wattmesh::Node* node_ = nullptr;
  Mode mode_ = Mode::unset;
  const char* failure_ = nullptr;
  bool booting_ = false;     // the core is reading its log
  bool restarts_ = false;
  bool hasRadio_ = false;
  uint64_t modeUs_ = 0;      // since when
  uint64_t nextUs_ = 0;      // when the core wants to be called, in its own time; of a device that cannot run: when it says so again
  uint64_t consoleUntilUs_ = 0;  // no deep sleep before
  uint64_t identifyUs_ = 0;  // until then it shows which device it is
  size_t matched_ = 0;       // characters of the word that calls a gateway's console
};
