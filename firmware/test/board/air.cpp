// ESP-NOW over datagrams: each board has a socket in the folder of the air, and a file beside it that says on which channel it listens. Its rules are
// kept: twenty peers, nothing to strangers, 250 bytes, callbacks out of the program's sight.
#include <dirent.h>
#include <esp_now.h>
#include <esp_wifi.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "board.hpp"

namespace {

constexpr size_t headerBytes = 12;  // from, to
constexpr size_t frameBytesMax = 250;
constexpr size_t peersMax = 20;
constexpr uint8_t broadcastNumber = 0xff;

int airSocket = -1;
esp_now_recv_cb_t received = nullptr;
esp_now_send_cb_t sent = nullptr;
std::set<uint8_t> peers;  // last bytes of their addresses
bool isWaiting = false;   // a send callback is due
bool wasHeard = false;
uint8_t sentTo[6];

std::string pathOf(uint8_t number, const char* kind) { return host::options.folder + "/" + std::to_string(number) + kind; }

int channelOf(uint8_t number) {
  int channel = 0;
  std::ifstream(pathOf(number, ".channel")) >> channel;
  return channel;
}

std::vector<uint8_t> everybody() {
  std::vector<uint8_t> found;
  DIR* folder = opendir(host::options.folder.c_str());
  while (const dirent* entry = folder == nullptr ? nullptr : readdir(folder)) {
    const std::string name = entry->d_name;
    if (name.size() > 5 && name.compare(name.size() - 5, 5, ".sock") == 0) found.push_back(static_cast<uint8_t>(std::stoi(name)));
  }
  if (folder != nullptr) closedir(folder);
  return found;
}

bool deliver(uint8_t number, const std::vector<uint8_t>& packet) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, pathOf(number, ".sock").c_str(), sizeof address.sun_path - 1);
  if (number == host::options.number || channelOf(number) != channelOf(host::options.number)) return false;
  return sendto(airSocket, packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&address), sizeof address) > 0;
}

}  // namespace

void host::pollAir() {
  if (isWaiting && sent != nullptr) {
    isWaiting = false;
    sent(sentTo, wasHeard ? ESP_NOW_SEND_SUCCESS : ESP_NOW_SEND_FAIL);
  }
  uint8_t packet[headerBytes + frameBytesMax];
  ssize_t length = 0;
  while (airSocket >= 0 && (length = recv(airSocket, packet, sizeof packet, MSG_DONTWAIT)) > static_cast<ssize_t>(headerBytes)) {
    wifi_pkt_rx_ctrl_t control = {};
    control.rssi = -60;
    const esp_now_recv_info_t info = {packet, packet + 6, &control};
    if (received != nullptr) received(&info, packet + headerBytes, static_cast<int>(length) - static_cast<int>(headerBytes));
  }
}

esp_err_t esp_now_init() {
  peers.clear();
  return ESP_OK;
}
esp_err_t esp_now_deinit() {
  isWaiting = false;
  return ESP_OK;
}
esp_err_t esp_now_register_recv_cb(esp_now_recv_cb_t callback) {
  received = callback;
  return ESP_OK;
}
esp_err_t esp_now_register_send_cb(esp_now_send_cb_t callback) {
  sent = callback;
  return ESP_OK;
}
esp_err_t esp_now_add_peer(const esp_now_peer_info_t* peer) {
  if (peers.size() == peersMax || !peers.insert(peer->peer_addr[5]).second) return ESP_ERR_INVALID_STATE;
  return ESP_OK;
}
esp_err_t esp_now_del_peer(const uint8_t* peer) { return peers.erase(peer[5]) == 1 ? ESP_OK : ESP_ERR_INVALID_STATE; }

esp_err_t esp_now_send(const uint8_t* peer, const uint8_t* data, size_t length) {
  if (isWaiting || length > frameBytesMax || peers.count(peer[5]) == 0) return ESP_ERR_INVALID_STATE;
  std::vector<uint8_t> packet(6);
  esp_wifi_get_mac(WIFI_IF_STA, packet.data());
  packet.insert(packet.end(), peer, peer + 6);
  packet.insert(packet.end(), data, data + length);
  memcpy(sentTo, peer, 6);
  isWaiting = true;
  wasHeard = true;
  if (peer[5] != broadcastNumber) wasHeard = deliver(peer[5], packet);
  else for (const uint8_t number : everybody()) deliver(number, packet);
  return ESP_OK;
}

esp_err_t esp_wifi_init(const wifi_init_config_t*) { return ESP_OK; }
esp_err_t esp_wifi_set_storage(wifi_storage_t) { return ESP_OK; }
esp_err_t esp_wifi_set_mode(wifi_mode_t) { return ESP_OK; }
esp_err_t esp_wifi_set_ps(wifi_ps_type_t) { return ESP_OK; }
esp_err_t esp_wifi_start() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, pathOf(host::options.number, ".sock").c_str(), sizeof address.sun_path - 1);
  unlink(address.sun_path);
  airSocket = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  return bind(airSocket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? ESP_OK : ESP_ERR_INVALID_STATE;
}
esp_err_t esp_wifi_set_channel(uint8_t channel, wifi_second_chan_t) {
  std::ofstream(pathOf(host::options.number, ".channel")) << static_cast<int>(channel);
  return ESP_OK;
}
esp_err_t esp_wifi_get_mac(wifi_interface_t, uint8_t mac[6]) {
  const uint8_t address[6] = {2, 0, 0, 0, 0, host::options.number};
  memcpy(mac, address, sizeof address);
  return ESP_OK;
}
