#include "wattmesh/records.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/flash.hpp"
#include "wattmesh/limits.hpp"

namespace wattmesh {

namespace {

constexpr uint32_t magic = 0x31724d57;  // "WMr1"
constexpr size_t headerBytes = 8;
constexpr size_t headerRoom = 16;
constexpr size_t slotHeadBytes = 4;
constexpr size_t slotBytes = slotHeadBytes + recordBytesMax + 4;
constexpr size_t slotsPerSector = (sectorBytes - headerRoom) / slotBytes;
static_assert(slotsPerSector > recordKeyMax, "a full copy of the values must leave room");

uint32_t headerCrc(uint32_t sequence) {
  uint8_t bytes[8];
  Writer writer(bytes, sizeof bytes);
  writer.u32(magic);
  writer.u32(sequence);
  return crc32(bytes, sizeof bytes);
}

Error readHeader(const Port& port, uint32_t address, uint32_t& sequence, bool& isValid) {
  uint8_t bytes[headerBytes];
  if (!port.nvRead(port.context, address, bytes, sizeof bytes)) return Error::nvRead;
  Reader reader(bytes, sizeof bytes);
  sequence = reader.u32();
  isValid = reader.u32() == headerCrc(sequence);
  return Error::none;
}

}  // namespace

uint32_t Records::sectorAddress(uint8_t sector) const { return address_ + sector * static_cast<uint32_t>(sectorBytes); }

Error Records::open(const Port& port, uint32_t address) {
  *this = Records();
  port_ = &port;
  address_ = address;
  bool found = false;
  for (uint8_t sector = 0; sector < recordSectors; sector++) {
    uint32_t sequence = 0;
    bool isValid = false;
    const Error error = readHeader(port, sectorAddress(sector), sequence, isValid);
    if (error != Error::none) return error;
    if (!isValid || (found && sequence < sequence_)) continue;
    found = true;
    sector_ = sector;
    sequence_ = sequence;
  }
  return found ? load() : startSector(0, 1);
}

Error Records::load() {
  for (uint16_t slot = 0; slot < slotsPerSector; slot++) {
    uint8_t bytes[slotBytes];
    if (!port_->nvRead(port_->context, slotAddress(sector_, slot), bytes, sizeof bytes)) return Error::nvRead;
    if (allBytes(bytes, sizeof bytes, 0xff)) continue;
    nextSlot_ = static_cast<uint16_t>(slot + 1);
    Reader reader(bytes, sizeof bytes);
    const uint8_t key = reader.u8();
    const uint8_t length = reader.u8();
    reader.u16();
    const uint8_t* data = reader.view(recordBytesMax);
    const bool isTorn = reader.u32() != crc32(bytes, slotBytes - 4);
    if (isTorn || key == 0 || key > recordKeyMax || length == 0 || length > recordBytesMax) continue;
    values_[key - 1].length = length;
    memcpy(values_[key - 1].data, data, recordBytesMax);
  }
  return Error::none;
}

bool Records::read(RecordKey key, uint8_t* out, size_t length) const {
  const Value& value = values_[static_cast<uint8_t>(key) - 1];
  if (length == 0 || value.length != length) return false;
  memcpy(out, value.data, length);
  return true;
}

Error Records::write(RecordKey key, const uint8_t* data, size_t length) {
  if (length == 0 || length > recordBytesMax) return Error::badField;
  const uint8_t index = static_cast<uint8_t>(static_cast<uint8_t>(key) - 1);
  Value& value = values_[index];
  const bool isUnchanged = value.length == length && memcmp(value.data, data, length) == 0;
  if (isUnchanged) return Error::none;
  const Value old = value;
  value = Value();
  value.length = static_cast<uint8_t>(length);
  memcpy(value.data, data, length);
  Error error = Error::none;
  if (nextSlot_ < slotsPerSector) {
    error = writeSlot(sector_, nextSlot_++, index);
  } else {
    error = startSector(static_cast<uint8_t>(1 - sector_), sequence_ + 1);
  }
  if (error != Error::none) value = old;
  return error;
}

// Makes `sector` the one in use, with all values. Its header comes last: a power cut before leaves the other sector in force.
Error Records::startSector(uint8_t sector, uint32_t sequence) {
  if (!port_->nvErase(port_->context, sectorAddress(sector))) return Error::nvWrite;
  uint16_t slot = 0;
  for (uint8_t index = 0; index < recordKeyMax; index++) {
    if (values_[index].length == 0) continue;
    const Error error = writeSlot(sector, slot++, index);
    if (error != Error::none) return error;
  }
  uint8_t header[headerBytes];
  Writer writer(header, sizeof header);
  writer.u32(sequence);
  writer.u32(headerCrc(sequence));
  const Error error = writeVerified(*port_, sectorAddress(sector), header);
  if (error != Error::none) return error;
  sector_ = sector;
  sequence_ = sequence;
  nextSlot_ = slot;
  return Error::none;
}

Error Records::writeSlot(uint8_t sector, uint16_t slot, uint8_t index) {
  uint8_t bytes[slotBytes];
  Writer writer(bytes, sizeof bytes);
  writer.u8(static_cast<uint8_t>(index + 1));
  writer.u8(values_[index].length);
  writer.u16(0);
  writer.bytes(values_[index].data, recordBytesMax);
  writer.u32(crc32(bytes, slotBytes - 4));
  return writeVerified(*port_, slotAddress(sector, slot), bytes);
}

uint32_t Records::slotAddress(uint8_t sector, uint16_t slot) const {
  return sectorAddress(sector) + static_cast<uint32_t>(headerRoom + slot * slotBytes);
}

}  // namespace wattmesh
