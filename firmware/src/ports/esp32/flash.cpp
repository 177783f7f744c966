// The data partition "wattmesh" (firmware/partitions.csv), written to as it is: the core brings its own log and records.
#include <esp_partition.h>

#include "ports/chip.hpp"
#include "wattmesh/limits.hpp"

namespace ports {

namespace {
constexpr auto partitionSubtype = static_cast<esp_partition_subtype_t>(0x57);  // one of those that are free for applications
const esp_partition_t* partition = nullptr;
}  // namespace

uint32_t openFlash() {
  partition = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, partitionSubtype, "wattmesh");
  return partition == nullptr ? 0 : partition->size;
}

bool readFlash(uint32_t address, uint8_t* out, size_t length) { return esp_partition_read(partition, address, out, length) == ESP_OK; }

bool writeFlash(uint32_t address, const uint8_t* data, size_t length) {
  return esp_partition_write(partition, address, data, length) == ESP_OK;
}

bool eraseFlash(uint32_t address) { return esp_partition_erase_range(partition, address, wattmesh::sectorBytes) == ESP_OK; }

}  // namespace ports
