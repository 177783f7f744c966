#include "wattmesh/records.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/flash.hpp"
#include "wattmesh/limits.hpp"

namespace wattmesh {

namespace {

constexpr uint32_t journalMagic = 0x31724d57;  // "WMr1"
constexpr size_t headerBytes = 8;
constexpr size_t headerRoom = 16;
constexpr size_t slotHeadBytes = 4;
constexpr size_t slotBytes = slotHeadBytes + recordBytesMax + 4;
constexpr size_t recordsPerSector = (sectorBytes - headerRoom) / slotBytes;
static_assert(recordsPerSector > recordKeyMax, "a full copy of the values must leave room");

uint32_t headerCrc(uint32_t sequence) {
  uint8_t bytes[8];
  Writer writer(bytes, sizeof bytes);
  writer.u32(journalMagic);
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

// Values that are only ever replaced by higher ones. The boot count comes round: serial number arithmetic (RFC 1982) says which is higher.
bool rises(RecordKey key) {
  return key == RecordKey::handshake || key == RecordKey::linkCounter || key == RecordKey::bootCount;
}

bool isHigher(RecordKey key, const uint8_t* a, const uint8_t* b, size_t length) {
  Reader first(a, length);
  Reader second(b, length);
  if (key != RecordKey::bootCount) return first.u32() > second.u32();
  const uint16_t ahead = static_cast<uint16_t>(first.u16() - second.u16());
  return ahead != 0 && ahead < 0x8000;
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
  const Error error = load();
  return error == Error::none ? recover(found) : error;
}

Error Records::readSlot(uint8_t sector, uint16_t slot, bool& isBlank, uint8_t& index, Value& value) const {
  uint8_t bytes[slotBytes];
  if (!port_->nvRead(port_->context, slotAddress(sector, slot), bytes, sizeof bytes)) return Error::nvRead;
  isBlank = allBytes(bytes, sizeof bytes, 0xff);
  Reader reader(bytes, sizeof bytes);
  const uint8_t key = reader.u8();
  value.length = reader.u8();
  reader.u16();
  memcpy(value.data, reader.view(recordBytesMax), recordBytesMax);
  const bool isTorn = reader.u32() != crc32(bytes, slotBytes - 4);
  if (isTorn || key == 0 || key > recordKeyMax || value.length > recordBytesMax) value.length = 0;
  index = static_cast<uint8_t>(key - 1);
  return Error::none;
}

// True when a value is not to replace the one that is known.
bool Records::isOlder(uint8_t index, const Value& value) const {
  const RecordKey key = static_cast<RecordKey>(index + 1);
  return rises(key) && lengths_[index] == value.length && !isHigher(key, value.data, at(index), value.length);
}

const uint8_t* Records::at(uint8_t index) const {
  const uint8_t* bytes = bytes_;
  for (uint8_t i = 0; i < index; i++) bytes += lengths_[i];
  return bytes;
}

// False: there is no room.
bool Records::set(uint8_t index, const Value& value) {
  const size_t from = static_cast<size_t>(at(index) - bytes_);
  const size_t behind = static_cast<size_t>(at(recordKeyMax) - bytes_) - from - lengths_[index];
  if (from + value.length + behind > sizeof bytes_) return false;
  memmove(bytes_ + from + value.length, bytes_ + from + lengths_[index], behind);
  memcpy(bytes_ + from, value.data, value.length);
  lengths_[index] = value.length;
  return true;
}

Error Records::load() {
  for (uint16_t slot = 0; slot < recordsPerSector; slot++) {
    bool isBlank = false;
    uint8_t index = 0;
    Value value;
    const Error error = readSlot(sector_, slot, isBlank, index, value);
    if (error != Error::none) return error;
    if (!isBlank) nextSlot_ = static_cast<uint16_t>(slot + 1);
    if (value.length > 0 && !isOlder(index, value) && !set(index, value)) return Error::nvCorrupt;
  }
  return Error::none;
}

// Takes over what only the other sector holds, and higher values of what only rises, and makes all that durable. A sector that is not
// whole cannot go on: its header does not verify.
Error Records::recover(bool isWhole) {
  const uint8_t other = static_cast<uint8_t>(1 - sector_);
  uint32_t known = 0;
  uint32_t recovered = 0;
  for (uint8_t index = 0; index < recordKeyMax; index++) known |= (lengths_[index] > 0 ? 1u : 0u) << index;
  for (uint16_t slot = 0; slot < recordsPerSector; slot++) {
    bool isBlank = false;
    uint8_t index = 0;
    Value value;
    const Error error = readSlot(other, slot, isBlank, index, value);
    if (error != Error::none) return error;
    if (value.length == 0 || isOlder(index, value)) continue;
    const uint32_t bit = uint32_t{1} << index;
    if ((known & bit) != 0 && !rises(static_cast<RecordKey>(index + 1))) continue;
    if (!set(index, value)) return Error::nvCorrupt;
    recovered |= bit;
  }
  // An empty journal begins with the first sector.
  if (!isWhole) return startSector(known == 0 ? sector_ : other, sequence_ + 1);
  for (uint8_t index = 0; index < recordKeyMax; index++) {
    if ((recovered >> index & 1) == 0) continue;
    if (nextSlot_ == recordsPerSector) return startSector(other, sequence_ + 1);
    const Error error = writeSlot(sector_, nextSlot_++, index);
    if (error != Error::none) return error;
  }
  return Error::none;
}

bool Records::read(RecordKey key, uint8_t* out, size_t length) const {
  const uint8_t index = static_cast<uint8_t>(static_cast<uint8_t>(key) - 1);
  if (length == 0 || lengths_[index] != length) return false;
  memcpy(out, at(index), length);
  return true;
}

Error Records::write(RecordKey key, const uint8_t* data, size_t length) {
  if (length == 0 || length > recordBytesMax) return Error::badField;
  const uint8_t index = static_cast<uint8_t>(static_cast<uint8_t>(key) - 1);
  const bool isUnchanged = lengths_[index] == length && memcmp(at(index), data, length) == 0;
  if (isUnchanged) return Error::none;
  Value old;
  old.length = lengths_[index];
  memcpy(old.data, at(index), old.length);
  Value value;
  value.length = static_cast<uint8_t>(length);
  memcpy(value.data, data, length);
  if (!set(index, value)) return Error::badField;
  Error error = Error::none;
  if (nextSlot_ < recordsPerSector) {
    error = writeSlot(sector_, nextSlot_++, index);
  } else {
    error = startSector(static_cast<uint8_t>(1 - sector_), sequence_ + 1);
  }
  if (error != Error::none) (void)set(index, old);
  return error;
}

// Makes `sector` the one in use, with all values. Its header comes last: a power cut before leaves the other sector in force.
Error Records::startSector(uint8_t sector, uint32_t sequence) {
  if (!port_->nvErase(port_->context, sectorAddress(sector))) return Error::nvWrite;
  uint16_t slot = 0;
  for (uint8_t index = 0; index < recordKeyMax; index++) {
    if (lengths_[index] == 0) continue;
    const Error error = writeSlot(sector, slot++, index);
    if (error != Error::none) return error;
  }
  uint8_t header[headerBytes];
  Writer writer(header, sizeof header);
  writer.u32(sequence);
  writer.u32(headerCrc(sequence));
  const Error error = writeVerified(*port_, sectorAddress(sector), header, sizeof header);
  if (error != Error::none) return error;
  sector_ = sector;
  sequence_ = sequence;
  nextSlot_ = slot;
  return Error::none;
}

Error Records::writeSlot(uint8_t sector, uint16_t slot, uint8_t index) {
  uint8_t bytes[slotBytes] = {};
  Writer writer(bytes, sizeof bytes);
  writer.u8(static_cast<uint8_t>(index + 1));
  writer.u8(lengths_[index]);
  writer.u16(0);
  writer.bytes(at(index), lengths_[index]);
  writer = Writer(bytes + slotBytes - 4, 4);
  writer.u32(crc32(bytes, slotBytes - 4));
  return writeVerified(*port_, slotAddress(sector, slot), bytes, sizeof bytes);
}

uint32_t Records::slotAddress(uint8_t sector, uint16_t slot) const {
  return sectorAddress(sector) + static_cast<uint32_t>(headerRoom + slot * slotBytes);
}

}  // namespace wattmesh
