// Polls at a node: calls to everybody, who answers them, and who is asked again (PROTOCOL.md, section 2.3).
#include "station.hpp"

using namespace station;

namespace {

constexpr uint16_t self = 0x0101;
constexpr uint16_t others[] = {0x0102, 0x0103};
constexpr uint8_t otherMacs[][macBytes] = {{2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 3}};
constexpr uint64_t answerUs = 150 * usPerMs;

// A meter that has joined.
struct MeterInMesh {
  MeterInMesh() : station(Role::meter), device(pollsRarely(station).chip, station.config) {
    CHECK(device.node.boot(station.nowUs) == Error::none);
    station.join(device.node);
    run(6 * usPerS);
  }

  static Station& pollsRarely(Station& station) {
    station.config.pollCycleS = 60;
    return station;
  }

  void run(uint64_t us) { station.run(device.node, us); }

  // A frame with a poll whose tree begins with `first`, and custody for all below.
  void hearPoll(uint16_t number, uint16_t first, const std::vector<uint16_t>& below, bool isBroadcast) {
    Bytes tree(pollEntriesMax * pollEntryBytes);
    Writer entries(tree.data(), tree.size());
    writePollEntry(entries, PollEntry{1, first == self, first});
    std::vector<CustodyEntry> custody;
    for (uint16_t each : below) {
      writePollEntry(entries, PollEntry{2, true, each});
      custody.push_back(CustodyEntry{each, 1, 7});
    }
    Bytes body(bodyBytesMax);
    Writer writer(body.data(), body.size());
    encodeRoutedHeader(writer, Routed{1, 0, {first}, nullptr, 0});
    if (!custody.empty()) writeCustody(writer, custody.data(), custody.size());
    writePoll(writer, PollSection{number, 1, 2, tree.data(), entries.length() / pollEntryBytes});
    body.resize(writer.length());
    station.hear(device.node, FrameType::routed, isBroadcast, body);
  }

  // A packet of another meter, handed to this one.
  void hearData(size_t from, uint8_t packetByte) {
    Bytes packet(40, packetByte);
    PacketHeader header{};
    header.type = packetUp;
    Writer start(packet.data(), packet.size());
    encodePacketHeader(start, header);
    Item item{};
    item.hops = 1;
    item.route[0] = others[from];
    item.packet = packet.data();
    item.packetLength = packet.size();
    Bytes body(bodyBytesMax);
    Writer writer(body.data(), body.size());
    writer.u16(costNone - 1);
    encodeItem(writer, item);
    body.resize(writer.length());
    station.hear(device.node, FrameType::data, false, body, otherMacs[from]);
  }

  // Both others are fresh and known by their short ids, and nothing of theirs waits here.
  void meetOthers() {
    for (size_t i = 0; i < 2; i++) {
      hearData(i, static_cast<uint8_t>(0xe0 + i));
      run(usPerS);
      hearData(i, static_cast<uint8_t>(0xe0 + i));
      run(usPerS);
    }
    station.aired.clear();
  }

  // Items on the air since the last look that `counts` says yes to.
  template <typename Counts>
  size_t count(Counts counts) const {
    size_t found = 0;
    for (const Aired& aired : station.aired) {
      FrameHeader header{};
      const uint8_t* body = nullptr;
      size_t length = 0;
      if (openFrame(aired.frame.data(), aired.frame.size(), header, body, length) != Error::none || header.type != FrameType::data) continue;
      Reader reader(body + dataHeaderBytes, length - dataHeaderBytes);
      Item items[2] = {};
      for (size_t i = 0; reader.remaining() > 0; i++) {
        CHECK(decodeItem(reader, items[i % 2], i == 0 ? nullptr : &items[(i + 1) % 2]) == Error::none);
        found += counts(items[i % 2]) ? 1 : 0;
      }
    }
    return found;
  }

  size_t answersTo(uint16_t number) const {
    return count([number](const Item& item) { return item.isAnswer && item.poll == number; });
  }

  // Polls on the air since the last look, to whom.
  std::vector<Bytes> polls(uint16_t number, std::vector<PollSection>* sections = nullptr) const {
    std::vector<Bytes> to;
    for (const Aired& aired : station.aired) {
      FrameHeader header{};
      const uint8_t* body = nullptr;
      size_t length = 0;
      Routed routed{};
      PollSection poll{};
      if (openFrame(aired.frame.data(), aired.frame.size(), header, body, length) != Error::none || header.type != FrameType::routed) continue;
      CHECK(decodeRouted(body, length, routed) == Error::none);
      if (!findPoll(routed, poll) || poll.number != number) continue;
      to.push_back(aired.to);
      if (sections != nullptr) sections->push_back(poll);
    }
    return to;
  }

  Station station;
  MeterDevice device;
};

const Bytes everybody(broadcastMac, broadcastMac + macBytes);
Bytes macOf(size_t other) { return Bytes(otherMacs[other], otherMacs[other] + macBytes); }

}  // namespace

TEST(aCallIsAnsweredOnceByWhomItNames) {
  MeterInMesh meter;
  meter.hearPoll(7, parentShortId, {others[0], self}, true);
  meter.run(answerUs);
  CHECK_EQUAL(meter.answersTo(7), 1);
  // By name too, since the answer was not heard in time: it is under way.
  meter.hearPoll(7, self, {}, false);
  meter.hearPoll(7, parentShortId, {self}, true);
  meter.run(usPerS);
  CHECK_EQUAL(meter.answersTo(7), 1);
  meter.hearPoll(8, self, {}, false);
  meter.run(answerUs);
  CHECK_EQUAL(meter.answersTo(8), 1);
}

