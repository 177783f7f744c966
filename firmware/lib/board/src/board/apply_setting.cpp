// Texts of the console become settings.
#include <cstring>

#include "board/channel_search.hpp"
#include "board/console.hpp"
#include "board/label.hpp"
#include "board/text.hpp"
#include "inputs/pulse_meter.hpp"
#include "wattmesh/packet.hpp"

using namespace wattmesh;

namespace board {

namespace {

constexpr uint8_t networkKeyIdMax = 15;
constexpr uint16_t pulseMsMax = 1000;

struct Choice {
  const char* name;
  uint8_t value;
};

constexpr Choice suites[] = {{"ecc", suiteEcc}, {"rsa", suiteRsa}, {"none", suiteNone}};
constexpr Choice powers[] = {{"mains", static_cast<uint8_t>(EnergyClass::mains)},
                             {"backup", static_cast<uint8_t>(EnergyClass::backup)},
                             {"battery", static_cast<uint8_t>(EnergyClass::battery)}};
constexpr Choice inputKinds[] = {{"none", static_cast<uint8_t>(Input::none)},
                                 {"pulse", static_cast<uint8_t>(Input::pulse)},
                                 {"pzem", static_cast<uint8_t>(Input::pzem)}};

template <size_t Count>
bool choose(const Choice (&choices)[Count], const char* text, uint8_t& out) {
  for (const Choice& choice : choices) {
    if (strcmp(choice.name, text) != 0) continue;
    out = choice.value;
    return true;
  }
  return false;
}

bool inRange(const char* text, uint32_t least, uint32_t most, uint32_t& out) { return parseNumber(text, most, out) && out >= least; }

bool isNetworkId(const char* text) {
  size_t length = 0;
  for (; text[length] != '\0'; length++) {
    const char at = text[length];
    const bool isWord = (at >= 'a' && at <= 'z') || (at >= '0' && at <= '9');
    if (!isWord && (at != '-' || length == 0)) return false;
  }
  return length >= 1 && length <= networkIdBytesMax;
}

const char* setNetwork(Settings& settings, const char* text) {
  if (!isNetworkId(text)) return "a network id has 1 to 32 small letters, digits and hyphens, and begins with a letter or a digit";
  memset(settings.networkId, 0, sizeof settings.networkId);
  memcpy(settings.networkId, text, strlen(text));
  return nullptr;
}

const char* setSuite(Settings& settings, const char* text) {
  return choose(suites, text, settings.suite) ? nullptr : "a suite is ecc, rsa or none";
}

const char* setHeadEnd(Settings& settings, const char* text) {
  uint8_t key[keyBytes];
  if (!parseLabelText(text, key) && !parseHex(text, key, sizeof key)) {
    return "the head-end's key is a text that starts with WM1: and has 65 characters, or 64 hexadecimal digits: copy it whole";
  }
  memcpy(settings.headEndKey, key, sizeof key);
  settings.hasHeadEndKey = true;
  return nullptr;
}

const char* setNetworkKey(Settings& settings, const char* text) {
  static constexpr char wrong[] = "a network key is its id (1..15), a colon and 32 hexadecimal digits, or none";
  if (strcmp(text, "none") == 0) {
    settings.networkKeyId = 0;
    memset(settings.networkKey, 0, sizeof settings.networkKey);
    return nullptr;
  }
  const char* colon = strchr(text, ':');
  char id[3] = {};
  if (colon == nullptr || static_cast<size_t>(colon - text) >= sizeof id) return wrong;
  memcpy(id, text, static_cast<size_t>(colon - text));
  uint32_t number = 0;
  uint8_t key[networkKeyBytes];
  if (!inRange(id, 1, networkKeyIdMax, number) || !parseHex(colon + 1, key, sizeof key)) return wrong;
  settings.networkKeyId = static_cast<uint8_t>(number);
  memcpy(settings.networkKey, key, sizeof key);
  return nullptr;
}

const char* setPsk(Settings& settings, const char* text) {
  uint8_t psk[keyBytes];
  if (!parseHex(text, psk, sizeof psk)) return "a psk has 64 hexadecimal digits";
  memcpy(settings.psk, psk, sizeof psk);
  settings.hasPsk = true;
  return nullptr;
}

const char* setModulus(Settings& settings, const char* text) {
  uint8_t modulus[rsaBytes];
  if (!parseHex(text, modulus, sizeof modulus)) return "the modulus of a 2048-bit RSA key has 512 hexadecimal digits";
  memcpy(settings.modulus, modulus, sizeof modulus);
  settings.hasModulus = true;
  return nullptr;
}

const char* setPower(Settings& settings, const char* text) {
  uint8_t power = 0;
  if (!choose(powers, text, power)) return "power is mains, backup or battery";
  settings.power = static_cast<EnergyClass>(power);
  return nullptr;
}

const char* setChannel(Settings& settings, const char* text) {
  uint32_t channel = channelSearched;
  if (strcmp(text, "search") != 0 && !inRange(text, channelMin, channelMax, channel)) return "a channel is 1..13, or search";
  settings.channel = static_cast<uint8_t>(channel);
  return nullptr;
}

const char* setHub(Settings& settings, const char* text) {
  uint32_t hub = 0;
  if (!inRange(text, 1, UINT16_MAX, hub)) return "a hub's number is 1..65535";
  settings.localHubId = static_cast<uint16_t>(hub);
  return nullptr;
}

const char* setInterval(Settings& settings, const char* text) {
  uint32_t seconds = 0;
  if (!inRange(text, 1, UINT16_MAX, seconds)) return "an interval is 1..65535 seconds";
  settings.intervalS = static_cast<uint16_t>(seconds);
  return nullptr;
}

const char* setPollCycle(Settings& settings, const char* text) {
  uint32_t seconds = 0;
  if (!inRange(text, 1, UINT16_MAX, seconds)) return "a poll cycle is 1..65535 seconds";
  settings.pollCycleS = static_cast<uint16_t>(seconds);
  return nullptr;
}

const char* setBaud(Settings& settings, const char* text) {
  uint32_t baud = 0;
  if (!parseNumber(text, 921600, baud) || (baud != 115200 && baud != 921600)) return "the baud rate is 115200 or 921600, as in the network node";
  settings.baud = baud;
  return nullptr;
}

const char* setInput(Settings& settings, const char* text) {
  uint8_t input = 0;
  if (!choose(inputKinds, text, input)) return "an input is pulse, pzem or none";
  settings.input = static_cast<Input>(input);
  return nullptr;
}

const char* setPulsesPerKwh(Settings& settings, const char* text) {
  uint32_t pulses = 0;
  if (!inRange(text, 1, inputs::pulsesPerKwhMax, pulses)) return "pulses per kWh are 1..100000, as printed on the meter";
  settings.pulsesPerKwh = pulses;
  return nullptr;
}

const char* setPulseMs(Settings& settings, const char* text) {
  uint32_t ms = 0;
  if (!inRange(text, 0, pulseMsMax, ms)) return "the shortest pulse is 0..1000 ms: 10 for S0, 1 for a LED";
  settings.pulseMs = static_cast<uint16_t>(ms);
  return nullptr;
}

const char* setPzemAddress(Settings& settings, const char* text) {
  uint32_t address = inputs::pzemAnyAddress;
  if (strcmp(text, "any") != 0 && !inRange(text, inputs::pzemAddressMin, inputs::pzemAddressMax, address)) {
    return "a PZEM's address is 1..247, or any when it is alone on its line";
  }
  settings.pzemAddress = static_cast<uint8_t>(address);
  return nullptr;
}

struct Setter {
  const char* name;
  const char* (*apply)(Settings& settings, const char* text);
};

constexpr Setter setters[] = {
    {"network", setNetwork},       {"suite", setSuite},           {"head-end", setHeadEnd},
    {"network-key", setNetworkKey}, {"psk", setPsk},              {"modulus", setModulus},
    {"power", setPower},           {"channel", setChannel},       {"hub", setHub},
    {"interval", setInterval},     {"poll-cycle", setPollCycle},  {"baud", setBaud},
    {"input", setInput},           {"pulses-per-kwh", setPulsesPerKwh}, {"pulse-ms", setPulseMs},
    {"pzem-address", setPzemAddress},
};

}  // namespace

const char* applySetting(Settings& settings, const char* name, const char* value) {
  for (const Setter& setter : setters) {
    if (strcmp(setter.name, name) == 0) return setter.apply(settings, value);
  }
  return "there is no such setting: help lists them";
}

}  // namespace board
