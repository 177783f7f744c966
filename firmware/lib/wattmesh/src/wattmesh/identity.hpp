// Who a device is: its X25519 key pair, drawn on its first boot.
#pragma once
#include "wattmesh/crypto.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/records.hpp"

namespace wattmesh {

struct Identity {
  uint8_t secret[keyBytes];
  uint8_t publicKey[keyBytes];
  uint8_t nodeId[nodeIdBytes];
};

// Reads the device's key pair, or draws one and makes it durable. randomStuck: there is none yet, and with such randomness (random_health.hpp)
// none is drawn. nvWrite: the chip failed.
[[nodiscard, gnu::externally_visible]] Error loadIdentity(const Port& port, Records& records, bool isRandomStuck, Identity& identity);

}  // namespace wattmesh
