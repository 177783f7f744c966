// Small values in non-volatile memory that survive power cuts: an append-only journal in two sectors used in turn.
//
// Sector: header (sequence u32, CRC u32 over magic and sequence, 8 bytes left erased), then 102 slots of 40 bytes (key u8, length
// u8, 2 reserved bytes, 32 data bytes, CRC u32). The last valid slot of a key is its value; a torn slot is as if never written.
// When a sector is full the values are copied to the other one, whose header is written last: until it verifies, the old sector
// counts.
//
// What damage has taken from the sector that counts is looked for in the other one, which holds the values of before. Of values that
// only rise the highest counts, wherever it stands: none of them must be used a second time.
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/errors.hpp"
#include "wattmesh/port.hpp"

namespace wattmesh {

constexpr size_t recordBytesMax = 32;
constexpr size_t recordBytesInAll = 256;  // the records below have some 200
constexpr size_t recordSectors = 2;

enum class RecordKey : uint8_t {
  identity = 1,      // X25519 private key, 32 B
  headEndKey = 2,    // head-end's public key, 32 B
  preSharedKey = 3,  // of suite RSA, 32 B
  network = 4,       // network number and what else the device was configured with
  networkKey = 5,    // key id and K_net in use
  nextNetworkKey = 6,
  handshake = 7,    // last handshake number drawn, u32
  linkCounter = 8,  // end of the reserved block, u32
  bootCount = 9,    // u16
  shortId = 10,     // last known, u16
  ownerEpoch = 11,  // highest seen, u32
  settings = 12,    // interval and poll cycle, as commanded and as configured
  relay = 13,       // the last COMMIT and what became of it
  logId = 14,       // of the log, should all its headers be damaged; 4 B
  promises = 15,    // what routes were announced at most
};
constexpr uint8_t recordKeyMax = 15;

class Records {
 public:
  // Reads the journal at `address` (recordSectors sectors); formats it when neither sector is valid, with what their slots hold.
  [[nodiscard, gnu::externally_visible]] Error open(const Port& port, uint32_t address);
  // True when there is a value of exactly this length.
  bool read(RecordKey key, uint8_t* out, size_t length) const;
  // Durable when it returns Error::none. `length` is 1..recordBytesMax.
  [[nodiscard]] Error write(RecordKey key, const uint8_t* data, size_t length);

 private:
  // As a slot holds it.
  struct Value {
    uint8_t length = 0;  // 0: never written
    uint8_t data[recordBytesMax] = {};
  };

  uint32_t sectorAddress(uint8_t sector) const;
  uint32_t slotAddress(uint8_t sector, uint16_t slot) const;
  [[nodiscard]] Error readSlot(uint8_t sector, uint16_t slot, bool& isBlank, uint8_t& index, Value& value) const;
  [[nodiscard]] Error load();
  [[nodiscard]] Error recover(bool isWhole);
  bool isOlder(uint8_t index, const Value& value) const;
  const uint8_t* at(uint8_t index) const;
  bool set(uint8_t index, const Value& value);
  [[nodiscard]] Error startSector(uint8_t sector, uint32_t sequence);
  [[nodiscard]] Error writeSlot(uint8_t sector, uint16_t slot, uint8_t index);

  const Port* port_ = nullptr;
  uint32_t address_ = 0;
  uint32_t sequence_ = 0;
  uint8_t sector_ = 0;
  uint16_t nextSlot_ = 0;
  // One behind the other, in the order of their keys.
  uint8_t lengths_[recordKeyMax] = {};  // 0: never written
  uint8_t bytes_[recordBytesInAll] = {};
};

}  // namespace wattmesh
