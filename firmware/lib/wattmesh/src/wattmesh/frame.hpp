// The radio frame: header, body, link MAC (PROTOCOL.md, section 2).
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/crypto.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/port.hpp"

namespace wattmesh {

constexpr uint8_t wireVersion = 1;
constexpr uint8_t keyIdMax = 15;
constexpr uint8_t joinKeyId = 0;

enum class FrameType : uint8_t { beacon = 1, data, routed, route, challenge, join, leave, flood };

struct FrameHeader {
  FrameType type;
  uint8_t keyId;
  uint32_t counter;
};

// Judges the structure only: neither key id nor MAC. `body` points into `frame`.
[[nodiscard]] Error openFrame(const uint8_t* frame, size_t length, FrameHeader& header, const uint8_t*& body, size_t& bodyLength);

// Writes linkHeaderBytes bytes and returns that number.
size_t writeFrameHeader(uint8_t* out, FrameType type, uint8_t keyId, uint32_t counter);

// The MAC over header and body as they stand in `frame`. `lengthWithoutMac` is at most frameBytesMax - linkMacBytes.
void frameMac(const Port& port, const uint8_t linkKey[networkKeyBytes], const uint8_t transmitter[macBytes],
              const uint8_t receiver[macBytes], uint32_t networkNumber, const uint8_t* frame, size_t lengthWithoutMac,
              uint8_t out[linkMacBytes]);

}  // namespace wattmesh
