#include <cstring>
#include <vector>

#include "check.hpp"
#include "wattmesh/slip.hpp"

using namespace wattmesh;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes packetOf(const Bytes& envelope) {
  Bytes out(slipEncodedBytesMax);
  out.resize(encodeSlip(envelope.data(), envelope.size(), out.data(), out.size()));
  return out;
}

// Feeds bytes; the envelopes that came out.
std::vector<Bytes> feed(SlipDecoder& decoder, const Bytes& line) {
  std::vector<Bytes> envelopes;
  for (const uint8_t byte : line) {
    if (decoder.push(byte)) envelopes.emplace_back(decoder.data(), decoder.data() + decoder.length());
  }
  return envelopes;
}

void checkRefused(const Bytes& line, Error error) {
  SlipDecoder decoder;
  CHECK(feed(decoder, line).empty());
  CHECK_EQUAL(decoder.refused(), 1);
  CHECK_EQUAL(decoder.lastError(), error);
  // Whatever came before, the next packet is whole again.
  CHECK_EQUAL(feed(decoder, packetOf({0x16, 1, 2})).size(), 1);
}

}  // namespace

TEST(slipCarriesAnyEnvelope) {
  check::Random random(5);
  SlipDecoder decoder;
  for (int round = 0; round < 500; round++) {
    Bytes envelope(1 + random.below(envelopeBytesMax));
    // Many bytes that need an escape.
    for (uint8_t& byte : envelope) {
      byte = static_cast<uint8_t>(random.next());
      if (random.coin()) byte = random.coin() ? 0xc0 : 0xdb;
    }
    const Bytes packet = packetOf(envelope);
    CHECK_EQUAL(packet.front(), 0xc0);
    CHECK_EQUAL(packet.back(), 0xc0);
    const std::vector<Bytes> out = feed(decoder, packet);
    CHECK_EQUAL(out.size(), 1);
    CHECK(!out.empty() && out[0] == envelope);
  }
  CHECK_EQUAL(decoder.refused(), 0);
}

TEST(slipWorstCaseFitsItsBound) {
  const Bytes envelope(envelopeBytesMax, 0xc0);
  CHECK(!packetOf(envelope).empty());
  uint8_t out[slipEncodedBytesMax];
  CHECK_EQUAL(encodeSlip(envelope.data(), envelope.size() + 1, out, sizeof out), 0);
  CHECK_EQUAL(encodeSlip(envelope.data(), 0, out, sizeof out), 0);
  CHECK_EQUAL(encodeSlip(envelope.data(), 100, out, 150), 0);
}

TEST(slipRefusesWithTheRightError) {
  checkRefused({0xc0, 1, 2, 3, 4, 0xc0}, Error::truncated);
  checkRefused({0xc0, 1, 2, 3, 4, 5, 0xc0}, Error::badCrc);
  checkRefused({0xc0, 1, 0xdb, 1, 2, 3, 4, 0xc0}, Error::badField);
  checkRefused({0xc0, 1, 2, 3, 4, 5, 0xdb, 0xc0}, Error::badField);
  Bytes tooLong(slipPacketBytesMax + 1, 7);
  tooLong.push_back(0xc0);
  checkRefused(tooLong, Error::oversize);
}

TEST(slipFindsPacketsBehindNoise) {
  SlipDecoder decoder;
  Bytes line = {1, 2, 3};  // the end of a packet that began before we listened
  const Bytes packet = packetOf({0x16, 0xc0, 0xdb});
  for (int i = 0; i < 3; i++) line.insert(line.end(), packet.begin(), packet.end());
  CHECK_EQUAL(feed(decoder, line).size(), 3);
  CHECK_EQUAL(decoder.refused(), 1);
  // A shared END between two packets, as RFC 1055 senders may do.
  Bytes shared = packet;
  shared.insert(shared.end(), packet.begin() + 1, packet.end());
  CHECK_EQUAL(feed(decoder, shared).size(), 2);
}
