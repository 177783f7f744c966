// What the Arduino cores of both chips have alike.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define HIGH 0x1
#define LOW 0x0
#define OUTPUT 0x03
#define CHANGE 0x03
#define IRAM_ATTR

void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t value);
int digitalRead(uint8_t pin);
void attachInterrupt(uint8_t pin, void (*handler)(void), int mode);
unsigned long micros();
void delay(unsigned long ms);

class Print {
 public:
  virtual ~Print() = default;
  virtual size_t write(uint8_t byte) = 0;
  virtual size_t write(const uint8_t* bytes, size_t length);
  virtual int availableForWrite();
  virtual void flush();
  size_t print(const char* text);
};

class Stream : public Print {
 public:
  virtual int available() = 0;
  virtual int read() = 0;
};
