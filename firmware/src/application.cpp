#include "application.hpp"

#include <cstring>

#include "board/entropy.hpp"
#include "board/text.hpp"
#include "ports/chip.hpp"
#include "ports/crypto/crypto.hpp"
#include "wattmesh/bytes.hpp"
#include "wattmesh/identity.hpp"
#include "wattmesh/random_health.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t usPerSecond = 1000000;
// A gateway's line is its host's; for this long after a start it may still become the console.
constexpr uint64_t askedUs = 3 * usPerSecond;
constexpr char consoleWord[] = "console\n";
// A device that cannot run tries again, and leaves time to read why.
constexpr uint64_t failedSayUs = 10 * usPerSecond;
constexpr uint64_t failedRestartUs = 60 * usPerSecond;
constexpr uint32_t consoleBaud = 115200;
constexpr size_t hostReadBytes = 128;
constexpr size_t serialBufferBytes = 1024;
// A board that sleeps stays awake for so long after a start by hand and after what is typed.
constexpr uint64_t consoleUs = 60 * usPerSecond;
// A meter on the line answers within this time of a wake, or has no value for this row.
constexpr uint64_t inputUs = 700000;
constexpr uint64_t blinkUs = usPerSecond / 4;

// The settings lie behind what the core has.
constexpr uint32_t settingsBytes = static_cast<uint32_t>(board::SettingsStore::sectors * sectorBytes);
constexpr uint32_t coreBytesMax = static_cast<uint32_t>((recordSectors + logSectorsMax) * sectorBytes);
constexpr uint32_t coreBytesMin(Role role) {
  return static_cast<uint32_t>((recordSectors + (role == Role::meter ? logSectorsMin : spoolSectors)) * sectorBytes);
}

board::Entropy entropy;

// Zeros where there is no randomness: the core finds out when it starts, and makes no keys of them.
void fillRandom(uint8_t* out, size_t length) {
  if (!entropy.fill(out, length)) memset(out, 0, length);
}

}  // namespace

Application::Application(Role role, MakeDevice make)
    : role_(role), make_(make), consolePort_{this, print, publicKey, save, restart, status}, console_(consolePort_, port_, role) {}

void Application::makePort() {
  port_.context = this;
  port_.radioSend = [](void* self, const uint8_t to[macBytes], const uint8_t* frame, size_t length) {
    return of(self).hasRadio_ && ports::radio().send(to, frame, length, ports::nowUs());
  };
  port_.hostSend = [](void* self, const uint8_t* data, size_t length) { return of(self).toHost_.push(data, length); };
  port_.nvRead = [](void*, uint32_t address, uint8_t* out, size_t length) { return ports::readFlash(address, out, length); };
  port_.nvWrite = [](void*, uint32_t address, const uint8_t* data, size_t length) { return ports::writeFlash(address, data, length); };
  port_.nvErase = [](void*, uint32_t address) { return ports::eraseFlash(address); };
  port_.random = [](void*, uint8_t* out, size_t length) { fillRandom(out, length); };
  port_.readRegisters = [](void* self, Registers* out) { return of(self).input_.read(ports::nowUs(), *out); };
  port_.freeRam = [](void*) { return ports::freeRam(); };
  port_.trace = trace;
  port_.identify = [](void* self, uint8_t seconds) { of(self).identifyUs_ = ports::nowUs() + seconds * usPerSecond; };
  port_.reboot = restart;
}

void Application::setup() {
  ports::beginChip();
  makePort();
  sleep_.begin();
  const bool isReady = beginHardware();
  Serial.setRxBufferSize(serialBufferBytes);
  Serial.begin(isGateway() && isReady && settings_.baud != 0 ? settings_.baud : consoleBaud);
  pinMode(WATTMESH_LED_PIN, OUTPUT);
  console_.begin(settings_);
  modeUs_ = ports::nowUs();
  consoleUntilUs_ = sleep_.woke() ? 0 : modeUs_ + consoleUs;
  if (!isReady) return;
  if (whatIsMissing(settings_, role_, port_.rsaOaepEncrypt != nullptr) != nullptr) {
    mode_ = Mode::unset;
    print(this, "This board waits for its settings: help lists them, show says what is missing.");
    console_.printLabel();
  } else if (isGateway()) {
    mode_ = Mode::asked;
  } else {
    if (!sleep_.woke()) console_.printLabel();
    start();
  }
}

// Everything that the label and the settings need: flash, randomness, cryptography.
bool Application::beginHardware() {
  if (!ports::useCrypto(port_, fillRandom)) {
    fail("the cryptographic library fails its own test: flash the board again");
    return false;
  }
  const uint32_t flashBytes = ports::openFlash();
  if (flashBytes < coreBytesMin(role_) + settingsBytes) {
    fail("there is no room in flash: flash the board with the partition table of this project");
    return false;
  }
  const uint32_t coreBytes = flashBytes - settingsBytes;
  port_.nvBytes = coreBytes < coreBytesMax ? coreBytes : coreBytesMax;
  if (!board::SettingsStore(port_, port_.nvBytes).load(settings_)) settings_ = board::Settings{};
  channel_.begin(settings_.channel, ports::nowUs());
  if (sleep_.woke()) channel_.goOn(sleep_.channel());
  entropy.begin(port_, ports::noise);
  // Only to take a row the radio stays off.
  return !sleep_.listens() || beginRadio();
}

