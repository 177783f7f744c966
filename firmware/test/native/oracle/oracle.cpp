// Computes what it is asked, a line of standard input at a time: an operation, then its arguments in hexadecimal ("-": no bytes) or
// decimal. Answers with a line of results, "none" for a refusal. Whoever asks knows what to expect: test/firmware/oracle.ts.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <string>

#include "../backend.hpp"
#include "../security/head-end.hpp"
#include "wattmesh/handshake.hpp"
#include "wattmesh/transport.hpp"

using namespace wattmesh;

namespace {

// A port whose RSA results are what the question says.
struct Chip {
  Port port = {};
  Bytes rsaResult;

  Chip() {
    useBackend(port);
    port.context = this;
  }
};

Bytes read(std::istream& line) {
  std::string word;
  line >> word;
  Bytes bytes;
  if (word == "-") return bytes;
  for (size_t i = 0; i + 1 < word.size(); i += 2) bytes.push_back(static_cast<uint8_t>(strtoul(word.substr(i, 2).c_str(), nullptr, 16)));
  return bytes;
}

uint32_t readNumber(std::istream& line) {
  uint32_t number = 0;
  line >> number;
  return number;
}

std::string hex(const uint8_t* bytes, size_t length) {
  std::string text = length == 0 ? "-" : "";
  for (size_t i = 0; i < length; i++) {
    char pair[3];
    snprintf(pair, sizeof pair, "%02x", bytes[i]);
    text += pair;
  }
  return text;
}

std::string hex(const Bytes& bytes) { return hex(bytes.data(), bytes.size()); }

std::string hexKeys(const SessionKeys& keys) { return hex(keys.up, keyBytes) + " " + hex(keys.down, keyBytes); }

std::string answerHash(Chip& chip, const std::string& operation, std::istream& line) {
  uint8_t out[hkdfOutputBytesMax];
  if (operation == "sha256") {
    const Bytes data = read(line);
    chip.port.sha256(&chip, data.data(), data.size(), out);
    return hex(out, hashBytes);
  }
  if (operation == "hmac") {
    const Bytes key = read(line);
    const Bytes message = read(line);
    Bytes buffer(hmacRoomBytes + std::max(message.size(), hashBytes));
    std::copy(message.begin(), message.end(), buffer.begin() + hmacRoomBytes);
    hmacSha256(chip.port, key.data(), key.size(), buffer.data(), message.size(), out);
    return hex(out, hashBytes);
  }
  const Bytes salt = read(line);
  const Bytes ikm = read(line);
  const Bytes info = read(line);
  const uint32_t length = readNumber(line);
  hkdfSha256(chip.port, salt.data(), salt.size(), ikm.data(), ikm.size(), info.data(), info.size(), out, length);
  return hex(out, length);
}

std::string answerCurve(Chip& chip, const std::string& operation, std::istream& line) {
  Bytes secret = read(line);
  Bytes point = read(line);
  Bytes out(keyBytes);
  if (operation == "shared") return sharedSecret(chip.port, secret.data(), point.data(), out.data()) ? hex(out) : "none";
  // As often as wanted, the result being the next scalar and the scalar the next point (RFC 7748, section 5.2).
  for (uint32_t rounds = readNumber(line); rounds > 0; rounds--) {
    chip.port.x25519(&chip, out.data(), secret.data(), point.data());
    point = secret;
    secret = out;
  }
  return hex(out);
}

// In place, as the core does it, and into another buffer: both must give the same.
std::string answerAead(Chip& chip, const std::string& operation, std::istream& line) {
  const Bytes key = read(line);
  const Bytes nonce = read(line);
  const Bytes aad = read(line);
  Bytes bytes = read(line);
  const size_t length = bytes.size();
  if (operation == "seal") {
    Bytes out(length + tagBytes);
    chip.port.aeadSeal(&chip, out.data(), key.data(), nonce.data(), aad.data(), aad.size(), bytes.data(), length);
    bytes.resize(length + tagBytes);
    chip.port.aeadSeal(&chip, bytes.data(), key.data(), nonce.data(), aad.data(), aad.size(), bytes.data(), length);
    return bytes == out ? hex(out) : "not the same in place";
  }
  Bytes out(length < tagBytes ? 0 : length - tagBytes);
  const bool opened = chip.port.aeadOpen(&chip, out.data(), key.data(), nonce.data(), aad.data(), aad.size(), bytes.data(), length);
  return opened ? hex(out) : "none";
}

std::string answerOaep(Chip& chip, std::istream& line) {
  const Bytes modulus = read(line);
  const Bytes label = read(line);
  const Bytes plain = read(line);
  uint8_t out[rsaBytes];
  if (chip.port.rsaOaepEncrypt == nullptr) return "none";
  const bool done = chip.port.rsaOaepEncrypt(&chip, out, modulus.data(), label.data(), label.size(), plain.data(), plain.size());
  return done ? hex(out, sizeof out) : "none";
}

// prologue, responder's key, own secret, ephemeral secret, payload, second message -> first message, second payload, keys
std::string answerInitiator(Chip& chip, std::istream& line) {
  const Bytes prologue = read(line);
  const Bytes responderKey = read(line);
  const Bytes secret = read(line);
  const Bytes ephemeral = read(line);
  const Bytes payload = read(line);
  const Bytes second = read(line);
  uint8_t publicKey[keyBytes];
  publicKeyOf(chip.port, secret.data(), publicKey);
  NoiseInitiator noise;
  Bytes first(payload.size() + noiseM1Bytes);
  if (!noise.start(chip.port, prologue.data(), prologue.size(), responderKey.data(), secret.data(), publicKey, ephemeral.data(),
                   payload.data(), payload.size(), first.data())) {
    return "none";
  }
  if (second.size() < noiseM2Bytes) return hex(first) + " none";
  Bytes opened(second.size() - noiseM2Bytes);
  SessionKeys keys{};
  if (!noise.finish(nullptr, 0, secret.data(), second.data(), second.size(), opened.data(), keys)) return hex(first) + " none";
  return hex(first) + " " + hex(opened) + " " + hexKeys(keys);
}

// prologue, own secret, ephemeral secret, first message, second payload -> initiator's key, first payload, second message, keys
std::string answerResponder(Chip& chip, std::istream& line) {
  const Bytes prologue = read(line);
  const Bytes secret = read(line);
  const Bytes ephemeral = read(line);
  const Bytes first = read(line);
  const Bytes payload = read(line);
  NoiseResponder noise(chip.port, secret);
  Bytes initiatorKey;
  Bytes firstPayload;
  if (!noise.read(prologue, first, initiatorKey, firstPayload)) return "none";
  SessionKeys keys{};
  const Bytes second = noise.write({}, ephemeral, payload, keys);
  return hex(initiatorKey) + " " + hex(firstPayload) + " " + hex(second) + " " + hexKeys(keys);
}

// suite, network number, head-end's key, PSK, device secret, secret of this handshake, RSA ciphertext, M1 payload, M2 packet
// -> packets of M1 (comma between), M2's payload, keys; after an M2 that is refused its error number instead of the latter two
std::string answerHandshake(Chip& chip, std::istream& line) {
  Config config{};
  config.suite = static_cast<uint8_t>(readNumber(line));
  config.networkNumber = readNumber(line);
  const Bytes headEndKey = read(line);
  const Bytes psk = read(line);
  memcpy(config.headEndKey, headEndKey.data(), headEndKey.size());
  memcpy(config.psk, psk.data(), psk.size());
  const Bytes secret = read(line);
  const Bytes fresh = read(line);
  chip.rsaResult = read(line);
  const Bytes m1 = read(line);
  const Bytes m2 = read(line);
  config.rsaModulus = chip.rsaResult.data();
  chip.port.rsaOaepEncrypt = [](void* self, uint8_t out[rsaBytes], const uint8_t*, const uint8_t*, size_t, const uint8_t*, size_t) {
    memcpy(out, static_cast<Chip*>(self)->rsaResult.data(), rsaBytes);
    return true;
  };

  Identity identity{};
  memcpy(identity.secret, secret.data(), keyBytes);
  publicKeyOf(chip.port, identity.secret, identity.publicKey);
  nodeIdOf(chip.port, identity.publicKey, identity.nodeId);
  Handshake handshake;
  handshake.begin(chip.port, config, identity);
  M1Payload payload{};
  Error error = decodeM1Payload(m1.data(), m1.size(), payload);
  if (error == Error::none) error = handshake.start(payload, fresh.data());
  if (error != Error::none) return std::to_string(static_cast<int>(error));
  std::string answer;
  uint8_t packet[packetBytesMax];
  size_t length = 0;
  for (size_t part = 0; (length = handshake.part(part, packet)) > 0; part++) answer += (part > 0 ? "," : "") + hex(packet, length);

  PacketHeader header{};
  M2Payload opened{};
  SessionKeys keys{};
  error = decodePacketHeader(m2.data(), m2.size(), header);
  if (error == Error::none) error = handshake.finish(header, m2.data(), m2.size(), opened, keys);
  if (error != Error::none) return answer + " " + std::to_string(static_cast<int>(error));
  uint8_t bytes[m2PayloadBytes];
  return answer + " " + hex(bytes, encodeM2Payload(opened, bytes, sizeof bytes)) + " " + hexKeys(keys);
}

// suite, session, node id, key up, key down, counter, plaintext, downlink -> uplink ("none": the session is at its end), and the downlink's
// plaintext or error number
std::string answerTransport(Chip& chip, std::istream& line) {
  const uint8_t suite = static_cast<uint8_t>(readNumber(line));
  const uint8_t session = static_cast<uint8_t>(readNumber(line));
  const Bytes nodeId = read(line);
  const Bytes up = read(line);
  const Bytes down = read(line);
  const uint32_t counter = readNumber(line);
  const Bytes plain = read(line);
  const Bytes packet = read(line);
  SessionKeys keys{};
  memcpy(keys.up, up.data(), keyBytes);
  memcpy(keys.down, down.data(), keyBytes);
  Transport transport;
  transport.begin(chip.port, suite, nodeId.data(), session, keys, 0, counter);
  uint8_t out[packetBytesMax];
  uint32_t used = 0;
  const size_t length = transport.seal(plain.data(), plain.size(), out, used);
  std::string answer = length == 0 ? "none" : hex(out, length);
  PacketHeader header{};
  size_t plainLength = 0;
  Error error = decodePacketHeader(packet.data(), packet.size(), header);
  if (error == Error::none) error = transport.open(header, packet.data(), packet.size(), out, plainLength);
  return answer + " " + (error == Error::none ? hex(out, plainLength) : std::to_string(static_cast<int>(error)));
}

std::string answerTo(const std::string& operation, std::istream& line) {
  Chip chip;
  if (operation == "sha256" || operation == "hmac" || operation == "hkdf") return answerHash(chip, operation, line);
  if (operation == "x25519" || operation == "shared") return answerCurve(chip, operation, line);
  if (operation == "seal" || operation == "open") return answerAead(chip, operation, line);
  if (operation == "oaep") return answerOaep(chip, line);
  if (operation == "noise-initiator") return answerInitiator(chip, line);
  if (operation == "noise-responder") return answerResponder(chip, line);
  if (operation == "handshake") return answerHandshake(chip, line);
  if (operation == "transport") return answerTransport(chip, line);
  return "unknown operation";
}

}  // namespace

int main() {
  for (std::string text; std::getline(std::cin, text);) {
    std::istringstream line(text);
    std::string operation;
    line >> operation;
    std::cout << answerTo(operation, line) << "\n";
  }
  return 0;
}
