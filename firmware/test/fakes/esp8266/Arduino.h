// The ESP8266's Arduino core.
#pragma once
#include "arduino_common.h"

#define INPUT_PULLUP 0x02
#define digitalPinToInterrupt(pin) (pin)
#define noInterrupts() xt_rsil(15)
#define interrupts() xt_rsil(0)

void xt_rsil(int level);
uint64_t micros64(void);

class HardwareSerial : public Stream {
 public:
  void begin(unsigned long baud);
  size_t setRxBufferSize(size_t bytes);
  size_t write(uint8_t byte) override;
  size_t write(const uint8_t* bytes, size_t length) override;
  int available() override;
  int read() override;
};
extern HardwareSerial Serial;

struct rst_info;

enum RFMode { RF_DEFAULT = 0, RF_CAL = 1, RF_NO_CAL = 2, RF_DISABLED = 4 };

class EspClass {
 public:
  void wdtEnable(uint32_t timeout_ms = 0);
  void wdtFeed();
  void restart();
  uint32_t getFreeHeap();
  rst_info* getResetInfoPtr();
  void deepSleep(uint64_t time_us, RFMode mode = RF_DEFAULT);
  bool rtcUserMemoryRead(uint32_t offset, uint32_t* data, size_t size);
  bool rtcUserMemoryWrite(uint32_t offset, uint32_t* data, size_t size);
  bool flashEraseSector(uint32_t sector);
  bool flashWrite(uint32_t offset, uint32_t* data, size_t size);
  bool flashRead(uint32_t offset, uint32_t* data, size_t size);
};
extern EspClass ESP;