bool Application::beginRadio() {
  if (!ports::beginWifi() || !ports::radio().begin(channel_.channel())) {
    fail("the radio does not start, or not on the channel that is set: try another one");
    return false;
  }
  hasRadio_ = true;
  // Without the radio the noise source is none.
  if (!entropy.startUp()) {
    fail("the chip's source of randomness is broken: replace the board");
    return false;
  }
  return true;
}

void Application::fail(const char* why) {
  mode_ = Mode::failed;
  failure_ = why;
  modeUs_ = ports::nowUs();
  nextUs_ = modeUs_;
}

void Application::start() {
  const uint64_t nowUs = ports::nowUs();
  board::configure(settings_, role_, port_, config_);
  ports::macAddress(config_.mac);
  config_.resetCause = ports::resetCause();
  input_.begin(settings_, nowUs);
  if (sleep_.woke()) sleep_.wake(input_.energy(), nowUs);
  node_ = &make_(port_, config_);
  booting_ = true;
  const Error error = sleep_.start(*node_, nowUs);
  booting_ = false;
  if (error == Error::none) {
    mode_ = Mode::running;
    nextUs_ = 0;
  } else {
    fail(error == Error::randomStuck ? "the chip's source of randomness is broken: replace the board"
                                     : "the flash does not hold what is written to it: replace the board");
  }
}

void Application::loop() {
  ports::feedWatchdog();
  const uint64_t nowUs = ports::nowUs();
  switch (mode_) {
    case Mode::asked:
      awaitConsole();
      break;
    case Mode::running:
      run();
      break;
    case Mode::failed:
      if (nowUs >= nextUs_) {
        nextUs_ = nowUs + failedSayUs;
        print(this, board::Text<160>().add("error: ").add(failure_).c_str());
      }
      if (nowUs - modeUs_ >= failedRestartUs) ports::restartChip();
      pollConsole();
      break;
    case Mode::unset:
      pollConsole();
      break;
  }
  showIdentity(nowUs);
  if (restarts_) {
    Serial.flush();
    ports::restartChip();
  }
  // The SDK's own work, and on the ESP32 that of tasks with less priority.
  delay(1);
}

void Application::pollConsole() {
  while (Serial.available() > 0) {
    // Somebody is at work: no restart while he types.
    modeUs_ = mode_ == Mode::failed ? ports::nowUs() : modeUs_;
    consoleUntilUs_ = ports::nowUs() + consoleUs;
    console_.push(static_cast<char>(Serial.read()));
  }
}

// The host may be speaking already: of what it says, only the one word counts.
void Application::awaitConsole() {
  while (Serial.available() > 0) {
    const int heard = Serial.read();
    const char character = heard == '\r' ? '\n' : static_cast<char>(heard);
    matched_ = character == consoleWord[matched_] ? matched_ + 1 : character == consoleWord[0] ? 1 : 0;
    if (matched_ < sizeof consoleWord - 1) continue;
    mode_ = Mode::unset;
    print(this, "ok, this is the console: restart ends it");
    console_.printLabel();
    return;
  }
  if (ports::nowUs() - modeUs_ >= askedUs) start();
}

void Application::run() {
  uint64_t nowUs = ports::nowUs();
  input_.tick(nowUs);
  if (awaitsInput(nowUs)) return;
  if (!hasRadio_ && !node_->asleep() && !beginRadio()) return;
  pollRadio(nowUs);
  if (isGateway()) pollHost(nowUs);
  else pollConsole();
  nowUs = ports::nowUs();
  if (sleep_.coreUs(nowUs) >= nextUs_) nextUs_ = node_->tick(sleep_.coreUs(nowUs));
  drainHost();
  if (!node_->asleep()) searchChannel(nowUs);
  else if (nowUs >= consoleUntilUs_) fallAsleep(nowUs);
}

// A row is due, and the meter on the line is being asked.
bool Application::awaitsInput(uint64_t nowUs) {
  Registers registers{};
  return sleep_.woke() && !sleep_.listens() && nowUs < inputUs && !input_.read(nowUs, registers);
}

// The next life begins where this one ends.
void Application::fallAsleep(uint64_t nowUs) {
  // Who has not found the mesh yet looks for it on the next channel.
  const uint8_t channel = node_->session().joined() ? channel_.channel() : channel_.next();
  sleep_.sleep(*node_, input_.energy(), channel, nowUs, nextUs_);
}

