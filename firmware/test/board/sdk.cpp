// The IDF's functions: flash in a file, randomness of this machine, resets that end the process.
#include <esp_event.h>
#include <esp_netif.h>
#include <esp_partition.h>
#include <esp_random.h>
#include <esp_sleep.h>
#include <esp_system.h>
#include <esp_task_wdt.h>
#include <esp_timer.h>
#include <esp_wifi.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "board.hpp"

namespace {

constexpr size_t flashBytes = 0x84000;
constexpr int restartCode = 75;
constexpr int deepSleepCode = 76;

const esp_partition_t partition = {0x350000, flashBytes};
int flashFile = -1;

bool isInside(size_t offset, size_t length) { return offset + length <= flashBytes; }

bool put(size_t offset, const std::vector<uint8_t>& bytes) {
  return pwrite(flashFile, bytes.data(), bytes.size(), static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

const esp_partition_t* esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t, const char* label) {
  if (type != ESP_PARTITION_TYPE_DATA || strcmp(label, "wattmesh") != 0) return nullptr;
  const std::string path = host::options.folder + "/" + std::to_string(host::options.number) + ".flash";
  flashFile = open(path.c_str(), O_RDWR | O_CREAT, 0600);
  if (flashFile >= 0 && lseek(flashFile, 0, SEEK_END) == 0) put(0, std::vector<uint8_t>(flashBytes, 0xff));
  return flashFile < 0 ? nullptr : &partition;
}

esp_err_t esp_partition_read(const esp_partition_t*, size_t offset, void* out, size_t length) {
  const bool done = isInside(offset, length) && pread(flashFile, out, length, static_cast<off_t>(offset)) == static_cast<ssize_t>(length);
  return done ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_partition_write(const esp_partition_t*, size_t offset, const void* data, size_t length) {
  std::vector<uint8_t> cells(length);
  if (esp_partition_read(&partition, offset, cells.data(), length) != ESP_OK) return ESP_ERR_INVALID_STATE;
  for (size_t i = 0; i < length; i++) cells[i] = static_cast<uint8_t>(cells[i] & static_cast<const uint8_t*>(data)[i]);
  return put(offset, cells) ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_partition_erase_range(const esp_partition_t*, size_t offset, size_t length) {
  return isInside(offset, length) && put(offset, std::vector<uint8_t>(length, 0xff)) ? ESP_OK : ESP_ERR_INVALID_STATE;
}

uint32_t esp_random() {
  static std::random_device device;
  return device();
}

int64_t esp_timer_get_time() { return static_cast<int64_t>(host::nowUs()); }
esp_reset_reason_t esp_reset_reason() { return ESP_RST_POWERON; }
uint32_t esp_get_free_heap_size() { return 100000; }
void esp_restart() { _exit(restartCode); }

// A process keeps no memory over its end: whoever started it may start it again, as if its battery had been changed.
void esp_deep_sleep_start() { _exit(deepSleepCode); }
esp_err_t esp_sleep_enable_timer_wakeup(uint64_t) { return ESP_OK; }
esp_err_t esp_wifi_stop() { return ESP_OK; }
esp_err_t esp_task_wdt_init(const esp_task_wdt_config_t*) { return ESP_OK; }
esp_err_t esp_task_wdt_reconfigure(const esp_task_wdt_config_t*) { return ESP_OK; }
esp_err_t esp_task_wdt_add(TaskHandle_t) { return ESP_OK; }
esp_err_t esp_task_wdt_reset() { return ESP_OK; }
esp_err_t esp_event_loop_create_default() { return ESP_ERR_INVALID_STATE; }
esp_err_t esp_netif_init() { return ESP_OK; }
