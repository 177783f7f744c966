// SHA-256 (FIPS 180-4) for the test port.
#pragma once
#include <cstddef>
#include <cstdint>

void sha256(const uint8_t* data, size_t length, uint8_t out[32]);
