#include "board/settings.hpp"

#include <cstring>

#include "board/channel_search.hpp"
#include "wattmesh/bytes.hpp"
#include "wattmesh/packet.hpp"

using namespace wattmesh;

namespace board {

namespace {

constexpr uint32_t magic = 0x53424d57;  // "WMBS"
constexpr uint8_t formatVersion = 1;
constexpr size_t headerBytes = 9;
constexpr size_t crcBytes = 4;
constexpr size_t crcAt = SettingsStore::storedBytes - crcBytes;
constexpr uint16_t capabilityRoutes = 1;
constexpr uint16_t capabilityBattery = 4;

void writeSettings(Writer& writer, const Settings& settings) {
  writer.bytes(reinterpret_cast<const uint8_t*>(settings.networkId), sizeof settings.networkId);
  writer.u8(settings.suite);
  writer.u8(settings.hasHeadEndKey ? 1 : 0);
  writer.bytes(settings.headEndKey, sizeof settings.headEndKey);
  writer.u8(settings.networkKeyId);
  writer.bytes(settings.networkKey, sizeof settings.networkKey);
  writer.u8(settings.hasPsk ? 1 : 0);
  writer.bytes(settings.psk, sizeof settings.psk);
  writer.u8(settings.hasModulus ? 1 : 0);
  writer.bytes(settings.modulus, sizeof settings.modulus);
  writer.u8(static_cast<uint8_t>(settings.power));
  writer.u8(settings.channel);
  writer.u16(settings.localHubId);
  writer.u16(settings.intervalS);
  writer.u16(settings.pollCycleS);
  writer.u32(settings.baud);
  writer.u8(static_cast<uint8_t>(settings.input));
  writer.u32(settings.pulsesPerKwh);
  writer.u16(settings.pulseMs);
  writer.u8(settings.pzemAddress);
}

bool readSettings(Reader& reader, Settings& settings) {
  reader.copy(reinterpret_cast<uint8_t*>(settings.networkId), sizeof settings.networkId);
  settings.suite = reader.u8();
  settings.hasHeadEndKey = reader.u8() != 0;
  reader.copy(settings.headEndKey, sizeof settings.headEndKey);
  settings.networkKeyId = reader.u8();
  reader.copy(settings.networkKey, sizeof settings.networkKey);
  settings.hasPsk = reader.u8() != 0;
  reader.copy(settings.psk, sizeof settings.psk);
  settings.hasModulus = reader.u8() != 0;
  reader.copy(settings.modulus, sizeof settings.modulus);
  settings.power = static_cast<EnergyClass>(reader.u8());
  settings.channel = reader.u8();
  settings.localHubId = reader.u16();
  settings.intervalS = reader.u16();
  settings.pollCycleS = reader.u16();
  settings.baud = reader.u32();
  settings.input = static_cast<Input>(reader.u8());
  settings.pulsesPerKwh = reader.u32();
  settings.pulseMs = reader.u16();
  settings.pzemAddress = reader.u8();
  return reader.ok() && settings.networkId[networkIdBytesMax] == '\0';
}

}  // namespace

const char* whatIsMissing(const Settings& settings, Role role, bool hasRsa) {
  if (settings.networkId[0] == '\0') return "no network: set network <id>, as the network node in Node-RED has it";
  if (settings.suite != suiteNone && !settings.hasHeadEndKey) {
    return "no key of the head-end: set head-end <WM1:... or 64 hexadecimal digits>, from the Security tab of the network node";
  }
  if (settings.suite == suiteNone && settings.networkKeyId == 0) {
    return "without encryption the network key must be given: set network-key 1:<32 hexadecimal digits>, from the Security tab of the network node";
  }
  if (settings.suite == suiteRsa) {
    if (!hasRsa) return "this board has no RSA: set suite ecc";
    if (!settings.hasPsk) return "suite rsa needs this device's own secret: set psk <64 hexadecimal digits>";
    if (!settings.hasModulus) return "suite rsa needs the head-end's RSA key: set modulus <512 hexadecimal digits>";
  }
  if (role == Role::gateway && settings.channel == channelSearched) {
    return "a gateway decides on the Wi-Fi channel: set channel <1..13>";
  }
  if (role != Role::meter && settings.power == EnergyClass::battery) return "hubs and gateways are always on: set power mains or set power backup";
  if (role == Role::meter && settings.input == Input::none) return "nothing to measure with: set input pulse or set input pzem";
  if (role == Role::meter && settings.power == EnergyClass::battery && settings.input == Input::pulse) {
    return "nobody counts pulses while a board sleeps: set input pzem, whose meter counts by itself, or set power mains";
  }
  return nullptr;
}

void configure(const Settings& settings, Role role, const Port& port, Config& config) {
  config = Config{};
  config.role = role;
  config.energy = settings.power;
  config.networkNumber = networkNumberOf(port, reinterpret_cast<const uint8_t*>(settings.networkId), strlen(settings.networkId));
  config.keyId = settings.networkKeyId;
  memcpy(config.networkKey, settings.networkKey, sizeof config.networkKey);
  config.suite = settings.suite;
  memcpy(config.headEndKey, settings.headEndKey, sizeof config.headEndKey);
  memcpy(config.psk, settings.psk, sizeof config.psk);
  config.rsaModulus = settings.hasModulus ? settings.modulus : nullptr;
  config.localHubId = settings.localHubId;
  config.intervalS = settings.intervalS;
  config.pollCycleS = settings.pollCycleS;
  config.capabilities = settings.power == EnergyClass::battery ? capabilityBattery : capabilityRoutes;
  config.serialHost = true;
}

// A sector: magic u32, format u8, sequence u32, the settings, 0xff up to the CRC-32 of all that.
bool SettingsStore::read(size_t sector, uint8_t bytes[storedBytes], uint32_t& sequence) {
  if (!port_.nvRead(port_.context, address_ + static_cast<uint32_t>(sector * sectorBytes), bytes, storedBytes)) return false;
  Reader reader(bytes, storedBytes);
  if (reader.u32() != magic || reader.u8() != formatVersion) return false;
  sequence = reader.u32();
  return Reader(bytes + crcAt, crcBytes).u32() == crc32(bytes, crcAt);
}

bool SettingsStore::load(Settings& settings) {
  uint32_t newest = 0;
  bool found = false;
  for (size_t sector = 0; sector < sectors; sector++) {
    uint8_t bytes[storedBytes];
    uint32_t sequence = 0;
    if (!read(sector, bytes, sequence) || (found && sequence <= newest)) continue;
    Reader reader(bytes + headerBytes, crcAt - headerBytes);
    found = readSettings(reader, settings);
    newest = sequence;
    wipe(bytes, sizeof bytes);
  }
  return found;
}

Error SettingsStore::save(const Settings& settings) {
  uint8_t bytes[storedBytes];
  size_t sector = 0;
  uint32_t sequence = 0;
  for (size_t other = 0; other < sectors; other++) {
    uint32_t held = 0;
    if (!read(other, bytes, held) || held < sequence) continue;
    sequence = held + 1;
    sector = (other + 1) % sectors;
  }
  memset(bytes, 0xff, sizeof bytes);
  Writer writer(bytes, crcAt);
  writer.u32(magic);
  writer.u8(formatVersion);
  writer.u32(sequence);
  writeSettings(writer, settings);
  Writer(bytes + crcAt, crcBytes).u32(crc32(bytes, crcAt));
  const uint32_t at = address_ + static_cast<uint32_t>(sector * sectorBytes);
  Error error = Error::none;
  if (!port_.nvErase(port_.context, at) || !port_.nvWrite(port_.context, at, bytes, sizeof bytes)) error = Error::nvWrite;
  // Worn flash takes a write without complaint and holds something else.
  uint32_t held = 0;
  if (error == Error::none && (!read(sector, bytes, held) || held != sequence)) error = Error::nvWrite;
  wipe(bytes, sizeof bytes);
  return error;
}

}  // namespace board
