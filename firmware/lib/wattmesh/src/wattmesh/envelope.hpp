// Envelopes between gateway and host (PROTOCOL.md, section 5).
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/errors.hpp"
#include "wattmesh/item.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/packet.hpp"

namespace wattmesh {

constexpr size_t upAcksMax = 32;
constexpr size_t instanceIdBytes = 8;
constexpr uint8_t downFlagHold = 0x01;

enum class EnvelopeType : uint8_t { hello = 1, up, upAck, down, downResult, time, stats, log };
enum class LogLevel : uint8_t { error = 1, warning = 2, info = 3 };

struct HelloGateway {
  uint8_t nodeId[nodeIdBytes];
  uint16_t shortId;
  uint8_t firmware[3];
  Role role;
  uint32_t bootId;
  uint32_t networkNumber;
  uint8_t window;
};

struct HelloHost {
  uint8_t instanceId[instanceIdBytes];
  uint32_t networkNumber;
};

struct Up {
  uint32_t number;
  int8_t rssiDbm;  // 0: the gateway's own packet
  uint64_t utcMs;  // 0: unknown
  Item item;
};

struct UpAck {
  uint8_t count;
  uint32_t number[upAcksMax];
};

struct Down {
  uint32_t token;
  uint32_t expiresS;
  bool hold;
  const uint8_t* packet;
  size_t packetLength;
};

struct DownResult {
  uint32_t token;
  uint16_t error;
};

struct HostTime {
  uint64_t utcMs;
  bool synchronised;
};

struct GatewayStats {
  uint32_t uptimeS;
  uint32_t framesReceived;
  uint32_t framesSent;
  uint32_t sendsFailed;
  uint32_t badMac;
  uint32_t replays;
  uint32_t malformed;
  uint32_t queueFull;
  uint16_t queue;
  uint16_t members;
  uint16_t neighbours;
};

struct LogText {
  LogLevel level;
  const uint8_t* text;
  size_t length;
};

// Judges length, version and type of an envelope. The decoders below judge the rest; they expect an envelope of their type.
[[nodiscard]] Error openEnvelope(const uint8_t* envelope, size_t length, EnvelopeType& type);

[[nodiscard]] Error decodeHelloGateway(const uint8_t* envelope, size_t length, HelloGateway& hello);
[[nodiscard]] Error decodeHelloHost(const uint8_t* envelope, size_t length, HelloHost& hello);
[[nodiscard]] Error decodeUp(const uint8_t* envelope, size_t length, Up& up);
[[nodiscard]] Error decodeUpAck(const uint8_t* envelope, size_t length, UpAck& ack);
[[nodiscard]] Error decodeDown(const uint8_t* envelope, size_t length, Down& down);
[[nodiscard]] Error decodeDownResult(const uint8_t* envelope, size_t length, DownResult& result);
[[nodiscard]] Error decodeHostTime(const uint8_t* envelope, size_t length, HostTime& time);
[[nodiscard]] Error decodeGatewayStats(const uint8_t* envelope, size_t length, GatewayStats& stats);
[[nodiscard]] Error decodeLogText(const uint8_t* envelope, size_t length, LogText& log);

// Bytes written; 0 when they do not fit.
size_t encodeHelloGateway(const HelloGateway& hello, uint8_t* out, size_t capacity);
size_t encodeHelloHost(const HelloHost& hello, uint8_t* out, size_t capacity);
size_t encodeUp(const Up& up, uint8_t* out, size_t capacity);
size_t encodeUpAck(const UpAck& ack, uint8_t* out, size_t capacity);
size_t encodeDown(const Down& down, uint8_t* out, size_t capacity);
size_t encodeDownResult(const DownResult& result, uint8_t* out, size_t capacity);
size_t encodeHostTime(const HostTime& time, uint8_t* out, size_t capacity);
size_t encodeGatewayStats(const GatewayStats& stats, uint8_t* out, size_t capacity);
size_t encodeLogText(const LogText& log, uint8_t* out, size_t capacity);

}  // namespace wattmesh
