// ESP-NOW on the ESP32s. Its callbacks changed twice: the receiver got an information structure with IDF 5.1 in place of the sender's address, the
// sender's one with 5.5.
#include <esp_event.h>
#include <esp_idf_version.h>
#include <esp_netif.h>
#include <esp_now.h>
#include <esp_wifi.h>

#include <cstring>

#include "ports/chip.hpp"

using wattmesh::macBytes;

namespace ports {

namespace {

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 1, 0)

void onReceived(const esp_now_recv_info_t* info, const uint8_t* data, int length) {
  if (length > 0) radio().onReceived(info->src_addr, info->des_addr, info->rx_ctrl->rssi, data, static_cast<size_t>(length));
}

bool listenForStrength() { return true; }

#else

// ESP-NOW of these versions tells neither the receiver nor the signal's strength. The strength is seen by listening to management frames, of which
// every ESP-NOW frame is one: the SDK hands it to the listener first.
constexpr size_t senderAt = 10;  // in an 802.11 header: frame control 2, duration 2, receiver 6
constexpr int rssiUnseenDbm = -95;

uint8_t seenMac[macBytes] = {};
int seenDbm = rssiUnseenDbm;

void onManagementFrame(void* buffer, wifi_promiscuous_pkt_type_t) {
  const auto* packet = static_cast<const wifi_promiscuous_pkt_t*>(buffer);
  memcpy(seenMac, packet->payload + senderAt, macBytes);
  seenDbm = packet->rx_ctrl.rssi;
}

void onReceived(const uint8_t* from, const uint8_t* data, int length) {
  const int rssiDbm = memcmp(from, seenMac, macBytes) == 0 ? seenDbm : rssiUnseenDbm;
  if (length > 0) radio().onReceived(from, nullptr, rssiDbm, data, static_cast<size_t>(length));
}

bool listenForStrength() {
  const wifi_promiscuous_filter_t filter = {WIFI_PROMIS_FILTER_MASK_MGMT};
  return esp_wifi_set_promiscuous_filter(&filter) == ESP_OK && esp_wifi_set_promiscuous_rx_cb(onManagementFrame) == ESP_OK &&
         esp_wifi_set_promiscuous(true) == ESP_OK;
}

#endif

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 5, 0)
void onSent(const esp_now_send_info_t*, esp_now_send_status_t status) { radio().onSent(status == ESP_NOW_SEND_SUCCESS); }
#else
void onSent(const uint8_t*, esp_now_send_status_t status) { radio().onSent(status == ESP_NOW_SEND_SUCCESS); }
#endif

bool start() {
  esp_now_deinit();  // fails when it was not started: so it should be
  return esp_now_init() == ESP_OK && esp_now_register_recv_cb(onReceived) == ESP_OK && esp_now_register_send_cb(onSent) == ESP_OK;
}

bool setChannel(uint8_t channel) { return esp_wifi_set_channel(channel, WIFI_SECOND_CHAN_NONE) == ESP_OK; }

bool addPeer(const uint8_t mac[macBytes]) {
  esp_now_peer_info_t peer = {};
  memcpy(peer.peer_addr, mac, macBytes);
  peer.ifidx = WIFI_IF_STA;  // channel 0: the one the radio is on; not encrypted: the core has its own
  return esp_now_add_peer(&peer) == ESP_OK;
}

bool removePeer(const uint8_t mac[macBytes]) { return esp_now_del_peer(mac) == ESP_OK; }

bool send(const uint8_t to[macBytes], const uint8_t* frame, size_t length) { return esp_now_send(to, frame, length) == ESP_OK; }

}  // namespace

const board::RadioDriver radioDriver = {start, setChannel, addPeer, removePeer, send};

bool beginWifi() {
  const wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();
  const esp_err_t loop = esp_event_loop_create_default();
  // ESP_ERR_INVALID_STATE: the Arduino core has made it already.
  const bool hasLoop = loop == ESP_OK || loop == ESP_ERR_INVALID_STATE;
  return hasLoop && esp_netif_init() == ESP_OK && esp_wifi_init(&config) == ESP_OK &&
         esp_wifi_set_storage(WIFI_STORAGE_RAM) == ESP_OK && esp_wifi_set_mode(WIFI_MODE_STA) == ESP_OK && esp_wifi_start() == ESP_OK &&
         esp_wifi_set_ps(WIFI_PS_NONE) == ESP_OK && listenForStrength();
}

void macAddress(uint8_t mac[macBytes]) { esp_wifi_get_mac(WIFI_IF_STA, mac); }

}  // namespace ports
