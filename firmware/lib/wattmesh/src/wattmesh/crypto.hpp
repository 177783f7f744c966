// Checksums, HMAC, HKDF and the names derived from keys, all over the port's SHA-256.
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/port.hpp"

namespace wattmesh {

constexpr size_t hashBytes = 32;
constexpr size_t keyBytes = 32;  // X25519 keys, AEAD keys, PSK
constexpr size_t networkKeyBytes = 16;  // K_net and K_link
constexpr size_t aeadNonceBytes = 12;
constexpr size_t tagBytes = 16;
constexpr size_t nodeIdBytes = 6;
constexpr size_t hmacKeyBytesMax = 64;
constexpr size_t hmacRoomBytes = 64;  // before a message: a block of SHA-256
constexpr size_t hkdfInputBytesMax = 96;
constexpr size_t hkdfOutputBytesMax = 96;
constexpr size_t hkdfInfoBytesMax = 64;

// CRC-32 of IEEE 802.3. Resumable: pass the checksum so far as `seed` to go on.
[[gnu::externally_visible]] uint32_t crc32(const uint8_t* data, size_t length, uint32_t seed = 0);

// HMAC-SHA256 (RFC 2104) of a message of `length` bytes that stands in `buffer` from hmacRoomBytes on; the buffer, which has room for
// hashBytes there at least, is overwritten: another copy of a frame would be more than the stack of an ESP8266 has to spare. `keyLength`
// is at most hmacKeyBytesMax.
void hmacSha256(const Port& port, const uint8_t* key, size_t keyLength, uint8_t* buffer, size_t length, uint8_t out[hashBytes]);

// HKDF-SHA256, extract and expand (RFC 5869). `saltLength` is at most hmacKeyBytesMax, `ikmLength` at most hkdfInputBytesMax,
// `infoLength` at most hkdfInfoBytesMax, `length` at most hkdfOutputBytesMax.
void hkdfSha256(const Port& port, const uint8_t* salt, size_t saltLength, const uint8_t* ikm, size_t ikmLength,
                const uint8_t* info, size_t infoLength, uint8_t* out, size_t length);

// True when both hold the same bytes; takes the same time whether they do or not.
bool equalConstantTime(const uint8_t* a, const uint8_t* b, size_t length);

// True when all bytes are zero; takes the same time whether they are or not.
bool zeroConstantTime(const uint8_t* bytes, size_t length);

// Zeros that the compiler may not leave out.
[[gnu::externally_visible]] void wipe(void* secret, size_t length);

// X25519 of a secret with another's public key. False: the result is all zeros, the key was of small order (RFC 7748, section 6.1).
[[nodiscard]] bool sharedSecret(const Port& port, const uint8_t secret[keyBytes], const uint8_t publicKey[keyBytes],
                                uint8_t out[keyBytes]);

// The public key of an X25519 secret.
void publicKeyOf(const Port& port, const uint8_t secret[keyBytes], uint8_t out[keyBytes]);

// Nonce of the AEAD: 4 zeros, then the number.
void nonceOf(uint64_t number, uint8_t out[aeadNonceBytes]);

// K_link of a network key (PROTOCOL.md, section 2).
void linkKey(const Port& port, const uint8_t knet[networkKeyBytes], uint32_t networkNumber, uint8_t keyId,
             uint8_t out[networkKeyBytes]);

// K_link of join frames (key id 0), from the head-end's public key.
void joinKey(const Port& port, const uint8_t headEndKey[keyBytes], uint32_t networkNumber, uint8_t out[networkKeyBytes]);

// First 6 bytes of SHA-256 of the device key.
void nodeIdOf(const Port& port, const uint8_t publicKey[keyBytes], uint8_t out[nodeIdBytes]);

// First 4 bytes of SHA-256("wattmesh network " ‖ network id). `length` is at most 32.
[[gnu::externally_visible]] uint32_t networkNumberOf(const Port& port, const uint8_t* networkId, size_t length);

}  // namespace wattmesh
