#include "wattmesh/envelope.hpp"

#include "wattmesh/bytes.hpp"
#include "wattmesh/checks.hpp"
#include "wattmesh/frame.hpp"

namespace wattmesh {

namespace {

void begin(Writer& writer, EnvelopeType type) {
  writer.u8(static_cast<uint8_t>(wireVersion << 4 | static_cast<uint8_t>(type)));
}

// A reader behind the type byte, which openEnvelope has judged.
Reader bodyOf(const uint8_t* envelope, size_t length) {
  Reader reader(envelope, length);
  reader.u8();
  return reader;
}

// Well-formed UTF-8 (Unicode 15, table 3-7): neither overlong forms nor surrogates.
bool isUtf8(const uint8_t* text, size_t length) {
  size_t at = 0;
  while (at < length) {
    const uint8_t lead = text[at++];
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const size_t following = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (length - at < following) return false;
    const uint8_t least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const uint8_t most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (text[at] < least || text[at] > most) return false;
    for (size_t i = 1; i < following; i++) {
      if ((text[at + i] & 0xc0) != 0x80) return false;
    }
    at += following;
  }
  return true;
}

}  // namespace

Error openEnvelope(const uint8_t* envelope, size_t length, EnvelopeType& type) {
  if (length == 0) return Error::truncated;
  if (length > envelopeBytesMax) return Error::oversize;
  if (envelope[0] >> 4 != wireVersion) return Error::badVersion;
  type = static_cast<EnvelopeType>(envelope[0] & 0x0f);
  return type >= EnvelopeType::hello && type <= EnvelopeType::log ? Error::none : Error::unknownType;
}

Error decodeHelloGateway(const uint8_t* envelope, size_t length, HelloGateway& hello) {
  Reader reader = bodyOf(envelope, length);
  Verdict verdict(reader);
  reader.copy(hello.nodeId, nodeIdBytes);
  hello.shortId = reader.u16();
  reader.copy(hello.firmware, sizeof hello.firmware);
  hello.role = static_cast<Role>(reader.u8());
  verdict.require(hello.role >= Role::meter && hello.role <= Role::gateway);
  hello.bootId = reader.u32();
  hello.networkNumber = reader.u32();
  hello.window = reader.u8();
  return verdict.end();
}

size_t encodeHelloGateway(const HelloGateway& hello, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  begin(writer, EnvelopeType::hello);
  writer.bytes(hello.nodeId, nodeIdBytes);
  writer.u16(hello.shortId);
  writer.bytes(hello.firmware, sizeof hello.firmware);
  writer.u8(static_cast<uint8_t>(hello.role));
  writer.u32(hello.bootId);
  writer.u32(hello.networkNumber);
  writer.u8(hello.window);
  return writtenBytes(writer);
}

Error decodeHelloHost(const uint8_t* envelope, size_t length, HelloHost& hello) {
  Reader reader = bodyOf(envelope, length);
  reader.copy(hello.instanceId, instanceIdBytes);
  hello.networkNumber = reader.u32();
  return endError(reader);
}

size_t encodeHelloHost(const HelloHost& hello, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  begin(writer, EnvelopeType::hello);
  writer.bytes(hello.instanceId, instanceIdBytes);
  writer.u32(hello.networkNumber);
  return writtenBytes(writer);
}

Error decodeUp(const uint8_t* envelope, size_t length, Up& up) {
  Reader reader = bodyOf(envelope, length);
  up.number = reader.u32();
  up.rssiDbm = reader.i8();
  up.utcMs = reader.u48();
  if (!reader.ok()) return Error::truncated;
  const Error error = decodeItem(reader, up.item);
  return error == Error::none ? endError(reader) : error;
}

size_t encodeUp(const Up& up, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  begin(writer, EnvelopeType::up);
  writer.u32(up.number);
  writer.i8(up.rssiDbm);
  writer.u48(up.utcMs);
  return writer.ok() && encodeItem(writer, up.item) ? writer.length() : 0;
}

Error decodeUpAck(const uint8_t* envelope, size_t length, UpAck& ack) {
  Reader reader = bodyOf(envelope, length);
  ack.count = reader.u8();
  if (!reader.ok()) return Error::truncated;
  if (ack.count == 0 || ack.count > upAcksMax) return Error::badField;
  for (size_t i = 0; i < ack.count; i++) ack.number[i] = reader.u32();
  return endError(reader);
}

size_t encodeUpAck(const UpAck& ack, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  begin(writer, EnvelopeType::upAck);
  writer.u8(ack.count);
  for (size_t i = 0; i < ack.count; i++) writer.u32(ack.number[i]);
  return writtenBytes(writer);
}

Error decodeDown(const uint8_t* envelope, size_t length, Down& down) {
  Reader reader = bodyOf(envelope, length);
  down.token = reader.u32();
  down.expiresS = reader.u32();
  down.hold = (reader.u8() & downFlagHold) != 0;
  if (!reader.ok()) return Error::truncated;
  down.packetLength = reader.remaining();
  down.packet = reader.view(down.packetLength);
  return packetLengthError(down.packetLength);
}

size_t encodeDown(const Down& down, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  begin(writer, EnvelopeType::down);
  writer.u32(down.token);
  writer.u32(down.expiresS);
  writer.u8(down.hold ? downFlagHold : uint8_t{0});
  writer.bytes(down.packet, down.packetLength);
  return writtenBytes(writer);
}

Error decodeDownResult(const uint8_t* envelope, size_t length, DownResult& result) {
  Reader reader = bodyOf(envelope, length);
  result.token = reader.u32();
  result.error = reader.u16();
  return endError(reader);
}

size_t encodeDownResult(const DownResult& result, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  begin(writer, EnvelopeType::downResult);
  writer.u32(result.token);
  writer.u16(result.error);
  return writtenBytes(writer);
}

Error decodeHostTime(const uint8_t* envelope, size_t length, HostTime& time) {
  Reader reader = bodyOf(envelope, length);
  Verdict verdict(reader);
  time.utcMs = reader.u64();
  verdict.require(time.utcMs <= wireNumberMax);
  const uint8_t synchronised = reader.u8();
  verdict.require(synchronised <= 1);
  time.synchronised = synchronised == 1;
  return verdict.end();
}

size_t encodeHostTime(const HostTime& time, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  begin(writer, EnvelopeType::time);
  writer.u64(time.utcMs);
  writer.u8(time.synchronised ? 1 : 0);
  return writtenBytes(writer);
}

Error decodeGatewayStats(const uint8_t* envelope, size_t length, GatewayStats& stats) {
  Reader reader = bodyOf(envelope, length);
  stats.uptimeS = reader.u32();
  stats.framesReceived = reader.u32();
  stats.framesSent = reader.u32();
  stats.sendsFailed = reader.u32();
  stats.badMac = reader.u32();
  stats.replays = reader.u32();
  stats.malformed = reader.u32();
  stats.queueFull = reader.u32();
  stats.queue = reader.u16();
  stats.members = reader.u16();
  stats.neighbours = reader.u16();
  return endError(reader);
}

size_t encodeGatewayStats(const GatewayStats& stats, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  begin(writer, EnvelopeType::stats);
  writer.u32(stats.uptimeS);
  writer.u32(stats.framesReceived);
  writer.u32(stats.framesSent);
  writer.u32(stats.sendsFailed);
  writer.u32(stats.badMac);
  writer.u32(stats.replays);
  writer.u32(stats.malformed);
  writer.u32(stats.queueFull);
  writer.u16(stats.queue);
  writer.u16(stats.members);
  writer.u16(stats.neighbours);
  return writtenBytes(writer);
}

Error decodeLogText(const uint8_t* envelope, size_t length, LogText& log) {
  Reader reader = bodyOf(envelope, length);
  log.level = static_cast<LogLevel>(reader.u8());
  if (!reader.ok()) return Error::truncated;
  if (log.level < LogLevel::error || log.level > LogLevel::info) return Error::badField;
  log.length = reader.remaining();
  log.text = reader.view(log.length);
  if (log.length > logTextBytesMax) return Error::oversize;
  return isUtf8(log.text, log.length) ? Error::none : Error::badField;
}

size_t encodeLogText(const LogText& log, uint8_t* out, size_t capacity) {
  Writer writer(out, capacity);
  begin(writer, EnvelopeType::log);
  writer.u8(static_cast<uint8_t>(log.level));
  writer.bytes(log.text, log.length);
  return writtenBytes(writer);
}

}  // namespace wattmesh
