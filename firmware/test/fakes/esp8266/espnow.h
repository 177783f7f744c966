#pragma once
#include <stdint.h>
typedef uint8_t u8;
enum esp_now_role { ESP_NOW_ROLE_IDLE = 0, ESP_NOW_ROLE_CONTROLLER, ESP_NOW_ROLE_SLAVE, ESP_NOW_ROLE_COMBO };
typedef void (*esp_now_recv_cb_t)(u8* mac_addr, u8* data, u8 len);
typedef void (*esp_now_send_cb_t)(u8* mac_addr, u8 status);
int esp_now_init(void);
int esp_now_deinit(void);
int esp_now_register_send_cb(esp_now_send_cb_t cb);
int esp_now_register_recv_cb(esp_now_recv_cb_t cb);
int esp_now_send(u8* da, u8* data, int len);
int esp_now_add_peer(u8* mac_addr, u8 role, u8 channel, u8* key, u8 key_len);
int esp_now_del_peer(u8* mac_addr);
int esp_now_set_self_role(u8 role);
