#pragma once
#include <stdint.h>
typedef enum { WIFI_OFF = 0, WIFI_STA = 1 } WiFiMode_t;
typedef enum { WIFI_NONE_SLEEP = 0, WIFI_LIGHT_SLEEP = 1, WIFI_MODEM_SLEEP = 2 } WiFiSleepType_t;
class ESP8266WiFiClass {
 public:
  static void persistent(bool persistent);
  bool mode(WiFiMode_t mode);
  bool setSleepMode(WiFiSleepType_t type, uint8_t listenInterval = 0);
  bool disconnect(bool wifiOff = false);
  uint8_t* macAddress(uint8_t* mac);
};
extern ESP8266WiFiClass WiFi;
