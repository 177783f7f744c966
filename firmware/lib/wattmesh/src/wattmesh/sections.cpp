#include "wattmesh/sections.hpp"

#include "wattmesh/batch.hpp"
#include "wattmesh/checks.hpp"
#include "wattmesh/frame.hpp"

namespace wattmesh {

namespace {

constexpr size_t telemetryBytes = 24;
constexpr size_t echoBytes = 8;
constexpr size_t commandHeadBytes = 3;  // of COMMAND and RESULT, before the data
constexpr size_t lostBytes = 12;
constexpr size_t ackHeadBytes = 17;
constexpr size_t ackRangeBytes = 8;
constexpr size_t networkKeyBodyBytes = 21;

// Kind and length of a section whose body is written next.
void begin(Writer& writer, uint8_t kind, size_t length) {
  writer.u8(kind);
  writer.u8(static_cast<uint8_t>(length));
}

// Data of RESULT and COMMAND: the rest of the body.
Error takeData(Reader& reader, Verdict& verdict, uint8_t data[commandDataBytesMax], uint8_t& length) {
  verdict.require(reader.remaining() <= commandDataBytesMax, Error::badLength);
  if (verdict.error() != Error::none) return verdict.endOfSection();
  length = static_cast<uint8_t>(reader.remaining());
  reader.copy(data, length);
  return Error::none;
}

Error checkReadings(const Section& section) {
  BatchReader reader(section.body, section.length);
  BatchHead head;
  Error error = reader.open(head);
  for (unsigned i = 0; error == Error::none && i < head.count; i++) {
    Row row;
    error = reader.next(row);
  }
  return error == Error::none ? reader.end() : error;
}

Error checkUp(const Section& section) {
  Telemetry telemetry;
  Echo echo;
  Result result;
  Event event;
  Lost lost;
  switch (section.kind) {
    case sectionReadings:
      return checkReadings(section);
    case sectionTelemetry:
      return decodeTelemetry(section, telemetry);
    case sectionEcho:
      return decodeEcho(section, echo);
    case sectionResult:
      return decodeResult(section, result);
    case sectionProbe:
      return decodeProbe(section);
    case sectionEvent:
      return decodeEvent(section, event);
    case sectionLost:
      return decodeLost(section, lost);
    default:
      return Error::none;
  }
}

Error checkDown(const Section& section) {
  AckSection ack;
  CommandSection command;
  NetworkKeySection networkKey;
  Event event;
  switch (section.kind) {
    case sectionAck:
      return decodeAck(section, ack);
    case sectionCommand:
      return decodeCommand(section, command);
    case sectionNetworkKey:
      return decodeNetworkKey(section, networkKey);
    case sectionEventSeen:
      return decodeEvent(section, event);
    default:
      return Error::none;
  }
}

Error checkSections(const uint8_t* plain, size_t length, Error (*check)(const Section&)) {
  Reader reader(plain, length);
  while (reader.remaining() > 0) {
    Section section;
    Error error = nextSection(reader, section);
    if (error == Error::none) error = check(section);
    if (error != Error::none) return error;
  }
  return Error::none;
}

bool writeEventAs(uint8_t kind, Writer& writer, const Event& event) {
  const size_t start = writer.length();
  begin(writer, kind, eventBytes);
  writer.u8(event.code);
  writer.u48(event.utcMs);
  writer.u16(static_cast<uint16_t>(event.value));
  return keepOrRewind(writer, start);
}

}  // namespace

Error nextSection(Reader& reader, Section& section) {
  section.kind = reader.u8();
  section.length = reader.u8();
  section.body = reader.view(section.length);
  return reader.ok() ? Error::none : Error::truncated;
}

Error checkUpSections(const uint8_t* plain, size_t length) { return checkSections(plain, length, checkUp); }

Error checkDownSections(const uint8_t* plain, size_t length) { return checkSections(plain, length, checkDown); }

Error decodeTelemetry(const Section& section, Telemetry& telemetry) {
  Reader reader(section.body, section.length);
  Verdict verdict(reader);
  telemetry.shortId = reader.u16();
  telemetry.parent = reader.u16();
  telemetry.parentRssiDbm = reader.i8();
  telemetry.linkEtx = reader.u16();
  telemetry.cost = reader.u16();
  telemetry.hops = reader.u8();
  telemetry.queue = reader.u8();
  telemetry.bootCount = reader.u16();
  telemetry.resetCause = reader.u8();
  verdict.require(telemetry.resetCause <= resetCauseMax);
  telemetry.batteryMv = reader.u16();
  telemetry.freeRamBytes = reader.u32();
  telemetry.uptimeS = reader.u32();
  return verdict.endOfSection();
}

bool writeTelemetry(Writer& writer, const Telemetry& telemetry) {
  const size_t start = writer.length();
  begin(writer, sectionTelemetry, telemetryBytes);
  writer.u16(telemetry.shortId);
  writer.u16(telemetry.parent);
  writer.i8(telemetry.parentRssiDbm);
  writer.u16(telemetry.linkEtx);
  writer.u16(telemetry.cost);
  writer.u8(telemetry.hops);
  writer.u8(telemetry.queue);
  writer.u16(telemetry.bootCount);
  writer.u8(telemetry.resetCause);
  writer.u16(telemetry.batteryMv);
  writer.u32(telemetry.freeRamBytes);
  writer.u32(telemetry.uptimeS);
  return keepOrRewind(writer, start);
}

Error decodeEcho(const Section& section, Echo& echo) {
  if (section.length != echoBytes) return Error::badLength;
  Reader reader(section.body, section.length);
  echo.epoch = reader.u32();
  echo.counter = reader.u32();
  return Error::none;
}

bool writeEcho(Writer& writer, const Echo& echo) {
  const size_t start = writer.length();
  begin(writer, sectionEcho, echoBytes);
  writer.u32(echo.epoch);
  writer.u32(echo.counter);
  return keepOrRewind(writer, start);
}

Error decodeResult(const Section& section, Result& result) {
  Reader reader(section.body, section.length);
  Verdict verdict(reader);
  result.command = reader.u16();
  result.outcome = static_cast<Outcome>(reader.u8());
  verdict.require(result.outcome <= Outcome::failed);
  return takeData(reader, verdict, result.data, result.length);
}

bool writeResult(Writer& writer, const Result& result) {
  const size_t start = writer.length();
  begin(writer, sectionResult, commandHeadBytes + result.length);
  writer.u16(result.command);
  writer.u8(static_cast<uint8_t>(result.outcome));
  writer.bytes(result.data, result.length);
  return keepOrRewind(writer, start);
}

Error decodeProbe(const Section& section) { return section.length == 0 ? Error::none : Error::badLength; }

bool writeProbe(Writer& writer) {
  const size_t start = writer.length();
  begin(writer, sectionProbe, 0);
  return keepOrRewind(writer, start);
}

Error decodeEvent(const Section& section, Event& event) {
  if (section.length != eventBytes) return Error::badLength;
  Reader reader(section.body, section.length);
  event.code = reader.u8();
  event.utcMs = reader.u48();
  event.value = static_cast<int16_t>(reader.u16());
  return Error::none;
}

bool writeEvent(Writer& writer, const Event& event) { return writeEventAs(sectionEvent, writer, event); }

bool writeEventSeen(Writer& writer, const Event& event) { return writeEventAs(sectionEventSeen, writer, event); }

Error decodeLost(const Section& section, Lost& lost) {
  Reader reader(section.body, section.length);
  Verdict verdict(reader);
  reader.copy(lost.logId, logIdBytes);
  lost.first = reader.u32();
  verdict.require(lost.first != 0);  // seqs start at 1
  lost.last = reader.u32();
  verdict.require(lost.last >= lost.first);
  return verdict.endOfSection();
}

bool writeLost(Writer& writer, const Lost& lost) {
  const size_t start = writer.length();
  begin(writer, sectionLost, lostBytes);
  writer.bytes(lost.logId, logIdBytes);
  writer.u32(lost.first);
  writer.u32(lost.last);
  return keepOrRewind(writer, start);
}

Error decodeAck(const Section& section, AckSection& ack) {
  Reader reader(section.body, section.length);
  Verdict verdict(reader);
  reader.copy(ack.logId, logIdBytes);
  ack.cumulative = reader.u32();
  ack.utcMs = reader.u64();
  verdict.require(ack.utcMs <= wireNumberMax);
  ack.ranges = reader.u8();
  verdict.require(ack.ranges <= ackRangesMax);
  if (verdict.error() != Error::none) return verdict.endOfSection();
  for (size_t i = 0; i < ack.ranges; i++) {
    ack.first[i] = reader.u32();
    ack.last[i] = reader.u32();
  }
  // A range starts beyond the row that the cumulative mark would take next, and beyond the range before.
  uint64_t above = uint64_t{ack.cumulative} + 1;
  for (size_t i = 0; i < ack.ranges; i++) {
    verdict.require(ack.first[i] > above && ack.last[i] >= ack.first[i]);
    above = ack.last[i];
  }
  return verdict.endOfSection();
}

bool writeAck(Writer& writer, const AckSection& ack) {
  const size_t start = writer.length();
  begin(writer, sectionAck, ackHeadBytes + ack.ranges * ackRangeBytes);
  writer.bytes(ack.logId, logIdBytes);
  writer.u32(ack.cumulative);
  writer.u64(ack.utcMs);
  writer.u8(ack.ranges);
  for (size_t i = 0; i < ack.ranges; i++) {
    writer.u32(ack.first[i]);
    writer.u32(ack.last[i]);
  }
  return keepOrRewind(writer, start);
}

Error decodeCommand(const Section& section, CommandSection& command) {
  Reader reader(section.body, section.length);
  Verdict verdict(reader);
  command.command = reader.u16();
  command.operation = reader.u8();
  return takeData(reader, verdict, command.arguments, command.length);
}

bool writeCommand(Writer& writer, const CommandSection& command) {
  const size_t start = writer.length();
  begin(writer, sectionCommand, commandHeadBytes + command.length);
  writer.u16(command.command);
  writer.u8(command.operation);
  writer.bytes(command.arguments, command.length);
  return keepOrRewind(writer, start);
}

Error decodeNetworkKey(const Section& section, NetworkKeySection& networkKey) {
  Reader reader(section.body, section.length);
  Verdict verdict(reader);
  networkKey.keyId = reader.u8();
  verdict.require(networkKey.keyId != joinKeyId && networkKey.keyId <= keyIdMax);
  reader.copy(networkKey.knet, networkKeyBytes);
  networkKey.secondsUntilUse = reader.u32();
  return verdict.endOfSection();
}

bool writeNetworkKey(Writer& writer, const NetworkKeySection& networkKey) {
  const size_t start = writer.length();
  begin(writer, sectionNetworkKey, networkKeyBodyBytes);
  writer.u8(networkKey.keyId);
  writer.bytes(networkKey.knet, networkKeyBytes);
  writer.u32(networkKey.secondsUntilUse);
  return keepOrRewind(writer, start);
}

}  // namespace wattmesh
