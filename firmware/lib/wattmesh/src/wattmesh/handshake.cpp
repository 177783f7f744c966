#include "wattmesh/handshake.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"

namespace wattmesh {

namespace {

constexpr size_t fragmentBytesMax = 180;
constexpr uint8_t fragments = 2;
constexpr uint8_t zeroNonce[aeadNonceBytes] = {};

const uint8_t* text(const char* value) { return reinterpret_cast<const uint8_t*>(value); }

void writeText(Writer& writer, const char* value) { writer.bytes(text(value), strlen(value)); }

}  // namespace

void Handshake::begin(const Port& port, const Config& config, const Identity& identity) {
  port_ = &port;
  config_ = &config;
  identity_ = &identity;
}

Error Handshake::start(const M1Payload& payload, const uint8_t fresh[keyBytes]) {
  forget();
  number_ = payload.handshake;
  PacketHeader header{};
  header.type = packetM1;
  header.suite = config_->suite;
  header.fragment = isRsa();
  memcpy(header.nodeId, identity_->nodeId, nodeIdBytes);
  header.counter = number_;
  Writer writer(message_, upHeaderBytes);
  uint8_t bytes[m1PayloadBytes];
  if (!encodePacketHeader(writer, header) || encodeM1Payload(payload, bytes, sizeof bytes) != m1PayloadBytes) return Error::badField;
  if (config_->suite == suiteEcc) return startEcc(bytes, fresh);
  if (isRsa()) return startRsa(bytes, fresh);
  memcpy(message_ + upHeaderBytes, identity_->publicKey, keyBytes);
  memcpy(message_ + upHeaderBytes + keyBytes, bytes, m1PayloadBytes);
  length_ = sealNone(message_, upHeaderBytes + keyBytes + m1PayloadBytes, rsaSecretAt);
  return Error::none;
}

Error Handshake::startEcc(const uint8_t* payload, const uint8_t fresh[keyBytes]) {
  uint8_t prologue[noisePartBytesMax];
  Writer writer(prologue, sizeof prologue);
  writeText(writer, "wattmesh");
  writer.u8(message_[0]);
  writer.u8(message_[1]);
  writer.u32(config_->networkNumber);
  writer.bytes(message_, upHeaderBytes);
  if (!noise().start(*port_, prologue, writer.length(), config_->headEndKey, identity_->secret, identity_->publicKey, fresh,
                    payload, m1PayloadBytes, message_ + upHeaderBytes)) {
    return Error::noKey;
  }
  length_ = upHeaderBytes + noiseM1Bytes + m1PayloadBytes;
  return Error::none;
}

Error Handshake::startRsa(const uint8_t* payload, const uint8_t fresh[keyBytes]) {
  if (port_->rsaOaepEncrypt == nullptr) return Error::suiteRefused;
  static const char label[] = "wattmesh 1";
  memcpy(rsaSecret(), fresh, keyBytes);
  uint8_t* cipher = message_ + upHeaderBytes;
  if (config_->rsaModulus == nullptr || !port_->rsaOaepEncrypt(port_->context, cipher, config_->rsaModulus, text(label), sizeof label - 1,
                                                               rsaSecret(), keyBytes)) {
    return Error::noKey;
  }
  uint8_t* deviceKey = cipher + rsaBytes;
  uint8_t* sealed = deviceKey + keyBytes;
  memcpy(deviceKey, identity_->publicKey, keyBytes);

  uint8_t bytes[hkdfInfoBytesMax];
  Writer info(bytes, sizeof bytes);
  writeText(info, "wattmesh rsa m1");
  info.u32(config_->networkNumber);
  uint8_t key[keyBytes];
  hkdfSha256(*port_, config_->psk, sizeof config_->psk, rsaSecret(), keyBytes, bytes, info.length(), key, sizeof key);
  const size_t aadLength = static_cast<size_t>(sealed - message_);
  port_->aeadSeal(port_->context, sealed, key, zeroNonce, message_, aadLength, payload, m1PayloadBytes);
  wipe(key, sizeof key);
  length_ = upHeaderBytes + rsaMessageBytes;
  return Error::none;
}

size_t Handshake::part(size_t index, uint8_t out[packetBytesMax]) const {
  Writer writer(out, packetBytesMax);
  if (!isRsa()) {
    if (index == 0) writer.bytes(message_, length_);
    return writer.ok() ? writer.length() : 0;
  }
  if (!pending() || index >= fragments) return 0;
  const size_t from = index * fragmentBytesMax;
  const size_t rest = rsaMessageBytes - from;
  writer.bytes(message_, upHeaderBytes);
  writer.u8(static_cast<uint8_t>(index << 4 | fragments));
  writer.bytes(message_ + upHeaderBytes + from, rest < fragmentBytesMax ? rest : fragmentBytesMax);
  return writer.ok() ? writer.length() : 0;
}

Error Handshake::finish(const PacketHeader& header, const uint8_t* packet, size_t length, M2Payload& out, SessionKeys& keys) {
  if (!pending() || header.counter != number_) return Error::notJoined;
  if (header.suite != config_->suite) return Error::suiteRefused;
  if (header.fragment) return Error::badField;
  uint8_t payload[m2PayloadBytes];
  Error error = Error::none;
  if (config_->suite == suiteEcc) {
    error = finishEcc(header, packet, length, payload, keys);
  } else if (isRsa()) {
    error = finishRsa(header, packet, length, payload, keys);
  } else {
    const uint8_t* plain = nullptr;
    size_t plainLength = 0;
    error = openNone(packet, length, header.headerLength, plain, plainLength);
    if (error == Error::none && plainLength != m2PayloadBytes) error = decodeM2Payload(plain, plainLength, out);
    if (error == Error::none) memcpy(payload, plain, m2PayloadBytes);
  }
  if (error == Error::none) error = decodeM2Payload(payload, sizeof payload, out);
  wipe(payload, sizeof payload);
  if (error != Error::none) return error;
  // What nothing protects is no key.
  if (config_->suite == suiteNone) out.keyId = 0;
  forget();
  return Error::none;
}

Error Handshake::finishEcc(const PacketHeader& header, const uint8_t* packet, size_t length, uint8_t* payload, SessionKeys& keys) const {
  const size_t bodyLength = length - header.headerLength;
  if (bodyLength != noiseM2Bytes + m2PayloadBytes) return bodyLength < noiseM2Bytes + m2PayloadBytes ? Error::truncated : Error::trailingBytes;
  return noise().finish(packet, header.headerLength, identity_->secret, packet + header.headerLength, bodyLength, payload, keys)
             ? Error::none
             : Error::badTag;
}

Error Handshake::finishRsa(const PacketHeader& header, const uint8_t* packet, size_t length, uint8_t* payload, SessionKeys& keys) const {
  const size_t bodyLength = length - header.headerLength;
  // Every failure is the one error.
  if (bodyLength != rsaNonceBytes + m2PayloadBytes + tagBytes) return Error::badTag;
  const uint8_t* nonce = packet + header.headerLength;
  uint8_t ikm[keyBytes + rsaNonceBytes + hashBytes];
  memcpy(ikm, rsaSecret(), keyBytes);
  memcpy(ikm + keyBytes, nonce, rsaNonceBytes);
  port_->sha256(port_->context, message_ + upHeaderBytes, rsaMessageBytes, ikm + keyBytes + rsaNonceBytes);
  uint8_t bytes[hkdfInfoBytesMax];
  Writer info(bytes, sizeof bytes);
  writeText(info, "wattmesh rsa");
  info.u32(config_->networkNumber);
  uint8_t derived[3 * keyBytes];
  hkdfSha256(*port_, config_->psk, sizeof config_->psk, ikm, sizeof ikm, bytes, info.length(), derived, sizeof derived);
  const bool opened = port_->aeadOpen(port_->context, payload, derived, zeroNonce, packet, header.headerLength + rsaNonceBytes,
                                      nonce + rsaNonceBytes, m2PayloadBytes + tagBytes);
  if (opened) {
    memcpy(keys.up, derived + keyBytes, keyBytes);
    memcpy(keys.down, derived + 2 * keyBytes, keyBytes);
  }
  wipe(ikm, sizeof ikm);
  wipe(derived, sizeof derived);
  return opened ? Error::none : Error::badTag;
}

void Handshake::forget() {
  length_ = 0;
  wipe(message_, sizeof message_);
}

}  // namespace wattmesh
