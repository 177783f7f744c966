// The only line in both directions is that of the console: the PZEM's is made of timers, which do at 9600 baud.
#include <SoftwareSerial.h>

#include "ports/chip.hpp"

namespace ports {

namespace {
SoftwareSerial line;
}

Stream& openPzemLine() {
  line.begin(9600, SWSERIAL_8N1, WATTMESH_PZEM_RX, WATTMESH_PZEM_TX);
  return line;
}

}  // namespace ports
