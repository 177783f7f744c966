// Every codec through the judge: samples come back byte for byte, cut or lengthened ones are refused, mutated ones never misbehave.
#include <algorithm>
#include <cstring>
#include <vector>

#include "check.hpp"
#include "judge.hpp"
#include "samples.hpp"
#include "wattmesh/errors.hpp"
#include "wattmesh/item.hpp"
#include "wattmesh/packet.hpp"

using namespace wattmesh;

namespace {

// The error number; with 0 `bytes` become what the fields encode to.
int judge(JudgeKind kind, Bytes& bytes) {
  std::copy(bytes.begin(), bytes.end(), wm_io_buffer);
  const int error = wm_judge(static_cast<int>(kind), static_cast<int>(bytes.size()));
  if (error == 0) bytes.assign(wm_io_buffer, wm_io_buffer + wm_judge_length());
  return error;
}

void checkJudged(JudgeKind kind, Bytes bytes, Error error) { CHECK_EQUAL(judge(kind, bytes), error); }

// Where a shorter or longer sample may be valid too: a packet or text is the rest, sections and items end anywhere between two.
bool hasOpenEnd(const Sample& sample) {
  return sample.kind == JudgeKind::packet || sample.kind == JudgeKind::upSections || sample.kind == JudgeKind::downSections ||
         sample.isOpen;
}

}  // namespace

TEST(samplesComeBackByteForByte) {
  for (const Sample& sample : samples()) {
    check::context(sample.name, 0);
    Bytes bytes = sample.bytes;
    CHECK_EQUAL(judge(sample.kind, bytes), Error::none);
    CHECK(bytes == sample.bytes);
  }
}

TEST(samplesCutOrLengthenedAreRefused) {
  for (const Sample& sample : samples()) {
    for (size_t length = 0; length <= sample.bytes.size() + 1; length++) {
      check::context(sample.name, length);
      Bytes bytes = sample.bytes;
      bytes.resize(length, 0);
      const int error = judge(sample.kind, bytes);
      if (length == 0 && sample.kind != JudgeKind::upSections && sample.kind != JudgeKind::downSections) {
        CHECK_EQUAL(error, Error::truncated);
      }
      if (!hasOpenEnd(sample) && length != sample.bytes.size()) CHECK(error != 0);
    }
  }
}

TEST(mutatedSamplesAreRefusedOrHaveOneMeaning) {
  check::Random random(11);
  unsigned accepted = 0;
  for (const Sample& sample : samples()) {
    for (unsigned round = 0; round < 4000; round += check::stride) {
      check::context(sample.name, round);
      Bytes bytes = sample.bytes;
      const uint32_t length = static_cast<uint32_t>(bytes.size());
      for (uint32_t flips = 1 + random.below(3); flips > 0; flips--) {
        bytes[random.below(length)] ^= static_cast<uint8_t>(1u << random.below(8));
      }
      if (random.below(4) == 0) bytes.resize(random.below(length + 8), static_cast<uint8_t>(random.next()));
      if (judge(sample.kind, bytes) != 0) continue;
      accepted++;
      Bytes again = bytes;
      CHECK_EQUAL(judge(sample.kind, again), Error::none);
      CHECK(again == bytes);
    }
  }
  CHECK(accepted > 1000 / check::stride);
}

TEST(noiseIsJudgedWithoutHarm) {
  check::Random random(13);
  for (unsigned round = 0; round < 40000; round += check::stride) {
    Bytes bytes(random.below(round % 50 == 0 ? 2048 : 80));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next());
    if (!bytes.empty()) bytes[0] = static_cast<uint8_t>(0x10 | (bytes[0] & 0x0f));
    judge(static_cast<JudgeKind>(1 + random.below(9)), bytes);
  }
}

TEST(framesAreRefusedWithTheRightError) {
  const Bytes beacon = sampleNamed("beacon");
  const auto changed = [&beacon](size_t at, uint8_t value) {
    Bytes bytes = beacon;
    bytes[at] = value;
    return bytes;
  };
  checkJudged(JudgeKind::frame, changed(0, 0x21), Error::badVersion);
  checkJudged(JudgeKind::frame, changed(0, 0x10), Error::unknownType);
  checkJudged(JudgeKind::frame, changed(0, 0x19), Error::unknownType);
  checkJudged(JudgeKind::frame, changed(6 + 15, 0x30), Error::badField);  // energy class 3
  checkJudged(JudgeKind::frame, changed(6 + 26, 100), Error::badField);   // sub-millisecond
  checkJudged(JudgeKind::frame, Bytes(251, 0x11), Error::oversize);
  checkJudged(JudgeKind::frame, Bytes(13, 0x11), Error::truncated);
  Bytes longer = beacon;
  longer.push_back(0);
  checkJudged(JudgeKind::frame, longer, Error::trailingBytes);
}

TEST(itemsAreRefusedWithTheRightError) {
  const auto item = [](uint8_t head, uint8_t length, size_t rest) {
    Bytes bytes = {0x12, 0x10, 0, 0, 0, 0, 0x40, 0x01, head, length};
    bytes.insert(bytes.end(), rest + 8, 1);
    return bytes;
  };
  checkJudged(JudgeKind::frame, item(1, 13, 15), Error::none);
  checkJudged(JudgeKind::frame, item(21, 13, 55), Error::badField);    // 21 hops
  checkJudged(JudgeKind::frame, item(1, 12, 14), Error::badLength);    // no packet is that short
  checkJudged(JudgeKind::frame, item(1, 213, 215), Error::badLength);  // nor that long
  checkJudged(JudgeKind::frame, item(1, 0, 2), Error::badLength);      // empty without a poll
  checkJudged(JudgeKind::frame, item(0x41, 0, 4), Error::none);        // empty answer
  checkJudged(JudgeKind::frame, item(1, 14, 15), Error::truncated);
  checkJudged(JudgeKind::frame, {0x12, 0x10, 0, 0, 0, 0, 0x40, 0x01, 0, 0, 0, 0, 0, 0, 0, 0}, Error::truncated);  // no item
}

