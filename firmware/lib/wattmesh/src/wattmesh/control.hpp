// The small frame bodies: ROUTE, CHALLENGE, JOIN, LEAVE, FLOOD (PROTOCOL.md, sections 2.4 to 2.8).
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/errors.hpp"

namespace wattmesh {

constexpr size_t routeBytes = 8;
constexpr size_t nonceBytes = 8;
constexpr size_t challengeBytesMax = 1 + nonceBytes + 4;
constexpr size_t leaveBytes = 6;
constexpr size_t joinHeaderBytes = 1;
constexpr size_t floodHeaderBytes = 6;

enum class RouteKind : uint8_t { parentChanged = 1, unreachable = 2, newTree = 3 };

struct Route {
  uint8_t hops;
  RouteKind kind;
  uint16_t node;
  uint16_t other;
  uint16_t number;
};

struct Challenge {
  bool isAnswer;
  uint8_t nonce[nonceBytes];
  uint32_t counter;  // of an answer: the sender's last link counter
};

// Solicit: in JOIN frames only, without a packet.
enum class Direction : uint8_t { up = 1, down = 2, solicit = 3 };

struct Join {
  Direction direction;
  const uint8_t* packet;
  size_t packetLength;
};

struct Leave {
  uint16_t origin;
  uint16_t newHub;
  uint16_t number;
};

struct Flood {
  uint8_t ttl;
  uint16_t origin;
  uint16_t number;
  Direction direction;
  const uint8_t* packet;
  size_t packetLength;
};

[[nodiscard]] Error decodeRoute(const uint8_t* body, size_t length, Route& route);
[[nodiscard]] Error decodeChallenge(const uint8_t* body, size_t length, Challenge& challenge);
[[nodiscard]] Error decodeJoin(const uint8_t* body, size_t length, Join& join);
[[nodiscard]] Error decodeLeave(const uint8_t* body, size_t length, Leave& leave);
[[nodiscard]] Error decodeFlood(const uint8_t* body, size_t length, Flood& flood);

// Bytes written; 0 when they do not fit.
size_t encodeRoute(const Route& route, uint8_t* out, size_t capacity);
size_t encodeChallenge(const Challenge& challenge, uint8_t* out, size_t capacity);
size_t encodeJoin(const Join& join, uint8_t* out, size_t capacity);
size_t encodeLeave(const Leave& leave, uint8_t* out, size_t capacity);
size_t encodeFlood(const Flood& flood, uint8_t* out, size_t capacity);

}  // namespace wattmesh
