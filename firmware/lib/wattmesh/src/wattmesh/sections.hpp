// The sections of a transport packet's plaintext (PROTOCOL.md, section 3.2). READINGS has a file of its own, batch.hpp.
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/bytes.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/packet.hpp"

namespace wattmesh {

constexpr uint8_t sectionReadings = 0x01;
constexpr uint8_t sectionTelemetry = 0x02;
constexpr uint8_t sectionEcho = 0x03;
constexpr uint8_t sectionResult = 0x04;
constexpr uint8_t sectionProbe = 0x05;
constexpr uint8_t sectionEvent = 0x06;
constexpr uint8_t sectionLost = 0x07;
constexpr uint8_t sectionAck = 0x81;
constexpr uint8_t sectionCommand = 0x82;
constexpr uint8_t sectionNetworkKey = 0x83;
constexpr uint8_t sectionEventSeen = 0x84;

constexpr size_t commandDataBytesMax = 32;
constexpr size_t eventBytes = 9;
constexpr uint16_t batteryNone = 65535;

enum class Operation : uint8_t {
  resultSeen = 0,
  pollNow = 1,
  setInterval = 2,
  identify = 3,
  reboot = 4,
  rekey = 5,
  relayPrepare = 16,
  relayCommit = 17,
};

enum class Outcome : uint8_t { done = 0, prepared = 1, refused = 2, expired = 3, unknownOperation = 4, failed = 5 };

struct Section {
  uint8_t kind;
  const uint8_t* body;
  uint8_t length;
};

struct Telemetry {
  uint16_t shortId;
  uint16_t parent;
  int8_t parentRssiDbm;
  uint16_t linkEtx;  // 1/128
  uint16_t cost;
  uint8_t hops;
  uint8_t queue;
  uint16_t bootCount;
  uint8_t resetCause;
  uint16_t batteryMv;
  uint32_t freeRamBytes;
  uint32_t uptimeS;
};

struct Echo {
  uint32_t epoch;
  uint32_t counter;
};

struct Result {
  uint16_t command;
  Outcome outcome;
  uint8_t length;
  uint8_t data[commandDataBytesMax];
};

// Values are PROTOCOL.md's, section 4.3.
enum class EventCode : uint8_t {
  powerFailing = 1,
  powerBack = 2,
  overCurrent = 3,
  overVoltage = 4,
  underVoltage = 5,
  tamper = 6,
  switchMoved = 7,
  clockWrong = 8,
  suppressed = 9,
};

struct Event {
  uint8_t code;
  uint64_t utcMs;
  int16_t value;
};

// Rows that a log no longer holds although they are younger than its oldest: they can never be sent.
struct Lost {
  uint8_t logId[logIdBytes];
  uint32_t first;
  uint32_t last;
};

struct AckSection {
  uint8_t logId[logIdBytes];
  uint32_t cumulative;
  uint64_t utcMs;
  uint8_t ranges;
  uint32_t first[ackRangesMax];
  uint32_t last[ackRangesMax];
};

struct CommandSection {
  uint16_t command;
  uint8_t operation;  // any: unknown ones are answered with Outcome::unknownOperation
  uint8_t length;
  uint8_t arguments[commandDataBytesMax];
};

struct NetworkKeySection {
  uint8_t keyId;
  uint8_t knet[networkKeyBytes];
  uint32_t secondsUntilUse;
};

// The next section; call while reader.remaining() > 0. Unknown kinds are the caller's to skip and count.
[[nodiscard]] Error nextSection(Reader& reader, Section& section);
// Judges a whole plaintext of one direction, so that a packet with one malformed section is dropped before any takes effect.
[[nodiscard]] Error checkUpSections(const uint8_t* plain, size_t length);
[[nodiscard]] Error checkDownSections(const uint8_t* plain, size_t length);

[[nodiscard]] Error decodeTelemetry(const Section& section, Telemetry& telemetry);
[[nodiscard]] Error decodeEcho(const Section& section, Echo& echo);
[[nodiscard]] Error decodeResult(const Section& section, Result& result);
[[nodiscard]] Error decodeProbe(const Section& section);
// EVENT, and EVENT_SEEN, which repeats it.
[[nodiscard]] Error decodeEvent(const Section& section, Event& event);
[[nodiscard]] Error decodeLost(const Section& section, Lost& lost);
[[nodiscard]] Error decodeAck(const Section& section, AckSection& ack);
[[nodiscard]] Error decodeCommand(const Section& section, CommandSection& command);
[[nodiscard]] Error decodeNetworkKey(const Section& section, NetworkKeySection& networkKey);

// Writers of whole sections. False: it does not fit; then the writer is as it was.
bool writeTelemetry(Writer& writer, const Telemetry& telemetry);
bool writeEcho(Writer& writer, const Echo& echo);
bool writeResult(Writer& writer, const Result& result);
bool writeProbe(Writer& writer);
bool writeEvent(Writer& writer, const Event& event);
bool writeEventSeen(Writer& writer, const Event& event);
bool writeLost(Writer& writer, const Lost& lost);
bool writeAck(Writer& writer, const AckSection& ack);
bool writeCommand(Writer& writer, const CommandSection& command);
bool writeNetworkKey(Writer& writer, const NetworkKeySection& networkKey);

}  // namespace wattmesh
