// Boards in one virtual time, the air between them, neighbours that only the fuzzer plays, and a small head-end behind the gateway.
#pragma once
#include <map>
#include <memory>
#include <vector>

#include "board.hpp"
#include "wire.hpp"

namespace fuzz {

// The suite that two bits of a fuzzer's flags name.
inline uint8_t suiteOf(uint8_t bits) { return bits == 0 ? wattmesh::suiteNone : bits == 2 ? wattmesh::suiteRsa : wattmesh::suiteEcc; }

class World {
 public:
  // Boards are named by their index from here on.
  World(std::vector<wattmesh::Role> roles, const Setup& setup);

  Board& board(size_t index) { return *boards_[index]; }
  size_t size() const { return boards_.size(); }
  uint64_t nowUs() const { return nowUs_; }
  uint64_t utcMs() const { return startUtcMs + nowUs_ / 1000; }

  // Time passes; callbacks and ticks come when they are due. A test that has used up its time or its ticks stands still.
  void run(uint64_t us);
  // As run(), from a byte of the fuzzer: bits 0-6 milliseconds as a power of two, at most 65 s; with bit 7 minutes in which nobody is
  // called, as when a chip sleeps.
  void pass(uint8_t coded);
  // The radio is done with a board's frame now.
  void finish(size_t index);
  void receive(size_t index, const Mac& from, bool isBroadcast, const Bytes& frame);
  // A frame with a MAC and a link counter as the neighbour's next one has. JOIN frames are under the key that everybody knows.
  void receiveFresh(size_t index, const Mac& from, bool isBroadcast, wattmesh::FrameType type, const Bytes& body);
  void hostBytes(size_t index, const Bytes& bytes);
  void reboot(size_t index);
  uint32_t freshCounter() { return ++counter_; }

  // Whether frames between two boards arrive, whether neighbours hear what is sent to them, whether the head-end answers.
  bool isLinked[3][3] = {};
  bool isHeard = true;
  bool headEndAnswers = false;

  // A grounded neighbour beacons until the board is attached and has a session: within 5 minutes, or within 5 after the hour that a
  // node waits at most between rounds of M1. `acknowledged`: in M2.
  void join(size_t index, uint16_t shortId, uint32_t acknowledged);
  // One beacon of that neighbour; and 10 s after it.
  void beacon(size_t index);
  void beaconPeriod(size_t index);
  static Mac parentMac() { return neighbourMac(200); }

  void checkLogs();

 private:
  static constexpr uint64_t lifeUs = 400 * wattmesh::usPerS;
  static constexpr unsigned eventsMax = 20000;

  void leap(uint64_t us);
  void answerChallenge(size_t asker, const Mac& asked, const Bytes& bytes);
  void deliver(size_t from);
  void serveHost(size_t index);
  void answerUp(size_t index, const wattmesh::Up& up);
  void toGateway(size_t index, const Bytes& envelope);

  std::vector<std::unique_ptr<Board>> boards_;
  bool serialHost_;
  uint64_t nowUs_ = 0;
  uint64_t endUs_ = lifeUs;
  unsigned events_ = 0;
  unsigned eventsEnd_ = eventsMax;
  uint32_t counter_ = 1;
  uint32_t downCounter_ = 0;
  uint16_t tree_ = 0;
};

}  // namespace fuzz