TEST(whoIsNotNamedOnlyOverhearsACall) {
  MeterInMesh meter;
  meter.station.aired.clear();
  meter.hearPoll(7, parentShortId, {others[0], others[1]}, true);
  // Nor does the first in the tree, who calls.
  meter.hearPoll(8, self, {others[0]}, true);
  meter.run(answerUs);
  CHECK_EQUAL(meter.answersTo(7) + meter.answersTo(8), 0);
  CHECK(meter.polls(7).empty() && meter.polls(8).empty());
}

TEST(aPollThatNoHubSendsIsNotAnswered) {
  MeterInMesh meter;
  meter.station.aired.clear();
  meter.hearPoll(0, self, {}, false);
  meter.hearPoll(0, parentShortId, {self}, true);
  meter.run(answerUs);
  CHECK_EQUAL(meter.answersTo(0), 0);
}

TEST(aRecordedCallIsNotAnsweredHoweverManyCameSince) {
  MeterInMesh meter;
  meter.hearPoll(7, parentShortId, {self}, true);
  const Bytes recorded = meter.station.heard;
  for (uint16_t number = 8; number < 8 + 2 * pollsSeenMax; number++) {
    meter.run(answerUs);
    meter.hearPoll(number, parentShortId, {self}, true);
  }
  meter.run(answerUs);
  CHECK_EQUAL(meter.answersTo(7), 1);
  const uint32_t replays = meter.device.node.counters().replays;
  meter.station.nextUs = meter.device.node.receive(parentMac, broadcastMac, recorded.data(), recorded.size(), -50, meter.station.nowUs);
  meter.run(answerUs);
  CHECK_EQUAL(meter.answersTo(7), 1);
  CHECK_EQUAL(meter.device.node.counters().replays, replays + 1);
  // Nor as if it had been for this node alone: the link MAC covers the receiver.
  const uint32_t badMac = meter.device.node.counters().badMac;
  meter.station.nextUs = meter.device.node.receive(parentMac, meter.station.config.mac, recorded.data(), recorded.size(), -50, meter.station.nowUs);
  CHECK_EQUAL(meter.device.node.counters().badMac, badMac + 1);
}

TEST(aCallOfAStrangerIsDroppedAndDrawsNoChallenge) {
  MeterInMesh meter;
  meter.station.aired.clear();
  Bytes body(bodyBytesMax);
  Writer writer(body.data(), body.size());
  uint8_t tree[2 * pollEntryBytes];
  Writer entries(tree, sizeof tree);
  writePollEntry(entries, PollEntry{1, false, others[0]});
  writePollEntry(entries, PollEntry{2, true, self});
  encodeRoutedHeader(writer, Routed{1, 0, {others[0]}, nullptr, 0});
  writePoll(writer, PollSection{7, 1, 2, tree, 2});
  body.resize(writer.length());
  meter.station.hear(meter.device.node, FrameType::routed, true, body, otherMacs[0]);
  meter.run(answerUs);
  CHECK_EQUAL(meter.answersTo(7), 0);
  for (const Aired& aired : meter.station.aired) CHECK(aired.to != macOf(0));
}

TEST(leavesOfOneParentAreCalledAndWhoKeepsSilentIsAskedByName) {
  MeterInMesh meter;
  meter.meetOthers();
  meter.hearPoll(7, self, {others[0], others[1]}, false);
  meter.run(20 * usPerMs);
  std::vector<PollSection> calls;
  CHECK(meter.polls(7, &calls) == (std::vector<Bytes>{everybody}));
  if (calls.empty()) return;
  CHECK_EQUAL(calls[0].entries, 3);
  CHECK_EQUAL(pollEntry(calls[0].tree, 0).shortId, self);
  for (size_t i = 0; i < 2; i++) CHECK(pollEntry(calls[0].tree, i + 1).shortId == others[i] && pollEntry(calls[0].tree, i + 1).asked);
  // One answers in time.
  meter.hearData(0, 0xa0);
  meter.run(usPerS);
  CHECK(meter.polls(7) == (std::vector<Bytes>{everybody, macOf(1)}));
}

TEST(whoHasNobodyToCallTogetherWithIsAskedByName) {
  MeterInMesh meter;
  meter.meetOthers();
  meter.hearPoll(7, self, {others[1]}, false);
  meter.run(usPerS);
  CHECK(meter.polls(7) == (std::vector<Bytes>{macOf(1)}));
}

TEST(aRelayPassesAPacketOnceInAFewSecondsAndLaterAgain) {
  MeterInMesh meter;
  meter.meetOthers();
  const auto isIt = [](const Item& item) { return item.packetLength == 40 && item.packet[39] == 0xa5; };
  meter.hearData(0, 0xa5);
  meter.run(usPerS);
  CHECK_EQUAL(meter.count(isIt), 1);
  // Its acknowledgement by radio was lost; here it comes by another way.
  meter.hearData(1, 0xa5);
  meter.run(usPerS);
  CHECK_EQUAL(meter.count(isIt), 1);
  // Another packet is another one.
  meter.hearData(0, 0xa6);
  meter.run(usPerS);
  CHECK_EQUAL(meter.count([](const Item& item) { return item.packetLength == 40 && item.packet[39] == 0xa6; }), 1);
  // What comes so late was lost further up.
  meter.run(8 * usPerS);
  meter.hearData(0, 0xa5);
  meter.run(usPerS);
  CHECK_EQUAL(meter.count(isIt), 2);
}
