#include <cstring>
#include <vector>

#include "../check.hpp"
#include "board/aligned_flash.hpp"
#include "board/radio.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/link.hpp"

using namespace board;
using namespace wattmesh;

namespace {

constexpr uint64_t ms = 1000;

// An SDK that keeps its rules: twenty peers, nothing to strangers.
struct Sdk {
  std::vector<uint8_t> peers;  // last byte of their addresses
  unsigned starts = 0;
  unsigned sends = 0;
  bool takes = true;
  bool broke = false;
  uint8_t channel = 0;
};
Sdk sdk;

bool isKnown(const uint8_t mac[macBytes]) {
  for (const uint8_t peer : sdk.peers) {
    if (peer == mac[5]) return true;
  }
  return false;
}

const RadioDriver driver = {
    [] {
      sdk.starts++;
      sdk.peers.clear();
      return true;
    },
    [](uint8_t channel) {
      sdk.channel = channel;
      return channel <= 11;
    },
    [](const uint8_t mac[macBytes]) {
      if (sdk.peers.size() >= 20 || isKnown(mac)) sdk.broke = true;
      sdk.peers.push_back(mac[5]);
      return true;
    },
    [](const uint8_t mac[macBytes]) {
      if (!isKnown(mac)) sdk.broke = true;
      for (size_t i = 0; i < sdk.peers.size(); i++) {
        if (sdk.peers[i] == mac[5]) sdk.peers.erase(sdk.peers.begin() + static_cast<std::ptrdiff_t>(i));
      }
      return true;
    },
    [](const uint8_t to[macBytes], const uint8_t*, size_t) {
      if (!isKnown(to)) sdk.broke = true;
      sdk.sends++;
      return sdk.takes;
    },
};

struct To {
  explicit To(uint8_t last) { mac[5] = last; }
  uint8_t mac[macBytes] = {2, 0, 0, 0, 0, 0};
};

std::vector<uint8_t> frameOf(FrameType type, uint8_t firstOfBody) {
  std::vector<uint8_t> frame(20, 0);
  frame[0] = static_cast<uint8_t>(0x10 | static_cast<uint8_t>(type));
  frame[6] = firstOfBody;
  return frame;
}

}  // namespace

TEST(radioSendsOneFrameAtATime) {
  sdk = Sdk();
  Radio radio(driver);
  const uint8_t frame[20] = {};
  bool ok = false;
  CHECK(radio.begin(6));
  CHECK_EQUAL(sdk.channel, 6);
  CHECK(!radio.takeSent(0, ok));
  for (const bool result : {true, false, true}) {
    CHECK(radio.send(To(1).mac, frame, sizeof frame, 0));
    CHECK(!radio.send(To(1).mac, frame, sizeof frame, 0));
    CHECK(!radio.takeSent(20 * ms, ok));
    radio.onSent(result);
    CHECK(radio.takeSent(21 * ms, ok));
    CHECK_EQUAL(ok, result);
    CHECK(!radio.takeSent(22 * ms, ok));
  }
  // A callback for nothing is none.
  radio.onSent(true);
  CHECK(!radio.takeSent(30 * ms, ok));
  CHECK(!radio.setChannel(12));
}

TEST(radioReportsWhatTheSdkRefuses) {
  sdk = Sdk();
  Radio radio(driver);
  const uint8_t frame[20] = {};
  bool ok = true;
  CHECK(radio.begin(1));
  sdk.takes = false;
  CHECK(radio.send(To(1).mac, frame, sizeof frame, 0));
  CHECK(radio.takeSent(0, ok));
  CHECK(!ok);
  sdk.takes = true;
  CHECK(radio.send(To(1).mac, frame, sizeof frame, 0));
}

TEST(radioStartsAnewWhenNoAnswerComes) {
  sdk = Sdk();
  Radio radio(driver);
  const uint8_t frame[20] = {};
  bool ok = true;
  CHECK(radio.begin(1));
  CHECK(radio.send(To(1).mac, frame, sizeof frame, 0));
  CHECK(!radio.takeSent(299 * ms, ok));
  CHECK(radio.takeSent(300 * ms, ok));
  CHECK(!ok);
  CHECK_EQUAL(sdk.starts, 2);
  // It knows its peers no more, and so do we.
  CHECK(radio.send(To(1).mac, frame, sizeof frame, 400 * ms));
  CHECK(!sdk.broke);
}