TEST(packetsAreRefusedWithTheRightError) {
  Bytes packet = sampleNamed("packet up");
  packet[1] = 0x02;
  checkJudged(JudgeKind::packet, packet, Error::badField);  // suite
  packet[1] = 0x21;
  checkJudged(JudgeKind::packet, packet, Error::badField);  // a fragment of suite ECC
  packet[1] = 0xc1;
  checkJudged(JudgeKind::packet, packet, Error::none);  // reserved bits are ignored
  packet[0] = 0x15;
  checkJudged(JudgeKind::packet, packet, Error::unknownType);
  packet[0] = 0x03;
  checkJudged(JudgeKind::packet, packet, Error::badVersion);
  checkJudged(JudgeKind::packet, Bytes(213, 0x13), Error::oversize);
  Bytes m1 = sampleNamed("packet m1");
  m1[8] = 1;
  checkJudged(JudgeKind::packet, m1, Error::badField);  // a session in a handshake
}

TEST(sectionsAreRefusedWithTheRightError) {
  checkJudged(JudgeKind::upSections, {0x03, 7, 0, 0, 0, 0, 0, 0, 0}, Error::badLength);
  checkJudged(JudgeKind::upSections, {0x03, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0}, Error::badLength);
  checkJudged(JudgeKind::upSections, {0x03, 8, 0}, Error::truncated);
  checkJudged(JudgeKind::upSections, {0x03}, Error::truncated);
  checkJudged(JudgeKind::upSections, {0x7f, 1, 0}, Error::none);  // unknown
  checkJudged(JudgeKind::upSections, {0x04, 3, 0, 0, 6}, Error::badField);
  checkJudged(JudgeKind::upSections, {0x05, 1, 0}, Error::badLength);
  Bytes ack = sampleNamed("ack");
  ack[18] = 5;
  checkJudged(JudgeKind::downSections, ack, Error::badField);  // five ranges
  ack[18] = 1;
  checkJudged(JudgeKind::downSections, ack, Error::badLength);
  ack[18] = 2;
  ack[19] = 11;
  checkJudged(JudgeKind::downSections, ack, Error::badField);  // cumulative + 1: no range of its own
  Bytes key = sampleNamed("network key");
  key[2] = 0;
  checkJudged(JudgeKind::downSections, key, Error::badField);
}

TEST(envelopesAreRefusedWithTheRightError) {
  checkJudged(JudgeKind::gatewayEnvelope, sampleNamed("up ack"), Error::unknownType);
  checkJudged(JudgeKind::hostEnvelope, sampleNamed("stats"), Error::unknownType);
  checkJudged(JudgeKind::hostEnvelope, Bytes(513, 0x14), Error::oversize);
  Bytes log = sampleNamed("log");
  log[1] = 4;
  checkJudged(JudgeKind::gatewayEnvelope, log, Error::badField);
  checkJudged(JudgeKind::gatewayEnvelope, {0x18, 1, 0xed, 0xa0, 0x80}, Error::badField);  // a surrogate
  checkJudged(JudgeKind::gatewayEnvelope, Bytes(203, 0x18), Error::badField);              // level 0x18
  Bytes longest(203, 'a');
  longest[0] = 0x18;
  longest[1] = 3;
  checkJudged(JudgeKind::gatewayEnvelope, longest, Error::oversize);
}

TEST(unknownKindsOfJudgementAreSaid) {
  CHECK_EQUAL(wm_judge(0, 1), -1);
  CHECK_EQUAL(wm_judge(10, 1), -1);
  CHECK_EQUAL(wm_judge(1, -1), Error::oversize);
  CHECK_EQUAL(wm_judge(1, 2049), Error::oversize);
}

TEST(custodianIsTheLastHubOfTheRoute) {
  Item item{};
  CHECK_EQUAL(custodianIndex(item), 0);
  const uint16_t route[] = {0x0001, 0x8001, 0x0002, 0x8002, 0x0003};
  memcpy(item.route, route, sizeof route);
  const size_t expected[] = {0, 0, 1, 1, 3, 3};
  for (item.hops = 0; item.hops <= 5; item.hops++) CHECK_EQUAL(custodianIndex(item), expected[item.hops]);
}

TEST(plainPacketsProveTheirBytes) {
  uint8_t packet[packetBytesMax] = {0x13, 0x00};
  const size_t length = sealNone(packet, 40, sizeof packet);
  CHECK_EQUAL(length, 44);
  CHECK_EQUAL(sealNone(packet, 40, 43), 0);
  CHECK_EQUAL(sealNone(packet, 40, 39), 0);
  const uint8_t* plain = nullptr;
  size_t plainLength = 0;
  CHECK_EQUAL(openNone(packet, length, upHeaderBytes, plain, plainLength), Error::none);
  CHECK_EQUAL(plainLength, 27);
  CHECK(plain == packet + upHeaderBytes);
  CHECK_EQUAL(openNone(packet, 16, upHeaderBytes, plain, plainLength), Error::truncated);
  for (size_t at = 0; at < length; at++) {
    packet[at] ^= 1;
    CHECK_EQUAL(openNone(packet, length, upHeaderBytes, plain, plainLength), Error::badCrc);
    packet[at] ^= 1;
  }
}
