// A public key as people and cameras read it (PROTOCOL.md, "Labels").
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/crypto.hpp"

namespace board {

constexpr size_t labelTextBytes = 4 + 52 + 1 + 8 + 1;  // "WM1:", base32, ":", CRC in hex, the end
constexpr size_t labelDigitsBytes = 8 * 6;             // eight groups of five digits, spaces between them, the end

// "WM1:", the key in base32 (RFC 4648), a colon, and the CRC-32 of all before it.
void labelText(const uint8_t key[wattmesh::keyBytes], char out[labelTextBytes]);

// The key of such a text, in capitals. False: it is none, or was mistyped.
bool parseLabelText(const char* text, uint8_t key[wattmesh::keyBytes]);

// The fingerprint of the key that people compare: "97048 44798 …".
void labelDigits(const wattmesh::Port& port, const uint8_t key[wattmesh::keyBytes], char out[labelDigitsBytes]);

}  // namespace board
