#include "ports/chip.hpp"

namespace ports {

Stream& openPzemLine() {
  Serial1.begin(9600, SERIAL_8N1, WATTMESH_PZEM_RX, WATTMESH_PZEM_TX);
  return Serial1;
}

}  // namespace ports
