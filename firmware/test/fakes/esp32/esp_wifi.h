#pragma once
#include "esp_err.h"
typedef enum { WIFI_IF_STA = 0, WIFI_IF_AP = 1 } wifi_interface_t;
typedef enum { WIFI_MODE_NULL = 0, WIFI_MODE_STA } wifi_mode_t;
typedef enum { WIFI_STORAGE_FLASH, WIFI_STORAGE_RAM } wifi_storage_t;
typedef enum { WIFI_PS_NONE, WIFI_PS_MIN_MODEM } wifi_ps_type_t;
typedef enum { WIFI_SECOND_CHAN_NONE = 0 } wifi_second_chan_t;
typedef enum { WIFI_PKT_MGMT, WIFI_PKT_CTRL, WIFI_PKT_DATA, WIFI_PKT_MISC } wifi_promiscuous_pkt_type_t;
typedef struct {
  int magic;
} wifi_init_config_t;
#define WIFI_INIT_CONFIG_DEFAULT() \
  { 0x1F2F3F4F }
typedef struct {
  signed rssi : 8;
  unsigned rate : 5;
} wifi_pkt_rx_ctrl_t;
typedef struct {
  wifi_pkt_rx_ctrl_t rx_ctrl;
  uint8_t payload[0];
} wifi_promiscuous_pkt_t;
typedef struct {
  uint32_t filter_mask;
} wifi_promiscuous_filter_t;
#define WIFI_PROMIS_FILTER_MASK_MGMT (1)
typedef void (*wifi_promiscuous_cb_t)(void* buffer, wifi_promiscuous_pkt_type_t type);
esp_err_t esp_wifi_init(const wifi_init_config_t* config);
esp_err_t esp_wifi_set_storage(wifi_storage_t storage);
esp_err_t esp_wifi_set_mode(wifi_mode_t mode);
esp_err_t esp_wifi_start(void);
esp_err_t esp_wifi_stop(void);
esp_err_t esp_wifi_set_ps(wifi_ps_type_t type);
esp_err_t esp_wifi_set_channel(uint8_t primary, wifi_second_chan_t second);
esp_err_t esp_wifi_get_mac(wifi_interface_t interface, uint8_t mac[6]);
esp_err_t esp_wifi_set_promiscuous(bool enabled);
esp_err_t esp_wifi_set_promiscuous_rx_cb(wifi_promiscuous_cb_t callback);
esp_err_t esp_wifi_set_promiscuous_filter(const wifi_promiscuous_filter_t* filter);
