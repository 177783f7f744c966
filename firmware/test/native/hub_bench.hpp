// A hub whose words are caught, for tests of its polls.
#pragma once
#include <algorithm>
#include <map>
#include <vector>

#include "check.hpp"
#include "device.hpp"
#include "wattmesh/hub.hpp"
#include "wattmesh/item.hpp"

namespace hub_bench {

using namespace wattmesh;

using Path = std::vector<uint16_t>;

constexpr uint64_t s = usPerS;
constexpr uint64_t ms = usPerMs;
constexpr uint64_t cycle = 60 * s;
constexpr uint64_t utc = 1790000000 * s / cycle * cycle;
constexpr uint8_t packet[84] = {0x14, 0x01};
constexpr uint16_t self = 0x8009;

struct Sent {
  uint16_t target = 0;  // self: everybody, for it is a call
  PollSection poll{};  // number 0: none; its tree stands in `asked` and `passed`
  std::vector<uint16_t> asked;
  std::vector<uint16_t> passed;  // everybody in the tree, in preorder
  std::vector<uint16_t> custody;
  std::vector<uint16_t> packets;
  std::vector<uint16_t> left;
};

// A hub whose words are caught, with the way to each node.
class Bench : public Downward {
 public:
  explicit Bench(size_t capacity = 8) : device_(1), port_(device_.port()), members_(capacity), held_(capacity * heldBytesMax), hub(members_.data(), capacity, Room{held_.data(), held_.size()}) {
    config_.pollCycleS = cycle / s;
    clock.set(utc, 0);
    hub.begin(port_, config_);
  }

  // Nodes of a chain behind the hub, the last one is the deepest.
  void chain(const Path& nodes) {
    for (size_t i = 0; i < nodes.size(); i++) ways[nodes[i]] = Path(nodes.begin(), nodes.begin() + static_cast<long>(i) + 1);
  }

  void push(uint16_t node, uint64_t nowUs, bool more = false) { hears(node, false, 0, more, nowUs); }
  void answer(uint16_t node, uint16_t poll, uint64_t nowUs, bool more = false) { hears(node, true, poll, more, nowUs); }

  void answerAll(const Sent& frame, uint64_t nowUs) {
    for (uint16_t node : frame.asked) answer(node, frame.poll.number, nowUs);
  }

  // Runs until `untilUs`; returns what was sent.
  std::vector<Sent> run(uint64_t untilUs) {
    sent.clear();
    while (nowUs < untilUs) {
      hub.tick(nowUs, clock, *this);
      const uint64_t nextUs = hub.nextUs();
      nowUs = std::min(untilUs, nextUs > nowUs ? nextUs : nowUs + ms);
    }
    return sent;
  }

  // Runs on with everybody answering at once; returns what was sent.
  std::vector<Sent> serve(uint64_t untilUs) {
    std::vector<Sent> all;
    while (nowUs < untilUs) {
      for (const Sent& frame : run(std::min(untilUs, nowUs + 10 * ms))) {
        all.push_back(frame);
        if (frame.poll.number != 0) answerAll(frame, nowUs);
      }
    }
    return all;
  }

  bool sendRouted(uint16_t target, const uint8_t* sections, size_t length) override { return send(target, sections, length); }
  bool call(const uint8_t* sections, size_t length) override { return send(self, sections, length); }

  size_t pathTo(uint16_t target, uint16_t path[hopsMax]) const override {
    const auto way = ways.find(target);
    if (way == ways.end()) return 0;
    std::copy(way->second.begin(), way->second.end(), path);
    return way->second.size();
  }

  uint16_t parentOf(uint16_t node) const override {
    const auto way = ways.find(node);
    return way == ways.end() ? shortIdNone : way->second.size() < 2 ? self : way->second[way->second.size() - 2];
  }

  std::map<uint16_t, Path> ways;
  std::vector<Sent> sent;
  NetworkClock clock;
  uint64_t nowUs = 0;
  bool isBusy = false;

 private:
  bool send(uint16_t target, const uint8_t* sections, size_t length) {
    if (isBusy) return false;
    Sent frame;
    frame.target = target;
    Reader reader(sections, length);
    while (reader.remaining() > 0) {
      RoutedSection section{};
      CustodySection custody{};
      PacketForSection packetFor{};
      CHECK(nextRoutedSection(reader, section) == Error::none);
      if (section.kind == routedPoll) CHECK(decodePoll(section, frame.poll) == Error::none);
      for (size_t i = 0; section.kind == routedPoll && i < frame.poll.entries; i++) {
        const PollEntry entry = pollEntry(frame.poll.tree, i);
        // In a call the hub stands above those who hang on it.
        CHECK_EQUAL(entry.hops, target == self ? ways[entry.shortId].size() + 1 : ways[entry.shortId].size());
        frame.passed.push_back(entry.shortId);
        if (entry.asked) frame.asked.push_back(entry.shortId);
      }
      if (section.kind == routedCustody && decodeCustody(section, custody) == Error::none) {
        for (size_t i = 0; i < custody.entries; i++) frame.custody.push_back(custody.entry[i].origin);
      }
      LeftSection left{};
      if (section.kind == routedLeft && decodeLeft(section, left) == Error::none) frame.left.assign(left.entry, left.entry + left.entries);
      if (section.kind == routedPacketFor && decodePacketFor(section, packetFor) == Error::none) frame.packets.push_back(packetFor.target);
      // Whoever answers the poll knows by then what has arrived.
      CHECK(section.kind == routedPoll ? reader.remaining() == 0 : frame.poll.number == 0);
    }
    sent.push_back(frame);
    return true;
  }

  void hears(uint16_t node, bool isAnswer, uint16_t poll, bool more, uint64_t atUs) {
    const Path& way = ways[node];
    hub.heard(node, static_cast<uint8_t>(way.size()), way.front(), isAnswer, poll, more, atUs);
  }

  Device device_;
  Port port_;
  Config config_{};
  std::vector<Member> members_;
  std::vector<uint8_t> held_;

 public:
  Hub hub;
};

// Whom they asked, in the order in which they stand in the frames.
inline Path polled(const std::vector<Sent>& frames) {
  Path nodes;
  for (const Sent& frame : frames) nodes.insert(nodes.end(), frame.asked.begin(), frame.asked.end());
  return nodes;
}

// Which of them carried custody for a node, by their places.
inline size_t carrying(const std::vector<Sent>& frames, uint16_t node) {
  return static_cast<size_t>(std::count_if(frames.begin(), frames.end(), [node](const Sent& frame) {
    return std::find(frame.custody.begin(), frame.custody.end(), node) != frame.custody.end();
  }));
}

}  // namespace hub_bench
