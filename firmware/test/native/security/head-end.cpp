#include "head-end.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/transport.hpp"

using namespace wattmesh;

namespace {

void append(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }

Bytes textBytes(const char* text) { return Bytes(text, text + strlen(text)); }

Bytes aeadSealed(const Port& port, const uint8_t* key, uint64_t number, const Bytes& aad, const Bytes& plain) {
  uint8_t nonce[aeadNonceBytes];
  nonceOf(number, nonce);
  Bytes out(plain.size() + tagBytes);
  port.aeadSeal(port.context, out.data(), key, nonce, aad.data(), aad.size(), plain.data(), plain.size());
  return out;
}

bool aeadOpened(const Port& port, const uint8_t* key, uint64_t number, const Bytes& aad, const Bytes& cipher, Bytes& plain) {
  if (cipher.size() < tagBytes) return false;
  uint8_t nonce[aeadNonceBytes];
  nonceOf(number, nonce);
  plain.resize(cipher.size() - tagBytes);
  return port.aeadOpen(port.context, plain.data(), key, nonce, aad.data(), aad.size(), cipher.data(), cipher.size());
}

Bytes derived(const Port& port, const uint8_t* psk, const Bytes& ikm, const char* label, uint32_t networkNumber, size_t length) {
  Bytes info = textBytes(label);
  info.resize(info.size() + 4);
  Writer(info.data() + info.size() - 4, 4).u32(networkNumber);
  Bytes out(length);
  hkdfSha256(port, psk, keyBytes, ikm.data(), ikm.size(), info.data(), info.size(), out.data(), out.size());
  return out;
}

}  // namespace

NoiseResponder::NoiseResponder(const Port& port, const Bytes& secret) : port_(port), secret_(secret) {
  publicKeyOf(port, secret_.data(), publicKey_);
}

bool NoiseResponder::read(const Bytes& prologue, const Bytes& message, Bytes& initiatorKey, Bytes& payload) {
  if (message.size() < noiseM1Bytes) return false;
  symmetric_.begin(port_, prologue.data(), prologue.size(), publicKey_);
  const uint8_t* s = message.data() + keyBytes;
  const uint8_t* rest = s + keyBytes + tagBytes;
  const size_t restLength = message.size() - noiseM1Bytes + tagBytes;
  memcpy(remoteEphemeral_, message.data(), keyBytes);
  symmetric_.mixHash(remoteEphemeral_, keyBytes);
  if (!symmetric_.mixKey(secret_.data(), remoteEphemeral_) || !symmetric_.open(s, keyBytes + tagBytes, remoteStatic_)) return false;
  initiatorKey.assign(remoteStatic_, remoteStatic_ + keyBytes);
  payload.resize(restLength - tagBytes);
  return symmetric_.mixKey(secret_.data(), remoteStatic_) && symmetric_.open(rest, restLength, payload.data());
}

Bytes NoiseResponder::write(const Bytes& header, const Bytes& ephemeral, const Bytes& payload, SessionKeys& keys) const {
  NoiseSymmetric symmetric = symmetric_;
  Bytes out(keyBytes + payload.size() + tagBytes);
  if (!header.empty()) symmetric.mixHash(header.data(), header.size());
  publicKeyOf(port_, ephemeral.data(), out.data());
  symmetric.mixHash(out.data(), keyBytes);
  if (!symmetric.mixKey(ephemeral.data(), remoteEphemeral_) || !symmetric.mixKey(ephemeral.data(), remoteStatic_)) return {};
  symmetric.seal(payload.data(), payload.size(), out.data() + keyBytes);
  symmetric.split(keys);
  return out;
}

HeadEnd::HeadEnd(const Port& port, Config& config)
    : port_(port), config_(config), secret_(keyBytes, 0x5e), responder_(port, secret_) {
  static uint8_t modulus[rsaBytes];
  memcpy(config.headEndKey, responder_.publicKey(), keyBytes);
  config.rsaModulus = modulus;
}

bool HeadEnd::readM1(const std::vector<Bytes>& packets) {
  if (packets.empty()) return false;
  const Bytes& packet = packets[0];
  PacketHeader header{};
  if (decodePacketHeader(packet.data(), packet.size(), header) != Error::none || header.type != packetM1) return false;
  nodeId_.assign(header.nodeId, header.nodeId + nodeIdBytes);
  Bytes payload;
  if (header.suite == suiteEcc && !readEcc(packet, payload)) return false;
  if (header.suite == suiteRsa && !readRsa(packets, payload)) return false;
  if (header.suite == suiteNone) {
    const uint8_t* plain = nullptr;
    size_t length = 0;
    if (openNone(packet.data(), packet.size(), header.headerLength, plain, length) != Error::none) return false;
    payload.assign(plain + keyBytes, plain + length);
  }
  return decodeM1Payload(payload.data(), payload.size(), m1_) == Error::none && m1_.handshake == header.counter;
}

