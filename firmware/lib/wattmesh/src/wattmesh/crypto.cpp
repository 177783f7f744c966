#include "wattmesh/crypto.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"

namespace wattmesh {

namespace {

constexpr size_t networkIdBytesMax = 32;

// A programmer's error: going on would overrun a buffer on the stack.
void require(bool condition) {
  if (!condition) __builtin_trap();
}

// HKDF with info = label ‖ network number ‖ key id, as both link keys are derived.
void deriveLinkKey(const Port& port, const char* label, const uint8_t* ikm, size_t ikmLength, uint32_t networkNumber,
                   uint8_t keyId, uint8_t out[networkKeyBytes]) {
  uint8_t bytes[hkdfInfoBytesMax];
  Writer info(bytes, sizeof bytes);
  info.bytes(reinterpret_cast<const uint8_t*>(label), strlen(label));
  info.u32(networkNumber);
  info.u8(keyId);
  hkdfSha256(port, nullptr, 0, ikm, ikmLength, bytes, info.length(), out, networkKeyBytes);
}

}  // namespace

uint32_t crc32(const uint8_t* data, size_t length, uint32_t seed) {
  // Remainders of the 16 nibbles: a table of 64 B instead of 1 KB.
  static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                     0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  uint32_t crc = ~seed;
  for (size_t i = 0; i < length; i++) {
    crc = table[(crc ^ data[i]) & 0x0f] ^ (crc >> 4);
    crc = table[(crc ^ (data[i] >> 4)) & 0x0f] ^ (crc >> 4);
  }
  return ~crc;
}

void hmacSha256(const Port& port, const uint8_t* key, size_t keyLength, uint8_t* buffer, size_t length, uint8_t out[hashBytes]) {
  require(keyLength <= hmacKeyBytesMax);
  for (size_t i = 0; i < hmacRoomBytes; i++) buffer[i] = static_cast<uint8_t>((i < keyLength ? key[i] : 0u) ^ 0x36u);
  port.sha256(port.context, buffer, hmacRoomBytes + length, out);
  for (size_t i = 0; i < hmacRoomBytes; i++) buffer[i] = static_cast<uint8_t>(buffer[i] ^ 0x36u ^ 0x5cu);
  memcpy(buffer + hmacRoomBytes, out, hashBytes);
  port.sha256(port.context, buffer, hmacRoomBytes + hashBytes, out);
}

void hkdfSha256(const Port& port, const uint8_t* salt, size_t saltLength, const uint8_t* ikm, size_t ikmLength,
                const uint8_t* info, size_t infoLength, uint8_t* out, size_t length) {
  require(ikmLength <= hkdfInputBytesMax && infoLength <= hkdfInfoBytesMax && length <= hkdfOutputBytesMax);
  uint8_t buffer[hmacRoomBytes + hashBytes + hkdfInfoBytesMax + 1];
  static_assert(hkdfInputBytesMax <= hashBytes + hkdfInfoBytesMax + 1, "one buffer for both steps");
  uint8_t* const message = buffer + hmacRoomBytes;
  uint8_t prk[hashBytes];
  uint8_t block[hashBytes];
  if (ikmLength > 0) memcpy(message, ikm, ikmLength);
  hmacSha256(port, salt, saltLength, buffer, ikmLength, prk);
  size_t before = 0;  // bytes of the block before this one: none at first
  uint8_t number = 1;
  for (size_t done = 0; done < length; done += hashBytes, number++) {
    memcpy(message, block, before);
    if (infoLength > 0) memcpy(message + before, info, infoLength);
    message[before + infoLength] = number;
    hmacSha256(port, prk, sizeof prk, buffer, before + infoLength + 1, block);
    memcpy(out + done, block, length - done < hashBytes ? length - done : hashBytes);
    before = hashBytes;
  }
  wipe(prk, sizeof prk);
  wipe(block, sizeof block);
  wipe(buffer, sizeof buffer);
}

bool equalConstantTime(const uint8_t* a, const uint8_t* b, size_t length) {
  uint8_t difference = 0;
  for (size_t i = 0; i < length; i++) difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

bool zeroConstantTime(const uint8_t* bytes, size_t length) {
  uint8_t any = 0;
  for (size_t i = 0; i < length; i++) any = static_cast<uint8_t>(any | bytes[i]);
  return any == 0;
}

void wipe(void* secret, size_t length) {
  volatile uint8_t* bytes = static_cast<volatile uint8_t*>(secret);
  for (size_t i = 0; i < length; i++) bytes[i] = 0;
}

bool sharedSecret(const Port& port, const uint8_t secret[keyBytes], const uint8_t publicKey[keyBytes], uint8_t out[keyBytes]) {
  port.x25519(port.context, out, secret, publicKey);
  return !zeroConstantTime(out, keyBytes);
}

void publicKeyOf(const Port& port, const uint8_t secret[keyBytes], uint8_t out[keyBytes]) {
  static constexpr uint8_t basePoint[keyBytes] = {9};
  port.x25519(port.context, out, secret, basePoint);
}

void nonceOf(uint64_t number, uint8_t out[aeadNonceBytes]) {
  Writer writer(out, aeadNonceBytes);
  writer.u32(0);
  writer.u64(number);
}

void linkKey(const Port& port, const uint8_t knet[networkKeyBytes], uint32_t networkNumber, uint8_t keyId,
             uint8_t out[networkKeyBytes]) {
  deriveLinkKey(port, "wattmesh link", knet, networkKeyBytes, networkNumber, keyId, out);
}

void joinKey(const Port& port, const uint8_t headEndKey[keyBytes], uint32_t networkNumber, uint8_t out[networkKeyBytes]) {
  deriveLinkKey(port, "wattmesh join", headEndKey, keyBytes, networkNumber, 0, out);
}

void nodeIdOf(const Port& port, const uint8_t publicKey[keyBytes], uint8_t out[nodeIdBytes]) {
  uint8_t hash[hashBytes];
  port.sha256(port.context, publicKey, keyBytes, hash);
  memcpy(out, hash, nodeIdBytes);
}

uint32_t networkNumberOf(const Port& port, const uint8_t* networkId, size_t length) {
  require(length <= networkIdBytesMax);
  static const char label[] = "wattmesh network ";
  constexpr size_t labelLength = sizeof label - 1;
  uint8_t message[labelLength + networkIdBytesMax];
  uint8_t hash[hashBytes];
  memcpy(message, label, labelLength);
  memcpy(message + labelLength, networkId, length);
  port.sha256(port.context, message, labelLength + length, hash);
  return Reader(hash, sizeof hash).u32();
}

}  // namespace wattmesh
