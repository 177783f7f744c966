#pragma once
#include <Arduino.h>
enum SoftwareSerialConfig { SWSERIAL_8N1 };
class SoftwareSerial : public Stream {
 public:
  void begin(uint32_t baud, SoftwareSerialConfig config, int8_t rxPin, int8_t txPin);
  size_t write(uint8_t byte) override;
  int available() override;
  int read() override;
};
