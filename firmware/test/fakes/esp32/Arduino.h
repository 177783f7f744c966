// arduino-esp32.
#pragma once
#include "arduino_common.h"

#define INPUT_PULLUP 0x05
#define SERIAL_8N1 0x800001c
#define digitalPinToInterrupt(pin) (pin)
#define noInterrupts() portDISABLE_INTERRUPTS()
#define interrupts() portENABLE_INTERRUPTS()

void portDISABLE_INTERRUPTS();
void portENABLE_INTERRUPTS();

class HardwareSerial : public Stream {
 public:
  void begin(unsigned long baud, uint32_t config = SERIAL_8N1, int8_t rxPin = -1, int8_t txPin = -1);
  size_t setRxBufferSize(size_t bytes);
  size_t write(uint8_t byte) override;
  size_t write(const uint8_t* bytes, size_t length) override;
  int available() override;
  int read() override;
};
extern HardwareSerial Serial;
extern HardwareSerial Serial1;
