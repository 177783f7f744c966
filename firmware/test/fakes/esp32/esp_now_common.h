// What all generations of ESP-NOW share.
#pragma once
#include <stddef.h>

#include "esp_wifi.h"
typedef enum { ESP_NOW_SEND_SUCCESS = 0, ESP_NOW_SEND_FAIL } esp_now_send_status_t;
typedef struct esp_now_peer_info {
  uint8_t peer_addr[6];
  uint8_t lmk[16];
  uint8_t channel;
  wifi_interface_t ifidx;
  bool encrypt;
  void* priv;
} esp_now_peer_info_t;
esp_err_t esp_now_init(void);
esp_err_t esp_now_deinit(void);
esp_err_t esp_now_send(const uint8_t* peer, const uint8_t* data, size_t length);
esp_err_t esp_now_add_peer(const esp_now_peer_info_t* peer);
esp_err_t esp_now_del_peer(const uint8_t* peer);