void Application::pollRadio(uint64_t nowUs) {
  board::Radio& radio = ports::radio();
  bool ok = false;
  if (radio.takeSent(nowUs, ok)) nextUs_ = node_->sent(ok, sleep_.coreUs(nowUs));
  while (const board::RadioFrame* frame = radio.received()) {
    const uint8_t* to = frame->isBroadcast ? broadcastMac : config_.mac;
    // Who sleeps hears nothing, also while the chip stays awake for the console.
    if (!node_->asleep()) nextUs_ = node_->receive(frame->from, to, frame->bytes, frame->length, frame->rssiDbm, sleep_.coreUs(ports::nowUs()));
    radio.pop();
    ports::feedWatchdog();
  }
}

void Application::pollHost(uint64_t nowUs) {
  uint8_t bytes[hostReadBytes];
  size_t length = 0;
  while (length < sizeof bytes && Serial.available() > 0) bytes[length++] = static_cast<uint8_t>(Serial.read());
  if (length > 0) nextUs_ = node_->hostBytes(bytes, length, sleep_.coreUs(nowUs));
}

void Application::drainHost() {
  size_t length = 0;
  const int room = Serial.availableForWrite();
  if (room <= 0) return;
  const uint8_t* bytes = toHost_.front(static_cast<size_t>(room), length);
  if (length > 0) toHost_.pop(Serial.write(bytes, length));
}

void Application::searchChannel(uint64_t nowUs) {
  const Counters& counters = node_->counters();
  // Frames that verified; where there is no network key yet, the core keeps those that cannot be verified for the choice of a proxy.
  const uint32_t heard = counters.framesReceived - counters.badMac - counters.malformed;
  if (!channel_.update(heard, isGateway() || node_->position().attached, nowUs)) return;
  // A channel that is not allowed here is left after its time, as one where nobody is.
  (void)ports::radio().setChannel(channel_.channel());
}

void Application::showIdentity(uint64_t nowUs) {
  const bool isLit = nowUs < identifyUs_ && nowUs / blinkUs % 2 == 0;
  digitalWrite(WATTMESH_LED_PIN, isLit == (WATTMESH_LED_ON == HIGH) ? HIGH : LOW);
}

void Application::print(void*, const char* line) {
  Serial.print(line);
  Serial.print("\r\n");
}

bool Application::publicKey(void* self, uint8_t key[keyBytes]) {
  const Port& port = of(self).port_;
  // The core has its own view of the records: this one only reads them, once it runs.
  Records records;
  Identity identity{};
  const bool isThere = port.nvBytes > 0 && records.open(port, 0) == Error::none &&
                       loadIdentity(port, records, randomIsStuck(port), identity) == Error::none;
  memcpy(key, identity.publicKey, keyBytes);
  wipe(&identity, sizeof identity);
  return isThere;
}

Error Application::save(void* self, const board::Settings& settings) {
  Application& application = of(self);
  if (application.port_.nvBytes == 0) return Error::nvWrite;
  const Error error = board::SettingsStore(application.port_, application.port_.nvBytes).save(settings);
  application.restarts_ = error == Error::none;
  return error;
}

void Application::restart(void* self) { of(self).restarts_ = true; }

void Application::status(void* self) { of(self).printStatus(); }

void Application::printStatus() {
  if (mode_ == Mode::running) {
    const TreePosition& position = node_->position();
    const Counters& counters = node_->counters();
    print(this, board::Text<96>().add("node ").addHex(node_->session().nodeId(), nodeIdBytes).c_str());
    print(this, board::Text<96>().add("joined ").add(node_->session().joined() ? "yes" : "no").c_str());
    print(this, board::Text<96>().add("parent ").addNumber(position.attached ? position.parentShort : 0).add(", hops ").addNumber(position.hops).c_str());
    print(this, board::Text<96>().add("channel ").addNumber(channel_.channel()).c_str());
    print(this, board::Text<96>().add("frames received ").addNumber(counters.framesReceived).add(", sent ").addNumber(counters.framesSent).c_str());
    print(this, board::Text<96>().add("not verified ").addNumber(counters.badMac).add(", not sent ").addNumber(counters.sendsFailed).c_str());
    print(this, board::Text<96>().add("receive queue overruns ").addNumber(ports::radio().overruns()).c_str());
  }
  print(this, mode_ == Mode::running ? "ok, running" : mode_ == Mode::failed ? "ok, but it cannot run" : "ok, waiting for settings");
}

void Application::trace(void* self, Trace event, const uint8_t* body, size_t length) {
  // When the core opens its log it tells of the last row: a counter of pulses goes on from there.
  if (event != Trace::rowCommitted || !of(self).booting_) return;
  constexpr size_t importAt = 4 + 4 + 4 + 2 + 1 + 2;
  if (length < importAt + 6) return;
  of(self).input_.resume(Reader(body + importAt, 6).u48());
}
