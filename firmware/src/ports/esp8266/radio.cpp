// ESP-NOW on the ESP8266. Its callback tells neither the receiver nor the signal's strength.
#include <ESP8266WiFi.h>
#include <espnow.h>
#include <user_interface.h>

#include <cstring>

#include "ports/chip.hpp"

using wattmesh::macBytes;

namespace ports {

namespace {

// All neighbours seem equally strong, so that none is preferred for what nobody knows; a head-end shows 0 dBm.
constexpr int rssiUnknownDbm = 0;

// The SDK's functions take addresses and data as variables; they do not change them.
uint8_t* variable(const uint8_t* bytes) { return const_cast<uint8_t*>(bytes); }

void onReceived(uint8_t* from, uint8_t* data, uint8_t length) { radio().onReceived(from, nullptr, rssiUnknownDbm, data, length); }

void onSent(uint8_t*, uint8_t status) { radio().onSent(status == 0); }

bool start() {
  esp_now_deinit();  // fails when it was not started: so it should be
  return esp_now_init() == 0 && esp_now_set_self_role(ESP_NOW_ROLE_COMBO) == 0 && esp_now_register_recv_cb(onReceived) == 0 &&
         esp_now_register_send_cb(onSent) == 0;
}

bool setChannel(uint8_t channel) { return wifi_set_channel(channel); }

// Channel 0: the one the radio is on; no key: the core has its own encryption.
bool addPeer(const uint8_t mac[macBytes]) { return esp_now_add_peer(variable(mac), ESP_NOW_ROLE_COMBO, 0, nullptr, 0) == 0; }

bool removePeer(const uint8_t mac[macBytes]) { return esp_now_del_peer(variable(mac)) == 0; }

bool send(const uint8_t to[macBytes], const uint8_t* frame, size_t length) {
  return esp_now_send(variable(to), variable(frame), static_cast<int>(length)) == 0;
}

}  // namespace

const board::RadioDriver radioDriver = {start, setChannel, addPeer, removePeer, send};

bool beginWifi() {
  WiFi.persistent(false);
  const bool isOn = WiFi.mode(WIFI_STA) && WiFi.setSleepMode(WIFI_NONE_SLEEP);
  // A network of an earlier program, which it would go on looking for.
  wifi_station_set_auto_connect(0);
  WiFi.disconnect();
  return isOn;
}

void macAddress(uint8_t mac[macBytes]) { WiFi.macAddress(mac); }

}  // namespace ports
