#include "device.hpp"

#include <cstring>

#include "sha256.hpp"
#include "wattmesh/bytes.hpp"

using namespace wattmesh;

Device::Device(uint32_t sectors, uint64_t seed) : flash_(sectors * sectorBytes, 0xff), erasures_(sectors), random_(seed) {}

Port Device::port() {
  Port port{};
  port.context = this;
  port.nvBytes = static_cast<uint32_t>(flash_.size());
  port.nvRead = [](void* self, uint32_t address, uint8_t* out, size_t length) {
    return static_cast<Device*>(self)->read(address, out, length);
  };
  port.nvWrite = [](void* self, uint32_t address, const uint8_t* data, size_t length) {
    return static_cast<Device*>(self)->write(address, data, length);
  };
  port.nvErase = [](void* self, uint32_t address) { return static_cast<Device*>(self)->erase(address); };
  port.random = [](void* self, uint8_t* out, size_t length) {
    for (size_t i = 0; i < length; i++) out[i] = static_cast<uint8_t>(static_cast<Device*>(self)->random_.next());
  };
  port.sha256 = [](void*, const uint8_t* data, size_t length, uint8_t out[32]) { sha256(data, length, out); };
  port.trace = [](void* self, Trace event, const uint8_t* body, size_t length) {
    static_cast<Device*>(self)->trace(event, body, length);
  };
  return port;
}

void Device::cutPower(uint64_t operation, Cut cut) {
  cutAt_ = operations_ + operation;
  cut_ = cut;
}

void Device::restore() {
  dead_ = false;
  cutAt_ = UINT64_MAX;
}

bool Device::read(uint32_t address, uint8_t* out, size_t length) {
  reads_++;
  if (dead_) return false;
  if (address + length > flash_.size()) {
    broke_ = true;
    return false;
  }
  memcpy(out, flash_.data() + address, length);
  return true;
}

// Counts an operation; true when power fails during it.
bool Device::isCut() {
  if (operations_++ == cutAt_) dead_ = true;
  return dead_;
}

bool Device::reaches(Cut cut, size_t index, size_t length) {
  switch (cut) {
    case Cut::none:
      return false;
    case Cut::oneByte:
      return index == 0;
    case Cut::firstHalf:
      return index < length / 2;
    case Cut::secondHalf:
      return index >= length / 2;
    case Cut::allButOneByte:
      return index + 1 < length;
    default:
      return true;
  }
}

bool Device::write(uint32_t address, const uint8_t* data, size_t length) {
  if (dead_) return false;
  if (length == 0 || address + length > flash_.size() || address / sectorBytes != (address + length - 1) / sectorBytes) {
    broke_ = true;
    return false;
  }
  const bool cut = isCut();
  for (size_t i = 0; i < length; i++) {
    uint8_t& cell = flash_[address + i];
    if ((cell & data[i]) != data[i]) broke_ = true;
    if (cut && !reaches(cut_, i, length)) continue;
    const uint8_t kept = cut && cut_ == Cut::randomBits ? static_cast<uint8_t>(random_.next()) : uint8_t{0};
    cell = static_cast<uint8_t>(cell & (data[i] | kept));
  }
  return !cut;
}

bool Device::erase(uint32_t address) {
  if (dead_) return false;
  if (address + sectorBytes > flash_.size() || address % sectorBytes != 0) {
    broke_ = true;
    return false;
  }
  const bool cut = isCut();
  erasures_[address / sectorBytes]++;
  for (size_t i = 0; i < sectorBytes; i++) {
    uint8_t& cell = flash_[address + i];
    if (cut && !reaches(cut_, i, sectorBytes)) continue;
    const uint8_t set = cut && cut_ == Cut::randomBits ? static_cast<uint8_t>(random_.next()) : uint8_t{0xff};
    cell = static_cast<uint8_t>(cell | set);
  }
  return !cut;
}

void Device::trace(Trace event, const uint8_t* body, size_t length) {
  Reader reader(body, length);
  RowId id{reader.u32(), reader.u32()};
  if (event == Trace::rowCommitted) {
    const std::vector<uint8_t> row(body, body + length);
    const auto known = committed.find(id);
    if (known != committed.end() && known->second != row) changed = true;
    committed[id] = row;
  }
  if (event == Trace::rowOverwritten) {
    const uint32_t last = reader.u32();
    for (; id.seq <= last; id.seq++) overwritten.insert(id);
  }
}
