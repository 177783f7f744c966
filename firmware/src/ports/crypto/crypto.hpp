// The cryptography of a port. One of the files beside this one is linked: BearSSL, which the ESP8266's core brings along, or libsodium on the
// ESP32s. Native tests run over both.
#pragma once
#include "wattmesh/port.hpp"

namespace ports {

// Sets the port's functions for SHA-256, X25519, the AEAD, and RSA where the library has it (else nullptr). `random`: fresh cryptographic
// randomness, for what the library itself draws. False: the library does not work here.
[[nodiscard]] bool useCrypto(wattmesh::Port& port, void (*random)(uint8_t* out, size_t length));

}  // namespace ports
