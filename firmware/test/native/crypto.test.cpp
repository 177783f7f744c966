#include <cstring>

#include "check.hpp"
#include "device.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/frame.hpp"

using namespace wattmesh;

namespace {

// Bytes of hexadecimal text.
std::vector<uint8_t> hex(const char* text) {
  std::vector<uint8_t> bytes;
  for (; *text != '\0'; text += 2) {
    unsigned byte = 0;
    sscanf(text, "%2x", &byte);
    bytes.push_back(static_cast<uint8_t>(byte));
  }
  return bytes;
}

const uint8_t* text(const char* value) { return reinterpret_cast<const uint8_t*>(value); }

bool same(const uint8_t* actual, const char* expected) {
  const std::vector<uint8_t> bytes = hex(expected);
  return memcmp(actual, bytes.data(), bytes.size()) == 0;
}

void hmac(const Port& port, const std::vector<uint8_t>& key, const uint8_t* message, size_t length, uint8_t out[hashBytes]) {
  uint8_t buffer[hmacRoomBytes + 64];
  memcpy(buffer + hmacRoomBytes, message, length);
  hmacSha256(port, key.data(), key.size(), buffer, length, out);
}

}  // namespace

TEST(crcHasTheCheckValueOfIeee8023) {
  CHECK_EQUAL(crc32(text("123456789"), 9), 0xcbf43926);
  CHECK_EQUAL(crc32(text("456789"), 6, crc32(text("123"), 3)), 0xcbf43926);
  CHECK_EQUAL(crc32(nullptr, 0), 0);
}

// RFC 4231, test cases 1, 2 and 4; longer keys than 64 bytes do not occur.
TEST(hmacMatchesRfc4231) {
  Device device(1);
  const Port port = device.port();
  uint8_t out[32];
  const std::vector<uint8_t> key1(20, 0x0b);
  hmac(port, key1, text("Hi There"), 8, out);
  CHECK(same(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
  hmac(port, {'J', 'e', 'f', 'e'}, text("what do ya want for nothing?"), 28, out);
  CHECK(same(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
  const std::vector<uint8_t> key4 = hex("0102030405060708090a0b0c0d0e0f10111213141516171819");
  const std::vector<uint8_t> data4(50, 0xcd);
  hmac(port, key4, data4.data(), data4.size(), out);
  CHECK(same(out, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"));
}

// RFC 5869, test cases 1 and 3; the salt of case 2 is longer than any of ours.
TEST(hkdfMatchesRfc5869) {
  Device device(1);
  const Port port = device.port();
  const std::vector<uint8_t> ikm(22, 0x0b);
  const std::vector<uint8_t> salt = hex("000102030405060708090a0b0c");
  const std::vector<uint8_t> info = hex("f0f1f2f3f4f5f6f7f8f9");
  uint8_t out[42];
  hkdfSha256(port, salt.data(), salt.size(), ikm.data(), ikm.size(), info.data(), info.size(), out, sizeof out);
  CHECK(same(out, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"));
  hkdfSha256(port, nullptr, 0, ikm.data(), ikm.size(), nullptr, 0, out, sizeof out);
  CHECK(same(out, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"));
}

TEST(constantTimeComparisonSeesEveryByte) {
  const uint8_t a[4] = {1, 2, 3, 4};
  CHECK(equalConstantTime(a, a, sizeof a));
  for (size_t i = 0; i < sizeof a; i++) {
    uint8_t b[4] = {1, 2, 3, 4};
    b[i] = 0x80;
    CHECK(!equalConstantTime(a, b, sizeof a));
  }
}

TEST(derivedNamesAndKeysDependOnEverythingTheyShould) {
  Device device(1);
  const Port port = device.port();
  // First bytes of SHA-256("wattmesh network home") and of SHA-256 of 32 zeros.
  uint8_t hash[32];
  const char message[] = "wattmesh network home";
  port.sha256(port.context, text(message), strlen(message), hash);
  const uint32_t number = networkNumberOf(port, text("home"), 4);
  CHECK_EQUAL(number, hash[0] | hash[1] << 8 | hash[2] << 16 | static_cast<long long>(hash[3]) << 24);
  uint8_t id[6];
  const uint8_t zeros[32] = {};
  nodeIdOf(port, zeros, id);
  CHECK(same(id, "66687aadf862"));
  uint8_t keys[4][16];
  linkKey(port, zeros, 7, 1, keys[0]);
  linkKey(port, zeros, 7, 2, keys[1]);
  linkKey(port, zeros, 8, 1, keys[2]);
  joinKey(port, zeros, 7, keys[3]);
  for (size_t i = 0; i < 4; i++) {
    for (size_t j = 0; j < i; j++) CHECK(memcmp(keys[i], keys[j], 16) != 0);
  }
}

TEST(linkMacCoversAddressesNetworkAndFrame) {
  Device device(1);
  const Port port = device.port();
  const uint8_t key[16] = {1};
  const uint8_t a[6] = {2};
  const uint8_t b[6] = {3};
  uint8_t frame[frameBytesMax] = {0x11, 0x10};
  uint8_t macs[5][8];
  frameMac(port, key, a, b, 7, frame, frameBytesMax - linkMacBytes, macs[0]);
  frameMac(port, key, b, a, 7, frame, frameBytesMax - linkMacBytes, macs[1]);
  frameMac(port, key, a, b, 8, frame, frameBytesMax - linkMacBytes, macs[2]);
  frameMac(port, key, a, b, 7, frame, frameBytesMax - linkMacBytes - 1, macs[3]);
  frame[1] = 0x20;
  frameMac(port, key, a, b, 7, frame, frameBytesMax - linkMacBytes, macs[4]);
  for (size_t i = 1; i < 5; i++) CHECK(memcmp(macs[0], macs[i], 8) != 0);
}
