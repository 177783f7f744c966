#pragma once
#include "esp_now_common.h"
typedef void (*esp_now_recv_cb_t)(const uint8_t* from, const uint8_t* data, int length);
typedef void (*esp_now_send_cb_t)(const uint8_t* to, esp_now_send_status_t status);
esp_err_t esp_now_register_recv_cb(esp_now_recv_cb_t callback);
esp_err_t esp_now_register_send_cb(esp_now_send_cb_t callback);
