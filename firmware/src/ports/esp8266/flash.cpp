// The region that the linker script reserves for a file system (board_build.ldscript in platformio.ini), written to as it is: the core brings its
// own log and records.
#include "board/aligned_flash.hpp"
#include "ports/chip.hpp"
#include "wattmesh/limits.hpp"

// Of the linker script: where the region begins and ends in the memory that the flash is mapped to.
extern "C" uint32_t _FS_start;
extern "C" uint32_t _FS_end;

namespace ports {

namespace {

constexpr uint32_t mappedAt = 0x40200000;

uint32_t regionStart() { return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(&_FS_start)) - mappedAt; }

bool readWords(uint32_t address, uint32_t* words, size_t length) { return ESP.flashRead(regionStart() + address, words, length); }

// The SDK of older cores wants the data as variable; it does not change it.
bool writeWords(uint32_t address, const uint32_t* words, size_t length) {
  return ESP.flashWrite(regionStart() + address, const_cast<uint32_t*>(words), length);
}

constexpr board::WordFlash words = {readWords, writeWords};

}  // namespace

uint32_t openFlash() {
  const uint32_t bytes = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(&_FS_end)) - mappedAt - regionStart();
  return bytes - bytes % static_cast<uint32_t>(wattmesh::sectorBytes);
}

bool readFlash(uint32_t address, uint8_t* out, size_t length) { return board::readBytes(words, address, out, length); }

bool writeFlash(uint32_t address, const uint8_t* data, size_t length) { return board::writeBytes(words, address, data, length); }

bool eraseFlash(uint32_t address) { return ESP.flashEraseSector((regionStart() + address) / static_cast<uint32_t>(wattmesh::sectorBytes)); }

}  // namespace ports
