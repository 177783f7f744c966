#include "board/console.hpp"

#include <cstring>

#include "board/label.hpp"
#include "board/text.hpp"
#include "wattmesh/packet.hpp"

using namespace wattmesh;

namespace board {

namespace {

using Line = Text<256>;

const char* suiteName(uint8_t suite) { return suite == suiteEcc ? "ecc" : suite == suiteRsa ? "rsa" : "none"; }
const char* powerName(EnergyClass power) {
  return power == EnergyClass::mains ? "mains" : power == EnergyClass::backup ? "backup" : "battery";
}
const char* inputName(Input input) { return input == Input::pulse ? "pulse" : input == Input::pzem ? "pzem" : "none"; }
const char* roleName(Role role) { return role == Role::meter ? "meter" : role == Role::hub ? "hub" : "gateway"; }

// Cuts the first word off; returns what follows it.
char* splitWord(char* words) {
  char* rest = words;
  while (*rest != '\0' && *rest != ' ') rest++;
  while (*rest == ' ') *rest++ = '\0';
  return rest;
}

}  // namespace

void Console::push(char character) {
  if (character != '\r' && character != '\n') {
    // What is not text is noise of the line, or a host that talks to a gateway.
    const bool isText = character >= ' ' && character <= '~';
    if (length_ >= lineBytesMax || !isText) tooLong_ = true;
    else line_[length_++] = character;
    return;
  }
  line_[length_] = '\0';
  const bool ignored = length_ == 0;
  length_ = 0;
  if (tooLong_) print("error: this was no line of text of at most 544 characters");
  else if (!ignored) execute(line_);
  tooLong_ = false;
  wipe(line_, sizeof line_);
}

void Console::execute(char* line) {
  char* words = line;
  while (*words == ' ') words++;
  char* rest = splitWord(words);
  size_t end = strlen(rest);
  while (end > 0 && rest[end - 1] == ' ') rest[--end] = '\0';
  if (strcmp(words, "help") == 0) {
    help();
  } else if (strcmp(words, "label") == 0) {
    printLabel();
  } else if (strcmp(words, "show") == 0) {
    show();
  } else if (strcmp(words, "set") == 0) {
    set(rest);
  } else if (strcmp(words, "save") == 0) {
    save();
  } else if (strcmp(words, "status") == 0) {
    console_.status(console_.context);
  } else if (strcmp(words, "restart") == 0) {
    print("ok, restarting");
    console_.restart(console_.context);
  } else {
    print("error: there is no such command: help lists them");
  }
}

void Console::set(char* words) {
  char* value = splitWord(words);
  if (*words == '\0' || *value == '\0') {
    print("error: set needs a name and a value, as in: set network home");
    return;
  }
  const char* wrong = applySetting(settings_, words, value);
  if (wrong == nullptr) print("ok, not saved yet");
  else print(Line().add("error: ").add(wrong).c_str());
}

void Console::save() {
  const char* what = missing();
  if (what != nullptr) {
    print(Line().add("error: ").add(what).c_str());
    return;
  }
  const Error error = console_.save(console_.context, settings_);
  if (error == Error::none) print("ok, saved, restarting");
  else print("error: the flash does not take it: try again, and replace the board if that does not help");
}

void Console::printLabel() {
  uint8_t key[keyBytes];
  if (!console_.publicKey(console_.context, key)) {
    print("error: the flash does not hold this device's key: replace the board");
    return;
  }
  char text[labelTextBytes];
  char digits[labelDigitsBytes];
  labelText(key, text);
  labelDigits(port_, key, digits);
  print(Line().add("label ").add(text).c_str());
  print(Line().add("digits ").add(digits).c_str());
  print("ok");
}

// Secrets are never shown, only that they are there.
void Console::show() {
  print(Line().add("role ").add(roleName(role_)).c_str());
  print(Line().add("network ").add(settings_.networkId).c_str());
  print(Line().add("suite ").add(suiteName(settings_.suite)).c_str());
  char text[labelTextBytes] = "not set";
  if (settings_.hasHeadEndKey) labelText(settings_.headEndKey, text);
  print(Line().add("head-end ").add(text).c_str());
  Line networkKey;
  networkKey.add("network-key ");
  if (settings_.networkKeyId == 0) networkKey.add("none");
  else networkKey.addNumber(settings_.networkKeyId).add(", set");
  print(networkKey.c_str());
  print(Line().add("psk ").add(settings_.hasPsk ? "set" : "not set").c_str());
  print(Line().add("modulus ").add(settings_.hasModulus ? "set" : "not set").c_str());
  print(Line().add("power ").add(powerName(settings_.power)).c_str());
  Line channel;
  channel.add("channel ");
  if (settings_.channel == 0) channel.add("search");
  else channel.addNumber(settings_.channel);
  print(channel.c_str());
  print(Line().add("hub ").addNumber(settings_.localHubId).c_str());
  print(Line().add("interval ").addNumber(settings_.intervalS).c_str());
  print(Line().add("poll-cycle ").addNumber(settings_.pollCycleS).c_str());
  print(Line().add("baud ").addNumber(settings_.baud).c_str());
  print(Line().add("input ").add(inputName(settings_.input)).c_str());
  print(Line().add("pulses-per-kwh ").addNumber(settings_.pulsesPerKwh).c_str());
  print(Line().add("pulse-ms ").addNumber(settings_.pulseMs).c_str());
  Line address;
  address.add("pzem-address ");
  if (settings_.pzemAddress == inputs::pzemAnyAddress) address.add("any");
  else address.addNumber(settings_.pzemAddress);
  print(address.c_str());
  const char* what = missing();
  if (what == nullptr) print("ok, complete");
  else print(Line().add("ok, but ").add(what).c_str());
}

void Console::help() {
  constexpr const char* lines[] = {
      "label                    this device's key, for the network node in Node-RED",
      "show                     the settings, with changes that are not saved",
      "set <name> <value>       changes a setting",
      "save                     keeps the changes and restarts",
      "status                   how the device is doing",
      "restart                  restarts; changes that are not saved are lost",
      "settings: network, head-end, suite, network-key, psk, modulus, channel, power, hub, interval, poll-cycle, baud,",
      "          input, pulses-per-kwh, pulse-ms, pzem-address",
      "ok",
  };
  for (const char* line : lines) print(line);
}

}  // namespace board
