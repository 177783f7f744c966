#pragma once
#include "esp_now_common.h"
typedef struct esp_now_recv_info {
  uint8_t* src_addr;
  uint8_t* des_addr;
  wifi_pkt_rx_ctrl_t* rx_ctrl;
} esp_now_recv_info_t;
typedef struct {
  uint8_t* des_addr;
  uint8_t* src_addr;
  wifi_interface_t ifidx;
} wifi_tx_info_t;
typedef wifi_tx_info_t esp_now_send_info_t;
typedef void (*esp_now_recv_cb_t)(const esp_now_recv_info_t* info, const uint8_t* data, int length);
typedef void (*esp_now_send_cb_t)(const esp_now_send_info_t* info, esp_now_send_status_t status);
esp_err_t esp_now_register_recv_cb(esp_now_recv_cb_t callback);
esp_err_t esp_now_register_send_cb(esp_now_send_cb_t callback);