TEST(radioReachesMoreNeighboursThanTheSdkHasPlacesFor) {
  sdk = Sdk();
  Radio radio(driver);
  const uint8_t frame[20] = {};
  bool ok = false;
  check::Random random(8);
  CHECK(radio.begin(1));
  for (unsigned i = 0; i < 2000; i++) {
    CHECK(radio.send(To(static_cast<uint8_t>(random.below(32))).mac, frame, sizeof frame, i * ms));
    radio.onSent(true);
    CHECK(radio.takeSent(i * ms, ok));
  }
  CHECK_EQUAL(sdk.sends, 2000);
  CHECK(!sdk.broke);
}

TEST(radioQueuesWhatItHears) {
  Radio radio(driver);
  const std::vector<uint8_t> beacon = frameOf(FrameType::beacon, 0);
  const uint8_t all[macBytes] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  CHECK(radio.received() == nullptr);
  radio.onReceived(To(7).mac, all, -200, beacon.data(), beacon.size());
  radio.onReceived(To(8).mac, To(9).mac, -61, beacon.data(), beacon.size());
  radio.onReceived(To(7).mac, nullptr, 0, beacon.data(), 13);
  radio.onReceived(To(7).mac, nullptr, 0, beacon.data(), 251);
  const RadioFrame* frame = radio.received();
  CHECK(frame != nullptr && frame->isBroadcast && frame->rssiDbm == -128 && frame->length == beacon.size() && frame->from[5] == 7);
  radio.pop();
  frame = radio.received();
  CHECK(frame != nullptr && !frame->isBroadcast && frame->rssiDbm == -61);
  radio.pop();
  CHECK(radio.received() == nullptr);
  for (unsigned i = 0; i < 10; i++) radio.onReceived(To(7).mac, all, -60, beacon.data(), beacon.size());
  CHECK_EQUAL(radio.overruns(), 2);
}

TEST(framesSayWhetherTheyAreForAll) {
  for (uint8_t type = 1; type <= 8; type++) {
    const bool broadcast = type == static_cast<uint8_t>(FrameType::beacon) || type == static_cast<uint8_t>(FrameType::flood);
    const std::vector<uint8_t> frame = frameOf(static_cast<FrameType>(type), static_cast<uint8_t>(Direction::up));
    CHECK_EQUAL(isForAll(frame.data(), frame.size()), broadcast);
  }
  const std::vector<uint8_t> question = frameOf(FrameType::join, static_cast<uint8_t>(Direction::solicit));
  CHECK(isForAll(question.data(), question.size()));
  CHECK(!isForAll(question.data(), 6));
}

namespace {

std::vector<uint8_t> cells;
bool misaligned = false;

const WordFlash words = {
    [](uint32_t address, uint32_t* out, size_t length) {
      if (address % 4 != 0 || length % 4 != 0 || address + length > cells.size()) misaligned = true;
      else memcpy(out, cells.data() + address, length);
      return !misaligned;
    },
    [](uint32_t address, const uint32_t* data, size_t length) {
      if (address % 4 != 0 || length % 4 != 0 || address + length > cells.size()) misaligned = true;
      const uint8_t* bytes = reinterpret_cast<const uint8_t*>(data);
      for (size_t i = 0; i < length && !misaligned; i++) cells[address + i] = static_cast<uint8_t>(cells[address + i] & bytes[i]);
      return !misaligned;
    },
};

}  // namespace

TEST(flashOfWordsTakesBytesAnywhere) {
  check::Random random(6);
  misaligned = false;
  for (unsigned round = 0; round < 500; round++) {
    cells.assign(512, 0xff);
    std::vector<uint8_t> expected = cells;
    for (unsigned write = 0; write < 4; write++) {
      const uint32_t address = random.below(300);
      std::vector<uint8_t> data(random.below(200));
      for (uint8_t& byte : data) byte = static_cast<uint8_t>(random.next());
      CHECK(writeBytes(words, address, data.data(), data.size()));
      for (size_t i = 0; i < data.size(); i++) expected[address + i] = static_cast<uint8_t>(expected[address + i] & data[i]);
    }
    CHECK(cells == expected);
    const uint32_t address = random.below(300);
    std::vector<uint8_t> back(random.below(200));
    CHECK(readBytes(words, address, back.data(), back.size()));
    CHECK(back == std::vector<uint8_t>(cells.begin() + address, cells.begin() + static_cast<std::ptrdiff_t>(address + back.size())));
  }
  CHECK(!misaligned);
}