bool HeadEnd::readEcc(const Bytes& packet, Bytes& payload) {
  Bytes prologue = textBytes("wattmesh");
  append(prologue, {packet[0], packet[1], 0, 0, 0, 0});
  Writer(prologue.data() + prologue.size() - 4, 4).u32(config_.networkNumber);
  append(prologue, Bytes(packet.begin(), packet.begin() + upHeaderBytes));
  Bytes key;
  return responder_.read(prologue, Bytes(packet.begin() + upHeaderBytes, packet.end()), key, payload);
}

bool HeadEnd::readRsa(const std::vector<Bytes>& packets, Bytes& payload) {
  if (packets.size() != 2 || packets[0][upHeaderBytes] != 0x02 || packets[1][upHeaderBytes] != 0x12) return false;
  const Bytes head(packets[0].begin(), packets[0].begin() + upHeaderBytes);
  rsaMessage_.assign(packets[0].begin() + upHeaderBytes + 1, packets[0].end());
  append(rsaMessage_, Bytes(packets[1].begin() + upHeaderBytes + 1, packets[1].end()));
  constexpr size_t clearBytes = rsaBytes + keyBytes;
  if (packets[0].size() != upHeaderBytes + 1 + 180 || rsaMessage_.size() != clearBytes + m1PayloadBytes + tagBytes) return false;
  const Bytes secret(rsaMessage_.begin(), rsaMessage_.begin() + keyBytes);
  const Bytes key = derived(port_, config_.psk, secret, "wattmesh rsa m1", config_.networkNumber, keyBytes);
  Bytes aad = head;
  append(aad, Bytes(rsaMessage_.begin(), rsaMessage_.begin() + clearBytes));
  return aeadOpened(port_, key.data(), 0, aad, Bytes(rsaMessage_.begin() + clearBytes, rsaMessage_.end()), payload);
}

Bytes HeadEnd::header(uint8_t type, uint8_t session, uint32_t epoch, uint32_t counter) const {
  PacketHeader header{};
  header.type = type;
  header.suite = config_.suite;
  memcpy(header.nodeId, nodeId_.data(), nodeIdBytes);
  header.session = session;
  header.epoch = epoch;
  header.counter = counter;
  Bytes out(downHeaderBytes);
  Writer writer(out.data(), out.size());
  encodePacketHeader(writer, header);
  return out;
}

Bytes HeadEnd::m2(const M2Payload& payload, uint32_t epoch) {
  session_ = payload.session;
  Bytes packet = header(packetM2, 0, epoch, m1_.handshake);
  Bytes plain(m2PayloadBytes);
  encodeM2Payload(payload, plain.data(), plain.size());
  if (config_.suite == suiteEcc) {
    const Bytes ephemeral(keyBytes, 0x77);
    append(packet, responder_.write(packet, ephemeral, plain, keys_));
  } else if (config_.suite == suiteRsa) {
    const Bytes nonce(16, 0x99);
    Bytes ikm(rsaMessage_.begin(), rsaMessage_.begin() + keyBytes);
    append(ikm, nonce);
    uint8_t hash[hashBytes];
    port_.sha256(port_.context, rsaMessage_.data(), rsaMessage_.size(), hash);
    append(ikm, Bytes(hash, hash + hashBytes));
    const Bytes keys = derived(port_, config_.psk, ikm, "wattmesh rsa", config_.networkNumber, 3 * keyBytes);
    memcpy(keys_.up, keys.data() + keyBytes, keyBytes);
    memcpy(keys_.down, keys.data() + 2 * keyBytes, keyBytes);
    append(packet, nonce);
    append(packet, aeadSealed(port_, keys.data(), 0, packet, plain));
  } else {
    append(packet, plain);
    packet.resize(packet.size() + crcBytes);
    sealNone(packet.data(), packet.size() - crcBytes, packet.size());
  }
  return packet;
}

Bytes HeadEnd::down(uint32_t epoch, uint32_t counter, const Bytes& plain) const {
  Bytes packet = header(packetDown, session_, epoch, counter);
  if (config_.suite == suiteNone) {
    append(packet, plain);
    packet.resize(packet.size() + crcBytes);
    sealNone(packet.data(), packet.size() - crcBytes, packet.size());
  } else {
    append(packet, aeadSealed(port_, keys_.down, static_cast<uint64_t>(epoch) << 32 | counter, packet, plain));
  }
  return packet;
}

bool HeadEnd::open(const Bytes& packet, Bytes& plain) const {
  PacketHeader header{};
  if (decodePacketHeader(packet.data(), packet.size(), header) != Error::none || header.type != packetUp) return false;
  if (header.suite != config_.suite || header.session != session_) return false;
  const Bytes aad(packet.begin(), packet.begin() + upHeaderBytes);
  if (config_.suite != suiteNone) return aeadOpened(port_, keys_.up, header.counter, aad, Bytes(packet.begin() + upHeaderBytes, packet.end()), plain);
  const uint8_t* bytes = nullptr;
  size_t length = 0;
  if (openNone(packet.data(), packet.size(), header.headerLength, bytes, length) != Error::none) return false;
  plain.assign(bytes, bytes + length);
  return true;
}

bool fakeOaep(void*, uint8_t out[rsaBytes], const uint8_t*, const uint8_t*, size_t, const uint8_t* plain, size_t length) {
  memset(out, 0xee, rsaBytes);
  memcpy(out, plain, length);
  return true;
}
