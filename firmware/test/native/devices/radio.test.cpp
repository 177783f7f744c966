#include <algorithm>
#include <vector>

#include "../check.hpp"
#include "board/channel_search.hpp"
#include "board/peer_table.hpp"
#include "board/rings.hpp"

using namespace board;
using namespace wattmesh;

namespace {

constexpr uint64_t s = 1000000;

struct Mac {
  explicit Mac(uint8_t last) { bytes[5] = last; }
  uint8_t bytes[macBytes] = {2, 0, 0, 0, 0, 0};
};

}  // namespace

TEST(aFixedChannelStays) {
  ChannelSearch search;
  search.begin(6, 0);
  for (uint64_t at = 0; at < 10000; at++) CHECK(!search.update(0, false, at * s));
  CHECK_EQUAL(search.channel(), 6);
}

TEST(channelsAreSearchedInTurnAndLongerFromRoundToRound) {
  ChannelSearch search;
  search.begin(channelSearched, 0);
  CHECK_EQUAL(search.channel(), 1);
  std::vector<uint64_t> changes;
  for (uint64_t at = 0; at < 3600; at++) {
    if (search.update(0, false, at * s)) changes.push_back(at);
  }
  CHECK_EQUAL(changes[0], 3);
  CHECK_EQUAL(changes[12], 39);  // back on the first
  CHECK_EQUAL(changes[13], 45);
  // A question goes out once in a minute and a half at worst: in the end a stay is longer.
  CHECK_EQUAL(changes[changes.size() - 1] - changes[changes.size() - 2], 96);
}

TEST(theSearchStaysWhereAParentIsFound) {
  ChannelSearch search;
  search.begin(channelSearched, 0);
  uint64_t at = 0;
  while (search.channel() != 4) search.update(0, false, at += s);
  CHECK(!search.update(1, false, at += s));
  for (unsigned i = 0; i < 100; i++) CHECK(!search.update(2 + i, false, at += s));
  for (unsigned i = 0; i < 10000; i++) CHECK(!search.update(200, true, at += s));
}

TEST(theSearchGoesOnWhereNobodyLetsUsIn) {
  ChannelSearch search;
  search.begin(channelSearched, 0);
  uint64_t at = 0;
  uint32_t heard = 0;
  uint32_t stay = 0;
  uint32_t longestElsewhere = 0;
  uint32_t visits = 0;
  // Another mesh talks all the time on channel 4.
  for (unsigned i = 0; i < 10000; i++) {
    const uint8_t channel = search.channel();
    if (channel == 4) heard++;
    stay++;
    if (!search.update(heard, false, at += s)) continue;
    if (channel == 4) {
      visits++;
      CHECK(stay >= 180);
    } else {
      longestElsewhere = std::max(longestElsewhere, stay);
    }
    stay = 0;
  }
  CHECK(visits > 5);
  // Long enough for a question on the channel of our own mesh.
  CHECK_EQUAL(longestElsewhere, 96);
}

TEST(aLostParentIsWaitedForBeforeTheSearchBeginsAnew) {
  ChannelSearch search;
  search.begin(channelSearched, 0);
  uint64_t at = 0;
  while (search.channel() != 11) search.update(0, false, at += s);
  CHECK(!search.update(5, true, at += s));
  for (unsigned i = 0; i < 179; i++) CHECK(!search.update(5, false, at += s));
  CHECK(search.update(5, false, at += s));
  CHECK_EQUAL(search.channel(), 12);
  at += 3 * s;
  CHECK(search.update(5, false, at));
  CHECK_EQUAL(search.channel(), 13);
  at += 3 * s;
  CHECK(search.update(5, false, at));
  CHECK_EQUAL(search.channel(), 1);
}

TEST(theTwentyPeersUsedLastStay) {
  PeerTable table;
  uint8_t leaves[macBytes];
  for (uint8_t peer = 1; peer <= espNowPeersMax; peer++) CHECK(table.use(Mac(peer).bytes, leaves) == PeerTable::Change::add);
  CHECK(table.use(Mac(1).bytes, leaves) == PeerTable::Change::none);
  CHECK(table.use(Mac(99).bytes, leaves) == PeerTable::Change::replace);
  CHECK_EQUAL(leaves[5], 2);
  CHECK(table.use(Mac(1).bytes, leaves) == PeerTable::Change::none);
  CHECK(table.use(Mac(2).bytes, leaves) == PeerTable::Change::replace);
  CHECK_EQUAL(leaves[5], 3);
  table.forget(Mac(99).bytes);
  CHECK(table.use(Mac(50).bytes, leaves) == PeerTable::Change::add);
  table.clear();
  CHECK(table.use(Mac(1).bytes, leaves) == PeerTable::Change::add);
}

TEST(peersAreThoseOfAModel) {
  PeerTable table;
  std::vector<uint8_t> order;  // the longest unused first
  check::Random random(1);
  for (unsigned round = 0; round < 5000; round++) {
    const uint8_t peer = static_cast<uint8_t>(1 + random.below(30));
    uint8_t leaves[macBytes] = {};
    const PeerTable::Change change = table.use(Mac(peer).bytes, leaves);
    const auto known = std::find(order.begin(), order.end(), peer);
    CHECK((change == PeerTable::Change::none) == (known != order.end()));
    if (change == PeerTable::Change::replace) CHECK_EQUAL(leaves[5], order.front());
    if (known != order.end()) order.erase(known);
    else if (order.size() == espNowPeersMax) order.erase(order.begin());
    order.push_back(peer);
  }
}

TEST(framesComeOutInTheirOrderOrNotAtAll) {
  FrameRing<4> ring;
  CHECK(ring.front() == nullptr);
  uint8_t written = 0;
  uint8_t read = 0;
  check::Random random(2);
  for (unsigned round = 0; round < 1000; round++) {
    if (random.coin()) {
      RadioFrame* frame = ring.free();
      CHECK_EQUAL(frame == nullptr, static_cast<uint8_t>(written - read) == 4);
      if (frame == nullptr) continue;
      frame->length = written++;
      ring.push();
    } else {
      const RadioFrame* frame = ring.front();
      CHECK_EQUAL(frame == nullptr, written == read);
      if (frame == nullptr) continue;
      CHECK_EQUAL(frame->length, read++);
      ring.pop();
    }
  }
}

TEST(bytesLeaveWholeOrNotAtAll) {
  ByteRing<16> ring;
  const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  CHECK(ring.push(data, 10));
  CHECK(!ring.push(data, 7));
  CHECK(ring.push(data, 6));
  size_t length = 0;
  std::vector<uint8_t> out;
  const auto drain = [&](size_t most) {
    const uint8_t* front = ring.front(most, length);
    out.insert(out.end(), front, front + length);
    ring.pop(length);
  };
  drain(12);
  CHECK_EQUAL(length, 12);
  CHECK(ring.push(data, 5));
  for (int i = 0; i < 4; i++) drain(100);
  CHECK_EQUAL(length, 0);
  CHECK((out == std::vector<uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5}));
}
